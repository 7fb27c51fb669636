import pytest

from circuits.field import R
from tests.support.batches import break_every_constraint, rich_batch, rich_forgery

APPLIED_DEPOSIT = 1  # row of the first deposit


def test_every_constraint_is_needed() -> None:
    break_every_constraint("queue")


def test_rows_are_the_consumed_entries_with_their_published_words() -> None:
    forgery, published = rich_forgery(), rich_batch().published
    words = forgery.cells["pubdata"][0]
    assert forgery.height("queue") == len(published.requests) == 7
    for row, request in enumerate(published.requests):
        position = forgery.value("queue", "position", row)
        assert position == 4 * row
        assert tuple(words[position : position + 4]) == request.words
    assert [forgery.value("queue", "outcome", row) for row in range(7)] == [0, 0, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("column", "failing"),
    [
        ("step", {"bus clock", "bus queued"}),
        ("time_previous", {"bus clock"}),
        ("elapsed.0", {"bus clock"}),
        ("position", {"bus clock", "bus published"}),
        ("kind", {"bus queued", "bus published"}),
        ("account.0", {"bus queued", "bus published"}),
        ("amount", {"bus queued", "bus published"}),
        ("owner_low", {"bus queued", "bus published"}),
        ("owner_high.0", {"bus queued", "bus published"}),
        ("key[0]", {"bus queued", "bus published"}),
        ("key[1]", {"bus queued", "bus published"}),
        ("outcome", {"bus queued", "bus published"}),
    ],
)
def test_every_word_of_an_entry_is_bound(column: str, failing: set[str]) -> None:
    forged = rich_forgery().with_added("queue", column, APPLIED_DEPOSIT, 1).answered()
    assert forged.failing() == failing


def test_a_deposit_cannot_pass_as_a_registration_of_a_wide_account() -> None:
    """Both read as the same head word; the account of the second one would have too many bits."""
    forgery = rich_forgery()
    account = forgery.value("queue", "account.0", APPLIED_DEPOSIT)
    amount = forgery.value("queue", "amount", APPLIED_DEPOSIT)
    head = 1 + account * 2**8 + amount * 2**32
    forged = (
        forgery.with_cell("queue", "kind", APPLIED_DEPOSIT, 2)
        .with_cell("queue", "amount", APPLIED_DEPOSIT, 0)
        .with_cell("queue", "account.0", APPLIED_DEPOSIT, (head - 2) * pow(2**8, -1, R))
    )
    assert forged.answered().failing() == {"bus range16", "bus queued"}


def test_an_outcome_cannot_hide_in_the_owner() -> None:
    """Owner + 2^160 with outcome 0 reads as owner with outcome 1, but has a part too wide."""
    forged = (
        rich_forgery()
        .with_cell("queue", "outcome", 3, 0)
        .with_cell("queue", "owner_high.1", 3, 2**16)
    )
    assert forged.answered().failing() == {"bus range16", "bus queued"}
    low = (
        rich_forgery()
        .with_cell("queue", "outcome", 3, 0)
        .with_added("queue", "owner_low", 3, 2**160)
    )
    assert low.answered().failing() == {"bus wide", "bus queued"}
