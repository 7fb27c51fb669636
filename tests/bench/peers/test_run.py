"""The command line of the comparison, with other provers replaced by figures."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bench.peers import barretenberg, own, run, snarkjs, tools
from bench.peers.report import Measurement
from circuits.cli_support import ExitCode

MACHINE = tools.Machine("a processor", 2, True, 0.0)


def measured(prover: str, trades: int, threads: int, variant: str = "default") -> Measurement:
    core_seconds = 0.2 * trades if prover == "peer" else 0.01 * trades
    return Measurement(
        prover=prover, variant=variant, trades=trades, threads=threads,
        seconds=core_seconds / threads, core_seconds=core_seconds, rows=0, log_size=0,
        proof_bytes=0, peak_mib=0.0, verified=True,
    )  # fmt: skip


class FakePeer:
    version = "peer 1.0"

    def __init__(self, folder):
        assert folder.is_dir()

    def prepare(self, trades):
        return FakeProgram(trades)


class FakeProgram:
    def __init__(self, trades):
        self.trades = trades

    def prove(self, variant, threads):
        return measured("peer", self.trades, threads, variant)


@pytest.fixture
def invoke(monkeypatch):
    monkeypatch.setattr(tools, "this_machine", lambda: MACHINE)
    monkeypatch.setattr(barretenberg, "Barretenberg", FakePeer)
    monkeypatch.setattr(snarkjs, "Snarkjs", FakePeer)
    monkeypatch.setattr(own, "prove", lambda *case: measured("plasmaperps", *case))
    return lambda *arguments, peer="barretenberg": CliRunner().invoke(run.main, [peer, *arguments])


def test_both_sides_and_the_ratio_are_printed(invoke):
    result = invoke("--trades", "4,8", "--threads", "1,2", "--repeat", "2", "--json")
    assert result.exit_code == ExitCode.OK, result.output
    found = json.loads(result.output.splitlines()[-1])
    cases = {(each["prover"], each["trades"], each["threads"]) for each in found["measurements"]}
    peers = {("peer", trades, threads) for trades in (4, 8) for threads in (1, 2)}
    assert cases == peers | {("plasmaperps", 512, 1), ("plasmaperps", 512, 2)}
    assert len(found["measurements"]) == len(peers) * len(barretenberg.VARIANTS) + 2
    assert [each["core_time"] for each in found["ratios"]] == [20.0, 20.0]
    assert "2 threads: peer at its best takes 200.0 ms" in result.output


@pytest.mark.parametrize("peer", ["barretenberg", "snarkjs"])
def test_the_peer_can_run_alone(invoke, peer):
    result = invoke("--trades", "4", "--threads", "1", "--alone", peer=peer)
    assert result.exit_code == ExitCode.OK, result.output
    assert "plasmaperps" not in result.output


def test_own_figures_can_come_from_a_file(invoke, tmp_path):
    line = {
        "size": 100, "threads": 2, "kernels": "ifma", "core_ms_per_unit": 10.0,
        "units_per_second": 200.0, "peak_mib": 1, "verified": True, "job": "yardstick",
        "executor": "inline", "start_core_seconds": 1.0,
    }  # fmt: skip
    path = tmp_path / "ours.jsonl"
    path.write_text(json.dumps(line))
    result = invoke("--trades", "4", "--threads", "1,2", "--ours-json", str(path), "--json")
    assert result.exit_code == ExitCode.OK, result.output
    (ratio,) = json.loads(result.output.splitlines()[-1])["ratios"]
    assert (ratio["threads"], ratio["core_time"]) == (2, 20.0)
    assert ratio["core_time_with_start"] == 10.0
    result = invoke("--trades", "4", "--threads", "1", "--ours-json", str(path))
    assert f"no ratio: {path} has no measurement with these numbers of threads" in result.output


def test_more_threads_than_cores_are_refused_before_any_work(invoke):
    result = invoke("--threads", "1,3")
    assert result.exit_code == ExitCode.USAGE
    assert "Error: --threads: expected at most 2 on this machine, got 3\n" in result.output


@pytest.mark.parametrize(("cores", "threads"), [(1, {1}), (2, {1, 2}), (8, {1, 2})])
def test_as_many_threads_are_measured_as_there_are_cores(invoke, monkeypatch, cores, threads):
    monkeypatch.setattr(tools, "this_machine", lambda: replace(MACHINE, cores=cores))
    result = invoke("--trades", "4", "--repeat", "1", "--json")
    found = json.loads(result.output.splitlines()[-1])
    assert {each["threads"] for each in found["measurements"]} == threads


def test_wrong_kernels_are_one_line(invoke, monkeypatch):
    monkeypatch.setenv("PLASMAPERPS_KERNELS", "abacus")
    result = invoke("--threads", "1")
    assert result.exit_code == ExitCode.USAGE
    assert "Error: PLASMAPERPS_KERNELS: expected " in result.output


@pytest.mark.parametrize("text", ["", "0", "1,", "a", "1,-2", "²"])
def test_counts_are_positive_numbers(invoke, text):
    result = invoke("--trades", text)
    assert result.exit_code == ExitCode.USAGE
    assert f"expected numbers from 1 with commas between them, got {text!r}" in result.output
