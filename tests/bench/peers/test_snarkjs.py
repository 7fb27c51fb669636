"""What is written for snarkjs and read from it; the program itself is not needed."""

import pytest

from bench.peers import snarkjs, tools
from circuits.cli_support import CommandFailed, ExitCode


def test_the_main_component_has_the_number_of_trades():
    text = snarkjs.main_component(11)
    assert text.endswith('include "yardstick.circom";\n\ncomponent main = Yardstick(11);\n')


def test_memory_grows_with_the_domain():
    # Measured at 2^17 rows: 643 MiB.
    assert 643 < snarkjs.needed_mib(17) < 2 * 643
    assert snarkjs.needed_mib(16) < snarkjs.needed_mib(17)


@pytest.fixture
def program(tmp_path):
    return snarkjs.Program(tmp_path, 11, 124_762, 17)


def answering(monkeypatch, refused: set[str], reason: str = "Invalid proof") -> None:
    """Let `snarkjs verify` refuse these files of public words."""

    def run(arguments, folder):
        if "verify" in arguments and refused & set(map(str, arguments)):
            raise CommandFailed(f"node: expected exit status 0, got 1: {reason}", ExitCode.USAGE)
        return tools.Finished("", 1.0, 1.0)

    monkeypatch.setattr(snarkjs, "run", run)


def test_a_proof_counts_when_it_holds_for_its_word_alone(monkeypatch, program):
    answering(monkeypatch, {"wrong.json"})
    found = program.prove("groth16", 0)
    assert (found.trades, found.rows, found.log_size) == (11, 124_762, 17)
    assert (found.proof_bytes, found.verified) == (256, True)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"public.json", "wrong.json"}, "public.json: expected acceptance, got refusal"),
        (set(), "wrong.json: expected refusal, got acceptance"),
    ],
)
def test_a_refused_proof_or_one_for_two_words_ends_the_run(monkeypatch, program, refused, message):
    answering(monkeypatch, refused)
    with pytest.raises(CommandFailed) as caught:
        program.prove("groth16", 0)
    assert caught.value.message == f"snarkjs, 11 trades, {message}"
    assert caught.value.exit_code == ExitCode.VERIFICATION_FAILED


def test_another_failure_of_the_verifier_is_not_taken_for_a_refusal(monkeypatch, program):
    answering(monkeypatch, {"wrong.json"}, "out of memory")
    with pytest.raises(CommandFailed) as caught:
        program.prove("groth16", 0)
    assert caught.value.message == "node: expected exit status 0, got 1: out of memory"


def test_a_program_is_held_on_the_cores_it_may_use(monkeypatch):
    monkeypatch.setattr(tools.sys, "platform", "linux")
    monkeypatch.setattr(tools.os, "sched_getaffinity", lambda _: {2, 3, 5}, raising=False)
    monkeypatch.setattr(tools.shutil, "which", lambda _: "taskset")
    assert tools.pinned(["a"], 0) == tools.pinned(["a"], 3) == ["a"]
    assert tools.pinned(["a", "b"], 2) == ["taskset", "--cpu-list", "2,3", "a", "b"]
    monkeypatch.setattr(tools.shutil, "which", lambda _: None)
    with pytest.raises(CommandFailed) as caught:
        tools.pinned(["a"], 1)
    expected = "taskset: expected a program to choose cores with, got none: take all cores"
    assert caught.value.message == expected
