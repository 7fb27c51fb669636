import pytest

from circuits.field import inverse
from tests.support import exchange
from tests.support.batches import (
    Forgery,
    batch_of,
    break_every_constraint,
    rich_batch,
    rich_forgery,
)


def test_every_constraint_is_needed() -> None:
    break_every_constraint("leaf")


def test_rows_are_the_touched_accounts_in_order() -> None:
    forgery, batch = rich_forgery(), rich_batch()
    assert forgery.cells["leaf"][0] == [0, 1, 2, 3]
    assert [forgery.value("leaf", "existed", row) for row in range(4)] == [1, 1, 0, 0]
    for row, account_id in enumerate((1, 2, 3, 4)):
        account = batch.state.accounts.get(account_id)
        assert account is not None
        assert forgery.value("leaf", "new_cash", row) == account.cash
        assert forgery.value("leaf", "new_nonce", row) == account.nonce
        assert forgery.value("leaf", "new_identity", row) == account.identity


@pytest.mark.parametrize(
    ("column", "row", "failing"),
    [
        ("previous", 1, {"bus leaf_chain", "bus header", "bus node", "bus published"}),
        ("gap.0", 1, {"bus leaf_chain", "bus header", "bus node", "bus published"}),
        ("position", 1, {"bus leaf_chain", "bus published"}),
        ("cash_sum", 1, {"bus leaf_chain"}),
        ("time_last", 0, {"bus header"}),
        ("old_identity", 0, {"bus header", "bus hash"}),
        ("old_nonce", 0, {"bus header", "bus hash"}),
        ("old_cash", 0, {"bus header", "bus hash", "bus leaf_chain"}),
        ("old_hash", 0, {"bus node", "bus hash"}),
        ("new_nonce", 0, {"bus header", "bus hash", "bus published"}),
        ("new_cash", 0, {"bus header", "bus hash", "bus published", "bus leaf_chain"}),
        ("new_hash", 0, {"bus node", "bus hash"}),
    ],
)
def test_every_word_of_a_leaf_is_bound(column: str, row: int, failing: set[str]) -> None:
    assert rich_forgery().with_added("leaf", column, row, 1).answered().failing() == failing


def test_an_existing_account_cannot_pass_as_absent() -> None:
    forged = rich_forgery().with_cell("leaf", "existed", 0, 0).answered()
    assert forged.failing() == {
        f"leaf/{name} of an absent account" for name in ("old_identity", "old_cash", "old_hash")
    }


def test_an_absent_account_cannot_pass_as_existing() -> None:
    forged = rich_forgery().with_cell("leaf", "existed", 2, 1).answered()
    assert forged.failing() == {"bus hash"}


def test_an_account_cannot_end_without_identity() -> None:
    forged = rich_forgery().with_cell("leaf", "new_identity", 0, 0).answered()
    assert "leaf/the account exists at the end" in forged.failing()
    forged = rich_forgery().with_cell("leaf", "inverse_identity", 0, inverse(7))
    assert forged.failing() == {"leaf/the account exists at the end"}


def test_cash_beyond_its_bounds_has_no_leaf() -> None:
    """A balance of 2^111 packs into 113 bits, which the table of narrow numbers does not hold."""
    forged = rich_forgery().with_cell("leaf", "new_cash", 0, 2**111).answered()
    assert {"bus wide"} <= forged.failing()
    lowest = rich_forgery().with_cell("leaf", "new_cash", 0, -(2**111)).answered()
    assert "bus wide" not in lowest.failing()


def test_a_batch_without_accounts_has_no_rows_and_an_unchanged_root() -> None:
    batch = batch_of(exchange.register(1, exchange.OFF_CURVE))
    forgery = Forgery.honest(batch)
    assert forgery.height("leaf") == 0
    assert forgery.height("tree") == 1
    assert batch.statement.old_root == batch.statement.new_root
    assert forgery.failing() == set()
    assert forgery.with_public("new_root", 5).answered().failing() == {"bus node", "bus hash"}
