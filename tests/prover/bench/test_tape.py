"""The interpreter on the largest chip: measured, and compared with plain integers."""

import pytest

from circuits.chips.system import margin_system
from prover.bench import tape
from prover.bench.tape import biggest_chip, measure_tape


def test_a_round_is_measured_and_right() -> None:
    found = measure_tape(4, 2)
    chip = biggest_chip()
    assert found.verified
    assert (found.name, found.unit, len(found.runs)) == (chip.name, "operation", 2)
    assert found.units == chip.tape.operations * 8


def test_the_chip_is_the_one_with_most_operations() -> None:
    others = [chip.tape.operations for chip in margin_system().chips]
    assert biggest_chip().tape.operations == max(others)


def test_a_wrong_interpreter_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "add_up", lambda jobs: [0] * 40)
    assert not measure_tape(4, 1).verified
