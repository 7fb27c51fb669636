import pytest

from circuits.exchange.units import CASH_PER_UNIT
from tests.support.batches import break_every_constraint, rich_forgery


def test_every_constraint_is_needed() -> None:
    break_every_constraint("withdraw")


@pytest.mark.parametrize(
    ("column", "failing"),
    [
        ("step", {"bus authorized", "bus header"}),
        ("account", {"bus authorized", "bus header"}),
        ("nonce", {"bus authorized", "bus header"}),
        ("nonce_gap.0", {"bus header"}),
        ("owner", {"bus authorized", "bus published"}),
        ("identity", {"bus authorized", "bus header"}),
        ("cash", {"bus header"}),
        ("gap", {"bus header"}),
        (
            "amount_minus_one.0",
            {"bus authorized", "bus header", "bus published", "bus withdrawal_chain"},
        ),
        ("position", {"bus published", "bus withdrawal_chain"}),
        ("total", {"bus withdrawal_chain"}),
    ],
)
def test_every_word_of_a_withdrawal_is_bound(column: str, failing: set[str]) -> None:
    forged = rich_forgery().with_added("withdraw", column, 0, 1).answered()
    assert forged.failing() == failing


def test_cash_after_is_not_negative() -> None:
    forged = rich_forgery().with_cell("withdraw", "cash", 0, 250 * CASH_PER_UNIT - 1).answered()
    assert forged.failing() == {"bus header", "bus wide"}


def test_withdrawals_may_stand_in_any_row() -> None:
    """Rows are joined by buses, so their order in the table means nothing."""
    assert rich_forgery().with_swapped_rows("withdraw", 0, 2).answered().failures() == []
