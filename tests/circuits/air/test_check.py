"""The debugger: silent on a good witness, and exact about every spot of a bad one."""

from __future__ import annotations

import pytest

from circuits.air.check import BusImbalance, ConstraintFailure, check, check_chip, evaluate
from circuits.air.expr import ACTIVE, ROW, challenge, column, constant, public
from circuits.field import R
from tests.support.counter_chips import HEIGHTS, PUBLICS, counter_system, counter_tables


def reports(tables: dict[str, list[list[int]]], publics: tuple[int, ...] = PUBLICS) -> list[str]:
    return [str(each) for each in check(counter_system(), tables, HEIGHTS, publics)]


def imbalance(bus: str, values: str, total: int, *, sent: str = "", received: str = "") -> str:
    """The report of a tuple that does not cancel."""
    sides = [f"['{side}']" if side else "nobody" for side in (sent, received)]
    return (
        f"bus {bus} {values}: expected balance 0, got {total}; "
        f"sent by {sides[0]}; received by {sides[1]}"
    )


def test_a_good_witness_has_no_failures() -> None:
    assert reports(counter_tables()) == []


def test_a_failing_constraint_names_its_row_its_value_and_its_cells() -> None:
    """Given a flagged step that is even, the cells are those that the constraint reads."""
    tables = counter_tables()
    tables["counter"][0][0] = 1
    tables["digits"][0][2] = 0
    assert reports(tables) == [
        f"counter/step is odd: row 0: expected 0, got {R - 1} (flag=1, step=2)"
    ]


def test_every_failing_row_and_constraint_is_listed() -> None:
    tables = counter_tables()
    tables["counter"][0][1] = 2
    tables["counter"][3] = [12, 15, 17]
    found = check_chip(counter_system().chip("counter"), tables["counter"], PUBLICS, R)
    assert found == [
        ConstraintFailure("counter", "flag is a bit", 1, 2, (("flag", 2),)),
        ConstraintFailure("counter", "after", 2, 1, (("step", 1), ("before", 15), ("after", 17))),
    ]


@pytest.mark.parametrize(
    ("count", "more"), [(5, ""), (6, " and 1 more"), (2_005, " and 2,000 more")]
)
def test_of_many_places_five_are_shown_on_each_side(count: int, more: str) -> None:
    sent, received = (tuple(("digits", row, sign) for row in range(count)) for sign in (1, -1))
    five = str([f"digits row {row} x1" for row in range(5)])
    assert str(BusImbalance("total", (1, 12), 0, sent + received)) == (
        "bus total (1, 12): expected balance 0, got 0; "
        f"sent by {five}{more}; received by {five}{more}"
    )


def test_an_unbalanced_tuple_names_its_side() -> None:
    """Given a second row that takes 13 and passes 16 on, where 12 and 15 were meant."""
    tables = counter_tables()
    tables["counter"][2][1], tables["counter"][3][1] = 13, 16
    assert sorted(reports(tables)) == [
        imbalance("total", "(1, 12)", 1, sent="counter row 0 x1"),
        imbalance("total", "(1, 13)", -1, received="counter row 1 x1"),
        imbalance("total", "(2, 15)", -1, received="counter row 2 x1"),
        imbalance("total", "(2, 16)", 1, sent="counter row 1 x1"),
    ]


def test_a_wrong_count_of_a_table_is_an_imbalance() -> None:
    tables = counter_tables()
    tables["digits"][0] = [0, 1, 3, R - 2]
    assert reports(tables) == [
        imbalance("small", "(2,)", -2, sent="counter row 0 x1", received="digits row 2 x3"),
        imbalance("small", "(3,)", 2, sent="digits row 3 x2"),
    ]


def test_a_look_up_without_an_answer_is_an_imbalance() -> None:
    tables = counter_tables()
    tables["digits"][0] = [0, 1, 0, 0]
    assert check(counter_system(), tables, HEIGHTS, PUBLICS) == [
        BusImbalance("small", (2,), 1, (("counter", 0, 1),))
    ]


def test_public_words_take_part() -> None:
    assert reports(counter_tables(), (10, 17)) == [
        imbalance("total", "(3, 16)", 1, sent="counter row 2 x1"),
        imbalance("total", "(3, 17)", -1, received="ends row 0 x1"),
    ]


def test_a_chip_without_rows_has_no_failures() -> None:
    system = counter_system()
    tables = {"counter": [[]] * 4, "digits": [[0]], "ends": [[0]]}
    heights = {"counter": 0, "digits": 1, "ends": 1}
    assert check(system, tables, heights, (10, 10)) == []
    assert [str(each) for each in check(system, tables, heights, (10, 11))] == [
        imbalance("total", "(0, 10)", 1, sent="ends row 0 x1"),
        imbalance("total", "(0, 11)", -1, received="ends row 0 x1"),
    ]


def test_evaluate_gives_a_value_for_every_active_row() -> None:
    exprs = [column(0) * ROW, public(1) + ACTIVE, constant(-1), column(1) - column(0)]
    assert evaluate(exprs, [[5, 6, 7], [1, 2, 3]], [0, 8], 97, 3) == [
        [0, 6, 14], [9, 9, 9], [96, 96, 96], [93, 93, 93],
    ]  # fmt: skip


def test_evaluate_refuses_challenges() -> None:
    with pytest.raises(ValueError, match=r"^evaluate: expected an expression without challenges$"):
        evaluate([challenge(0)], [[1]], [], 97, 1)
