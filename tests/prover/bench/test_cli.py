"""`plasmaperps prover bench`: JSON on the last line, and one line for everything that is wrong."""

import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from prover.bench import deaths, field, options, proving, soak, start
from prover.bench.deaths import Death, Deaths
from prover.bench.measure import Measurement
from prover.bench.soak import Soak
from prover.bench.start import Start
from prover.bench.tape import biggest_chip
from prover.kernel_choice import Kernels, available, choose
from prover.prove import Stage
from sequencer.batch_files import witness_of
from sequencer.cli import main
from tests.prover.bench.test_report import FIELDS
from tests.support.batches import rich_batch
from tests.support.measurements import proof
from verifier.errors import SumcheckMismatch

ONE_WORKER = ("--executor", "process", "--workers", 1)
TWO_WORKERS = ("--executor", "process", "--workers", 2, "--threads", 2)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["prover", "bench", *map(str, arguments)])


def refused(*arguments: object) -> str:
    """The one line of a command that ends with exit code 2 and prints nothing else."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prover.kernels.parallel.cores", lambda: 2)


def last_object(result: Result) -> dict:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout.splitlines()[-1])


def test_field_and_tape_end_with_the_documented_object() -> None:
    chip = biggest_chip()
    for arguments, name, size in (
        (("field", "--log-size", 8), "fr_mul", 1 << 8),
        (("tape", "--log-rows", 4), chip.name, chip.tape.operations << 3),
    ):
        found = last_object(run(*arguments, "--repeat", 2, "--threads", 1, "--json"))
        assert set(found) == FIELDS
        assert (found["job"], found["threads"], found["verified"]) == (arguments[0], 1, True)
        assert (found["measurements"][0]["name"], found["size"]) == (name, size)
        assert len(found["runs"]) == 2


def test_msm_compares_widths() -> None:
    result = run("msm", "--log-size", 8, "--bits", "254,16,1", "--repeat", 1, "--json")
    found = last_object(result)
    assert set(found) == FIELDS
    assert [each["name"] for each in found["measurements"]] == ["254 bit", "16 bit", "1 bit"]
    assert found["verified"]
    ratios = [line for line in result.stdout.splitlines() if "times cheaper" in line]
    assert [line.partition(" costs")[0] for line in ratios] == ["16 bit", "1 bit"]


def test_a_yardstick_is_proven_and_drawn(tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"
    result = run("yardstick", "--trades", 1, "--repeat", 1, "--json", "--plot", chart)
    found = last_object(result)
    assert set(found) == FIELDS
    assert (found["size"], found["unit"], found["verified"]) == (1, "trade", True)
    assert list(found["seconds"]) == [
        "witness", "load", "commit", "helpers", "sumcheck", "reduction", "opening", "verify",
    ]  # fmt: skip
    assert f"chart in {chart}" in result.stdout
    assert chart.stat().st_size > 8_000


def test_no_setup_is_made_for_points_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("prover.memory.available_bytes", lambda: 0)
    monkeypatch.setattr("prover.memory.own_resident_bytes", lambda: 0)
    monkeypatch.setattr("prover.srs_tools.development", lambda *given: made.append(given))
    line = refused("msm", "--log-size", 20)
    assert line.startswith("Error: memory for 1,048,576 points: expected ")
    assert made == []


@pytest.mark.slow
@pytest.mark.usefixtures("two_cores")
def test_workers_prove_a_yardstick_and_their_time_counts() -> None:
    command = ("yardstick", "--trades", 8, "--repeat", 2, "--json")
    found = last_object(run(*command, *TWO_WORKERS))
    assert (found["executor"], found["workers"], found["verified"]) == ("process", 2, True)
    alone = last_object(run(*command))
    assert found["core_ms_per_unit"] > 0.7 * alone["core_ms_per_unit"]


@pytest.mark.parametrize("job", ["field", "msm", "tape"])
def test_a_job_without_a_proof_takes_no_workers(job: str) -> None:
    wanted = "expected inline, as this job makes no proof"
    assert refused(job, "--executor", "ray") == f"Error: --executor: {wanted}, got ray"


def test_sizes_are_measured_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measure(executor: object, trades: int, repeat: int, advance: object) -> Measurement:
        asked.append((trades, repeat))
        return proof(trades, 1 + 0.02 * trades)

    monkeypatch.setattr(proving, "measure_yardstick", measure)
    result = run("yardstick", "--trades", "100,400,100", "--repeat", 2, "--json")
    assert asked == [(100, 2), (400, 2)]
    assert last_object(result)["size"] == 400
    assert "4 times the trades cost 3 times the core time" in result.stdout


def test_a_command_that_is_told_to_end_takes_its_folder_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[Path] = []

    def measure(opened: proving.Bench, *arguments: object) -> Measurement:
        found.append(opened.options.work_dir)
        (found[0] / "witness").write_text("secret")
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("expected to be told to end")

    def outlived(number: int, frame: object) -> None:
        raise AssertionError("expected SIGTERM to reach the command")

    monkeypatch.setattr(proving, "measure_yardstick", measure)
    before = signal.signal(signal.SIGTERM, outlived)
    try:
        assert run("yardstick", "--trades", 1).exit_code == 4
        assert signal.getsignal(signal.SIGTERM) is outlived
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not found[0].exists()


@pytest.mark.parametrize(
    "arguments", [("batch",), ("deaths", "--witness"), ("soak", "--witness")], ids=lambda a: a[0]
)
def test_a_missing_batch_is_told_of_before_kernels_are_made_ready(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: object) -> None:
        raise AssertionError("expected the file to be looked for first")

    monkeypatch.setattr(options, "prepare", prepare)
    path = tmp_path / "missing.witness"
    assert refused(*arguments, path) == f"Error: {path}: no such file or directory"


@pytest.mark.slow
def test_a_batch_is_proven(tmp_path: Path) -> None:
    witness = tmp_path / "batch.witness"
    witness_of(rich_batch()).save(witness)
    found = last_object(run("batch", witness, "--repeat", 1, "--json"))
    assert set(found) == FIELDS
    assert (found["size"], found["unit"]) == (rich_batch().statement.command_count, "command")
    assert found["verified"]


def test_a_wrong_result_ends_with_exit_code_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field.fr, "mul", field.fr.add)
    result = run("field", "--log-size", 8, "--repeat", 1, "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout.splitlines()[-1])["verified"] is False
    assert result.stderr == "Error: field: expected the right result, got another one for fr_mul\n"


def test_a_refused_proof_is_the_last_and_still_gives_the_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: object) -> None:
        raise SumcheckMismatch("constraints", 1, 2)

    monkeypatch.setattr(proving, "verify", refuse)
    result = run("yardstick", "--trades", 1, "--repeat", 3, "--json")
    assert result.exit_code == 5
    found = json.loads(result.stdout.splitlines()[-1])
    assert (found["verified"], len(found["runs"])) == (False, 1)
    wanted = "yardstick-1: SumcheckMismatch: constraints: expected 1, got 2"
    assert result.stderr == f"Error: {wanted}\n"


@pytest.mark.slow
def test_a_false_witness_is_named_with_the_rule_that_it_breaks(tmp_path: Path) -> None:
    path = tmp_path / "batch.witness"
    witness = witness_of(rich_batch())
    words = witness.table("pubdata").columns[0].copy()
    words[0, 0] ^= 1
    tables = tuple(
        replace(table, columns=(words,)) if table.name == "pubdata" else table
        for table in witness.tables
    )
    replace(witness, tables=tables).save(path)
    result = run("batch", path, "--repeat", 2, "--json")
    assert result.exit_code == 5
    assert json.loads(result.stdout.splitlines()[-1])["verified"] is False
    assert result.stderr.startswith(f"Error: {path}: bus published ")


def test_a_verifier_that_takes_any_statement_spoils_the_measurement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proving, "verify", lambda *arguments: None)
    result = run("yardstick", "--trades", 1, "--repeat", 1, "--json")
    assert (result.exit_code, result.stdout) == (5, "")
    wanted = "verifier: expected another statement refused, got accepted"
    assert result.stderr == f"Error: {wanted}\n"


def test_what_does_not_fit_into_memory_is_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("prover.memory.available_bytes", lambda: 0)
    monkeypatch.setattr("prover.memory.own_resident_bytes", lambda: 0)
    witness = tmp_path / "batch.witness"
    witness_of(rich_batch()).save(witness)
    for arguments, what in (
        (("field", "--log-size", 8), "2^8 elements"),
        (("msm", "--log-size", 8), "256 points"),
        (("tape", "--log-rows", 4), "2^4 rows"),
        (("yardstick", "--trades", 1), "shape yardstick-1"),
        (("batch", witness), "shape S"),
        (("soak", "--trades", 1), "shape yardstick-1"),
        (("soak", "--witness", witness), "shape S"),
        (("deaths", "--trades", 1, *ONE_WORKER), "shape yardstick-1"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith(f"Error: memory for {what}: expected ")


def test_a_chart_that_cannot_be_drawn_does_not_lose_the_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("prover.bench.plot.draw", fail)
    chart = tmp_path / "chart.png"
    result = run("field", "--log-size", 8, "--repeat", 1, "--json", "--plot", chart)
    assert result.exit_code == 2
    assert json.loads(result.stdout.splitlines()[-1])["verified"] is True
    assert result.stderr == f"Error: {chart}: no space left on device\n"


@pytest.mark.parametrize("job", ["field", "msm", "tape", "yardstick"])
def test_kernels_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    monkeypatch.setattr("prover.kernel_choice.available", lambda: [Kernels.SCALAR])
    line = refused(job, "--kernels", "ifma")
    assert line == "Error: --kernels: expected scalar, got ifma"
    assert refused("start", "--kernels", "fma") == line.replace("ifma", "fma")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        *(
            (("yardstick", "--trades", given), f"with commas between them, got '{given}'")
            for given in ("8,0", "", "8;9", "8,-1", "524289")
        ),
        (("msm", "--bits", "254,7"), "expected some of 1,8,16,32,64,254, got '254,7'"),
        (("field", "--threads", "0"), "0 is not in the range x>=1"),
        (("soak", "--proofs", "9"), "9 is not in the range x>=10"),
        (("tape", "--repeat", "0"), "0 is not in the range x>=1"),
        (("field", "--kernels", "avx"), "'avx' is not one of"),
        (("yardstick", "--executor", "cloud"), "'cloud' is not "),
        (("msm", "--log-size", "25"), "25 is not in the range 8<=x<=24"),
        (("batch",), "Missing argument 'WITNESS'"),
    ],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(*arguments)


def test_a_wrong_environment_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLASMAPERPS_KERNELS", "abacus")
    assert refused("field") == (
        f"Error: PLASMAPERPS_KERNELS: expected {' or '.join(available())}, got abacus"
    )


def test_a_witness_that_is_not_there_or_none_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "batch.witness"
    assert refused("batch", path) == f"Error: {path}: no such file or directory"
    path.write_text("no witness")
    assert refused("batch", path).startswith(f"Error: {path}: ")


def test_a_chart_is_looked_at_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "absent" / "chart.png"
    line = f"Error: {path}: folder: expected an existing folder, got {path.parent}"
    assert refused("yardstick", "--plot", path) == line
    monkeypatch.setattr("os.access", lambda path, mode: False)
    wanted = "expected a file that can be written, got one that cannot"
    line = f"Error: {tmp_path / 'chart.png'}: chart: {wanted}"
    assert refused("yardstick", "--plot", tmp_path / "chart.png") == line
    monkeypatch.undo()
    monkeypatch.delitem(sys.modules, "prover.bench.plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    line = "Error: this command needs matplotlib: pip install 'plasmaperps[plot]'"
    assert refused("yardstick", "--plot", tmp_path / "chart.png") == line


def test_a_soak_shows_the_growth_and_fails_above_five_percent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(soak, "run_soak", lambda *arguments: Soak((100.0, 103.0)))
    result = run("soak", "--proofs", 10, "--trades", 1, "--json")
    assert last_object(result)["growth_percent"] == 3.0
    assert (
        "10 equal proofs of shape yardstick-1: 100.0 MiB after proof 1, "
        "103.0 MiB after the last, +3.0 %" in result.stdout
    )
    monkeypatch.setattr(soak, "run_soak", lambda *arguments: Soak((100.0, 106.0)))
    result = run("soak", "--proofs", 10, "--trades", 1)
    assert result.exit_code == 1
    assert result.stderr == ("Error: soak: expected memory to grow by at most 5 %, got 6.0 %\n")


@pytest.mark.slow
def test_a_soak_of_some_proofs_is_steady() -> None:
    found = last_object(run("soak", "--proofs", 20, "--trades", 1, "--json"))
    assert found["size"] == 20


def test_deaths_are_shown_and_fail_above_twice_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Deaths({Stage.COMMIT: Death(2.5, 3.0), Stage.OPENING: Death(2.0, 3.5)})
    monkeypatch.setattr(deaths, "measure_deaths", lambda *arguments: found)
    command = ("deaths", "--trades", 1, *ONE_WORKER)
    result = run(*command, "--json")
    document = last_object(result)
    assert (document["job"], document["workers"]) == ("deaths", 1)
    assert (document["size"], document["unit"]) == (1, "trade")
    assert document["undisturbed_seconds"] == {"commit": 2.5, "opening": 2.0}
    assert document["worst_ratio"] == 1.75
    assert document["seconds"] == {"commit": 3.0, "opening": 3.5}
    assert "  opening              2.000  3.500   1.75" in result.stdout.splitlines()
    found = Deaths({Stage.COMMIT: Death(1.0, 2.5)})
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: deaths: expected at most 2 times the undisturbed time, got 2.50 times\n"
    )
    line = refused("deaths", "--trades", 1)
    assert line == (
        "Error: --executor: expected process or ray, whose workers can be killed, got inline"
    )


def test_deaths_of_a_batch_count_its_commands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = Deaths({Stage.COMMIT: Death(2.5, 3.0)})
    monkeypatch.setattr(deaths, "measure_deaths", lambda *arguments: found)
    witness, commands = tmp_path / "batch.witness", rich_batch().statement.command_count
    witness_of(rich_batch()).save(witness)
    result = run("deaths", "--witness", witness, *ONE_WORKER, "--json")
    document = last_object(result)
    assert (document["size"], document["unit"]) == (commands, "command")
    assert f"{commands:,} commands, shape S: all proofs equal" in result.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.usefixtures("two_cores")
def test_workers_are_killed_and_the_proofs_are_equal() -> None:
    result = run("deaths", "--trades", 48, *TWO_WORKERS, "--json")
    # How long it takes is another question: other work on the machine may double it.
    assert result.exit_code in (0, 1), result.output
    document = json.loads(result.stdout.splitlines()[-1])
    assert list(document["seconds"]) == ["commit", "helpers", "sumcheck", "reduction", "opening"]


def test_both_starts_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, kernels = Start(61.5, 1.25, 90, 0), choose()
    monkeypatch.setattr(start, "measure_start", lambda: sound)
    result = run("start", "--json")
    assert last_object(result)["cold_seconds"] == 61.5
    assert result.stdout.splitlines()[:2] == [
        f"cold: 61.5 s, 90 functions compiled, {kernels} kernels (wanted: at most 90 s)",
        f"warm: 1.2 s, 0 functions compiled, {kernels} kernels (wanted: at most 5 s)",
    ]
    monkeypatch.setattr(start, "measure_start", lambda: replace(sound, warm_compiled=3))
    result = run("start")
    assert result.exit_code == 3
    assert result.stderr == (
        "Error: start: expected functions compiled the first time only, got 90, then 3\n"
    )
