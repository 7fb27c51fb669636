import random
import re
from collections import Counter

import pytest

from circuits.air.lint import lint
from circuits.chips.bits import LIMBS, WideChip, fill
from circuits.errors import ConstraintError
from circuits.field import R
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, Harness, rows_of


def harness_of(demand: Counter[tuple[int, int]]) -> Harness:
    return Harness.honest((WideChip(),), {"wide": fill(demand)})


@pytest.fixture(scope="module")
def harness() -> Harness:
    return harness_of(Counter({(0, (1 << 128) - 1): 2, (1, (1 << 112) - 1): 1, (0, 5): 3}))


def test_numbers_up_to_the_bounds_are_offered(harness: Harness) -> None:
    assert harness.failures() == []
    assert lint(harness.system) == []


def test_random_numbers_are_offered(rng: random.Random) -> None:
    wide = Counter((0, rng.getrandbits(128)) for _ in range(20))
    narrow = Counter((1, rng.getrandbits(112)) for _ in range(20))
    assert harness_of(wide + narrow).failures() == []


def test_every_constraint_is_needed(harness: Harness) -> None:
    chip = harness.system.chip("wide")
    rows = rows_of(harness.tables["wide"])
    assert_every_constraint_breakable(chip, rows, NO_PUBLICS, R)


def test_a_narrow_number_has_no_highest_limb(harness: Harness) -> None:
    tampered = harness.tampered("wide", "limbs[7]", 1, 1)
    assert tampered.failing() == {"wide/narrow has no highest limb", "bus wide"}


@pytest.mark.parametrize("limb", range(LIMBS))
@pytest.mark.parametrize("value", [1 << 16, R - 1])
def test_a_limb_beyond_16_bits_is_found(harness: Harness, limb: int, value: int) -> None:
    assert harness.tampered("wide", f"limbs[{limb}]", 0, value).failing() == {
        "bus range16",
        "bus wide",
    }


def test_a_false_count_is_found(harness: Harness) -> None:
    assert harness.tampered("wide", "count", 2, 4).failing() == {"bus wide"}


@pytest.mark.parametrize(
    ("narrow", "value", "bits"), [(0, 1 << 128, 128), (1, 1 << 112, 112), (0, -1, 128)]
)
def test_a_number_out_of_range_has_no_row(narrow: int, value: int, bits: int) -> None:
    message = f"wide look-up: expected a number below 2^{bits}, got {value}"
    with pytest.raises(ConstraintError, match=re.escape(message)):
        fill({(narrow, value): 1})
