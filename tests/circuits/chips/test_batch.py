import pytest

from tests.support.batches import break_every_constraint, rich_forgery


def test_every_constraint_is_needed() -> None:
    break_every_constraint("batch")


@pytest.mark.parametrize(
    ("word", "failing"),
    [
        ("domain", {"bus hash"}),
        ("old_root", {"bus node"}),
        ("new_root", {"bus node", "bus hash"}),
        ("root_accounts", {"bus hash"}),
        ("root_markets", {"bus hash"}),
        ("root_books", {"bus hash"}),
        ("root_system", {"bus hash"}),
        ("time_first_ms", {"bus clock"}),
        ("time_last_ms", {"bus clock"}),
        ("command_count", {"bus clock"}),
        ("queue_count", {"bus clock", "bus withdrawal_chain", "bus leaf_chain"}),
        ("withdrawal_count", {"bus withdrawal_chain", "bus leaf_chain"}),
        ("account_count", {"bus leaf_chain"}),
        ("deposit_total", {"bus leaf_chain"}),
        ("withdrawal_total", {"bus withdrawal_chain", "bus leaf_chain"}),
    ],
)
def test_every_word_that_the_chips_speak_of_is_bound(word: str, failing: set[str]) -> None:
    forgery = rich_forgery()
    for value in (forgery.public(word) + 1, forgery.public(word) - 1, 0):
        forged = forgery.with_public(word, value).answered()
        assert forged.failing() == failing


@pytest.mark.parametrize(
    "word",
    ["batch_number", "sequencer_epoch", "queue_cursor_before", "queue_hash", "journal_head"],
)
def test_the_contract_alone_vouches_for_the_others(word: str) -> None:
    forgery = rich_forgery()
    assert forgery.with_public(word, forgery.public(word) + 1).failures() == []


def test_the_last_account_is_that_of_the_last_leaf() -> None:
    assert rich_forgery().cells["batch"] == [[4], [0]]
    forged = rich_forgery().with_added("batch", "last_account.0", 0, 1).answered()
    assert forged.failing() == {"bus leaf_chain"}


def test_none_and_two_rows_do_not_balance() -> None:
    """The verifier fixes the height of this chip at one; both others would fail anyhow."""
    buses = {"bus clock", "bus withdrawal_chain", "bus leaf_chain", "bus node"}
    assert rich_forgery().without_row("batch", 0).answered().failing() == buses
    assert rich_forgery().with_repeated_row("batch", 0).answered().failing() == buses
