import pytest

from circuits.exchange.units import CASH_PER_UNIT
from tests.support.batches import break_every_constraint, rich_forgery


def test_every_constraint_is_needed() -> None:
    break_every_constraint("transfer")


@pytest.mark.parametrize(
    ("column", "failing"),
    [
        ("step", {"bus authorized", "bus header"}),
        ("account", {"bus authorized", "bus header"}),
        ("nonce", {"bus authorized", "bus header"}),
        ("nonce_gap.0", {"bus header"}),
        ("owner", {"bus authorized"}),
        ("identity", {"bus authorized", "bus header"}),
        ("cash", {"bus header"}),
        ("gap", {"bus header"}),
        ("amount_minus_one.0", {"bus authorized", "bus header"}),
        ("to", {"bus authorized", "bus header"}),
        ("to_nonce", {"bus header"}),
        ("to_cash", {"bus header"}),
        ("to_gap", {"bus header"}),
        ("to_inverse", {"transfer/the recipient exists"}),
        ("to_identity", {"transfer/the recipient exists", "bus header"}),
    ],
)
def test_every_word_of_a_transfer_is_bound(column: str, failing: set[str]) -> None:
    forged = rich_forgery().with_added("transfer", column, 0, 1).answered()
    assert forged.failing() == failing


def test_a_transfer_has_no_recipient_without_identity() -> None:
    forged = rich_forgery().with_cell("transfer", "to_identity", 0, 0).answered()
    assert forged.failing() == {"transfer/the recipient exists", "bus header"}


def test_cash_after_is_not_negative() -> None:
    """A cash cell below the amount leaves a negative rest, which no narrow number is."""
    amount = 100 * CASH_PER_UNIT
    forged = rich_forgery().with_cell("transfer", "cash", 0, amount - 1).answered()
    assert forged.failing() == {"bus header", "bus wide"}
    exact = rich_forgery().with_cell("transfer", "cash", 0, amount).answered()
    assert exact.failing() == {"bus header"}
