from typing import Any

import pytest

from circuits.air.builder import Builder
from circuits.air.bus import Bus
from circuits.air.chip import Chip, CompiledChip, compile_chip
from circuits.air.columns import U16, Bit, Columns, Field, Given
from circuits.field import R
from tests.support.breaker import (
    Breaker,
    assert_every_constraint_breakable,
    assert_interactions_react,
    assert_ranges_enforced,
    failing_constraints,
)
from tests.support.harness import Harness

PAIR = Bus("pair", 99, 2)
# flag, amount, rest, product, inverse
ROW = (1, 3, 7, 37, pow(3, -1, R))


class ToyChip(Chip):
    """A product that counts only where the flag is set."""

    name = "toy"

    class Cols(Columns):
        flag: Bit
        amount: U16
        rest: Given[U16]
        product: Field
        inverse: Field

    def constrain(self, c: Any, b: Builder) -> None:
        b.assert_eq("product", c.product, c.flag * c.amount * 10 + c.rest)
        b.assert_eq("not zero", c.amount * c.inverse, 1)
        b.send(PAIR, c.product, c.flag, times=c.flag)


class RedundantChip(ToyChip):
    """The same with a constraint that follows from the others."""

    name = "redundant"

    def constrain(self, c: Any, b: Builder) -> None:
        super().constrain(c, b)
        b.assert_zero("implied", c.product * c.inverse * c.amount - c.product)


def compiled(chip: Chip) -> CompiledChip:
    return compile_chip(chip, 0, R)


def test_each_constraint_is_broken_alone_and_in_range() -> None:
    breaks = assert_every_constraint_breakable(compiled(ToyChip()), [ROW], (), R)
    assert set(breaks) == {"flag is a bit", "product", "not zero"}
    assert all(each.in_range for each in breaks.values())
    # A flag of 2 also breaks the product, which is repaired elsewhere.
    assert "flag" in breaks["flag is a bit"].changed
    assert len(breaks["flag is a bit"].changed) == 2


def test_a_redundant_constraint_is_reported_by_name() -> None:
    with pytest.raises(AssertionError, match=r"no row breaks only: \['redundant/implied'\]"):
        assert_every_constraint_breakable(compiled(RedundantChip()), [ROW], (), R)
    assert Breaker(compiled(RedundantChip()), (), R).find(ROW, "implied") is None


def test_a_row_by_hand_must_be_needed() -> None:
    by_hand = {"product": (1, 3, 7, 38, pow(3, -1, R))}
    with pytest.raises(AssertionError, match="broken without help"):
        assert_every_constraint_breakable(compiled(ToyChip()), [ROW], (), R, by_hand)


def test_an_invalid_row_is_refused() -> None:
    wrong = (1, 3, 7, 38, pow(3, -1, R))
    assert failing_constraints(compiled(ToyChip()), wrong, (), R) == ["product"]
    with pytest.raises(AssertionError, match="expected valid rows"):
        assert_every_constraint_breakable(compiled(ToyChip()), [wrong], (), R)


def test_rows_that_never_send_show_nothing() -> None:
    silent = (0, 3, 7, 7, pow(3, -1, R))
    with pytest.raises(AssertionError, match="does not react to"):
        assert_interactions_react(compiled(ToyChip()), [silent], (), R)


def test_ranged_columns_are_caught_beyond_their_range() -> None:
    assert_ranges_enforced(compiled(ToyChip()), ROW, (), R)


def test_the_harness_answers_tables_truly_and_keeps_channels() -> None:
    columns = {
        "flag": [1, 0], "amount": [3, 3], "rest": [7, 7], "product": [37, 7],
        "inverse": [pow(3, -1, R)] * 2,
    }  # fmt: skip
    harness = Harness.honest((ToyChip(),), {"toy": columns})
    assert harness.failures() == []
    assert harness.tampered("toy", "amount", 0, 4).failing() == {"toy/product", "toy/not zero"}
    assert harness.tampered("toy", "amount", 1, 1 << 16).failing() == {
        "toy/not zero",
        "bus range16",
    }
    assert harness.tampered("toy", "flag", 1, 1).failing() == {"toy/product", "bus pair"}
