import re

import numpy as np
import pytest

from circuits.air.builder import RANGE16
from circuits.air.check import check
from circuits.air.chip import compile_chip, compile_system
from circuits.air.lint import lint_buses, lint_chip
from circuits.chips.range16 import HEIGHT, Range16Chip, fill
from circuits.errors import ConstraintError
from circuits.field import R
from tests.support.breaker import assert_every_constraint_breakable
from tests.support.harness import NO_PUBLICS, cells_of, driver, driver_name

READER = driver_name(RANGE16, 1)
SYSTEM = compile_system((Range16Chip(), driver(RANGE16, 1)), (), "range16", (), R)


def failures(counts: np.ndarray, looked_up: list[int]) -> list[str]:
    tables = {"range16": cells_of(Range16Chip(), fill(counts)), READER: [looked_up]}
    heights = {"range16": HEIGHT, READER: len(looked_up)}
    return [str(each) for each in check(SYSTEM, tables, heights, ())]


def imbalance(value: int, total: int, sent_by: str, received_by: str) -> str:
    return (
        f"bus range16 ({value},): expected balance 0, got {total}; "
        f"sent by {sent_by}; received by {received_by}"
    )


def test_every_16_bit_value_is_offered_as_often_as_counted() -> None:
    looked_up = [0, 7, 7, HEIGHT - 1]
    counts = np.bincount(looked_up, minlength=HEIGHT)
    assert failures(counts, looked_up) == []


def test_a_value_beyond_the_table_and_a_forged_count_are_found() -> None:
    counts = np.bincount([3, 3, 4], minlength=HEIGHT)
    assert failures(counts, [3, HEIGHT, R - 1]) == [
        imbalance(3, -1, f"['{READER} row 0 x1']", "['range16 row 3 x2']"),
        imbalance(4, -1, "nobody", "['range16 row 4 x1']"),
        imbalance(HEIGHT, 1, f"['{READER} row 1 x1']", "nobody"),
        imbalance(R - 1, 1, f"['{READER} row 2 x1']", "nobody"),
    ]


def test_the_chip_is_clean_and_its_helper_is_bound() -> None:
    assert lint_chip(SYSTEM.chip("range16")) == lint_buses(SYSTEM) == []
    chip = compile_chip(Range16Chip(), len(NO_PUBLICS), R)
    assert assert_every_constraint_breakable(chip, [[5]], NO_PUBLICS, R) == {}


def test_counts_of_another_shape_are_refused() -> None:
    message = "range16 counts: expected shape (65536,), got (65535,)"
    with pytest.raises(ConstraintError, match=re.escape(message)):
        fill(np.zeros(HEIGHT - 1, dtype=np.uint32))
