from collections.abc import Mapping

import pytest

from circuits.edwards import BASE8, times_cofactor
from circuits.field import R, inverse
from tests.support import exchange
from tests.support.batches import (
    Forgery,
    break_every_constraint,
    column_number,
    rich_forgery,
    rows_of_chip,
)

GOOD, OFF_CURVE, GOOD_OLD, SMALL_ORDER = 0, 1, 2, 3


def with_cells(forgery: Forgery, row: int, values: Mapping[str, int]) -> Forgery:
    for column, value in values.items():
        forgery = forgery.with_cell("register", column, row, value)
    return forgery


def half_on_curve_row() -> list[int]:
    """A good key refused: with a share t of it, the base point turns into one with x = 0.

    Base + t (key - base) has x = 0 for one t, and doubles like a point of small order. Only t
    being a bit stops it.
    """
    row = rows_of_chip("register")[GOOD]
    key = exchange.public_key_of(3)
    share = BASE8[0] * inverse(BASE8[0] - key[0]) % R
    y = (BASE8[1] + share * (key[1] - BASE8[1])) % R
    values = {"on_curve": share, "valid": 0}
    values |= {"inverse_residual": inverse(share), "inverse_x": inverse(share)}
    for name in ("twice", "four_times", "eight_times"):
        y = y * y * inverse(2 - y * y) % R
        values |= {f"{name}[0]": 0, f"{name}[1]": y}
    for name, value in values.items():
        row[column_number("register", name)] = value
    return row


def test_every_constraint_is_needed() -> None:
    break_every_constraint("register", {"on_curve is a bit": half_on_curve_row()})


def test_rows_decide_as_the_rules_do() -> None:
    forgery = rich_forgery()
    assert [forgery.value("register", "on_curve", row) for row in range(4)] == [1, 0, 1, 1]
    assert [forgery.value("register", "valid", row) for row in range(4)] == [1, 0, 1, 0]
    for row, account in ((GOOD, 3), (GOOD_OLD, 4)):
        key = times_cofactor(exchange.public_key_of(account))
        got = tuple(forgery.value("register", f"eight_times[{lane}]", row) for lane in range(2))
        assert got == key == exchange.account_key_of(account)


@pytest.mark.parametrize(
    ("column", "row", "failing"),
    [
        ("step", GOOD, {"bus queued", "bus header"}),
        ("account", GOOD, {"bus queued", "bus header"}),
        ("account", OFF_CURVE, {"bus queued"}),
        ("owner", GOOD, {"bus queued", "bus hash"}),
        ("inverse_residual", GOOD, {"register/off the curve means a residual"}),
        ("inverse_residual", OFF_CURVE, {"register/off the curve means a residual"}),
        ("inverse_x", GOOD, {"register/no small order means another point"}),
        ("old_identity", GOOD_OLD, {"bus header"}),
        ("new_identity", GOOD_OLD, {"bus header", "bus hash"}),
        ("nonce", GOOD_OLD, {"bus header"}),
        ("cash", GOOD_OLD, {"bus header"}),
        ("gap", GOOD_OLD, {"bus header"}),
    ],
)
def test_every_word_of_a_registration_is_bound(column: str, row: int, failing: set[str]) -> None:
    forged = rich_forgery().with_added("register", column, row, 1).answered()
    assert forged.failing() == failing


def test_a_key_off_the_curve_cannot_be_called_valid() -> None:
    x = rich_forgery().value("register", "eight_times[0]", OFF_CURVE)
    forged = with_cells(rich_forgery(), OFF_CURVE, {"valid": 1, "inverse_x": inverse(x - 1)})
    assert "register/small order means the identity" in forged.answered().failing()


def test_a_key_off_the_curve_cannot_be_called_on_it() -> None:
    forged = with_cells(rich_forgery(), OFF_CURVE, {"on_curve": 1})
    assert "register/on the curve means no residual" in forged.answered().failing()


def test_a_key_of_small_order_cannot_be_called_valid() -> None:
    forged = with_cells(rich_forgery(), SMALL_ORDER, {"valid": 1})
    assert "register/no small order means another point" in forged.answered().failing()


def test_a_good_key_cannot_be_called_one_of_small_order() -> None:
    x = rich_forgery().value("register", "eight_times[0]", GOOD)
    forged = with_cells(rich_forgery(), GOOD, {"valid": 0, "inverse_x": inverse(x + 1)})
    assert "register/small order means the identity" in forged.answered().failing()


def test_a_good_key_cannot_be_called_off_the_curve() -> None:
    """The base point is doubled then; everything adapts but the missing residual."""
    values = {"on_curve": 0, "valid": 0}
    for name in ("twice", "four_times", "eight_times"):
        for lane in range(2):
            values[f"{name}[{lane}]"] = rich_forgery().value(
                "register", f"{name}[{lane}]", OFF_CURVE
            )
    values["inverse_x"] = inverse(values["eight_times[0]"])
    forged = with_cells(rich_forgery(), GOOD, values).answered()
    assert {each for each in forged.failing() if each.startswith("register")} == {
        "register/off the curve means a residual"
    }
