import pytest

from tests.support.batches import break_every_constraint, rich_forgery

FIRST, CREATING, KNOWN = 0, 1, 2  # after a registration, of a new account, of an old one


def test_every_constraint_is_needed() -> None:
    break_every_constraint("deposit")


def test_a_row_is_fresh_where_the_account_was_absent() -> None:
    forgery = rich_forgery()
    assert [forgery.value("deposit", "fresh", row) for row in range(3)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("column", "row", "failing"),
    [
        ("step", KNOWN, {"bus queued", "bus header"}),
        ("account", KNOWN, {"bus queued", "bus header"}),
        ("amount.0", KNOWN, {"bus queued", "bus header"}),
        ("owner", KNOWN, {"bus queued"}),
        ("owner", CREATING, {"bus queued", "bus hash"}),
        ("inverse_identity", KNOWN, {"deposit/not fresh means an identity"}),
        ("inverse_identity", CREATING, {"deposit/not fresh means an identity"}),
        ("new_identity", KNOWN, {"deposit/identity kept unless fresh", "bus header"}),
        ("new_identity", CREATING, {"bus header", "bus hash"}),
        ("nonce", KNOWN, {"bus header"}),
        ("cash", KNOWN, {"bus header"}),
        ("gap", KNOWN, {"bus header"}),
    ],
)
def test_every_word_of_a_deposit_is_bound(column: str, row: int, failing: set[str]) -> None:
    forged = rich_forgery().with_added("deposit", column, row, 1).answered()
    assert forged.failing() == failing


def test_a_known_account_keeps_its_key() -> None:
    """As if fresh, the deposit would replace the identity by one without a key."""
    forged = rich_forgery().with_cell("deposit", "fresh", KNOWN, 1).answered()
    assert "deposit/fresh means no identity" in forged.failing()


def test_a_new_account_gets_its_identity() -> None:
    forged = rich_forgery().with_cell("deposit", "fresh", CREATING, 0).answered()
    assert "deposit/not fresh means an identity" in forged.failing()
