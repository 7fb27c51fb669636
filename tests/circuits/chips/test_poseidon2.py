import random

import pytest

from circuits.air.lint import lint
from circuits.chips.poseidon2 import SBOX_COUNT, Poseidon2Chip, fill, trace
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import permute
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, Harness, rows_of

INPUTS = ((0, 0, 0, 0), (0, 1, 2, 3), (R - 1, R - 1, R - 1, R - 1))


@pytest.fixture(scope="module")
def harness() -> Harness:
    demand = {(*words, permute(words)[0]): count for count, words in enumerate(INPUTS)}
    return Harness.honest((Poseidon2Chip(),), {"poseidon2": fill(demand)})


def test_hashes_are_offered(harness: Harness) -> None:
    assert harness.failures() == []
    assert lint(harness.system) == []
    assert harness.heights["poseidon2"] == len(INPUTS)


def test_every_constraint_is_needed(harness: Harness) -> None:
    chip = harness.system.chip("poseidon2")
    rows = rows_of(harness.tables["poseidon2"])[1:2]
    breaks = assert_every_constraint_breakable(chip, rows, NO_PUBLICS, R)
    assert len(breaks) == SBOX_COUNT


def test_the_trace_is_that_of_the_permutation(rng: random.Random) -> None:
    for _ in range(10):
        words = tuple(rng.randrange(R) for _ in range(4))
        sbox, outputs = trace(words)
        assert outputs == permute(words)
        assert len(sbox) == SBOX_COUNT
        assert all(0 <= cell < R for cell in sbox)


@pytest.mark.parametrize(
    ("column", "failing"),
    [
        ("sbox[87]", {"poseidon2/round 63 lane 3", "bus hash"}),
        ("count", {"bus hash"}),
    ],
)
def test_a_changed_cell_is_found(harness: Harness, column: str, failing: set[str]) -> None:
    assert harness.tampered("poseidon2", column, 1, 5).failing() == failing


def test_a_changed_input_breaks_the_first_round(harness: Harness) -> None:
    failing = harness.tampered("poseidon2", "inputs[2]", 1, 7).failing()
    assert {f"poseidon2/round 0 lane {lane}" for lane in range(4)} <= failing


def test_a_wrong_output_is_not_filled() -> None:
    output = permute((0, 1, 2, 3))[0]
    with pytest.raises(ConstraintError) as caught:
        fill({(0, 1, 2, 3, output + 1): 1})
    assert str(caught.value) == f"hash of (0, 1, 2, 3): expected {output}, got {output + 1}"


def test_no_demand_gives_empty_columns() -> None:
    columns = fill({})
    assert columns["inputs"] == [[]] * 4
    assert columns["sbox"] == [[]] * SBOX_COUNT
    assert columns["count"] == []
