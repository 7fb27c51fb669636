"""Published words: exact layout, strict reading, and the account region from them alone."""

from __future__ import annotations

from itertools import pairwise

import pytest

from circuits.exchange.apply import Body, Command, apply_batch
from circuits.exchange.commit import build_tree
from circuits.exchange.errors import PubdataError
from circuits.exchange.pubdata import (
    Published,
    parse_pubdata,
    publish,
    rebuild_accounts,
    rebuild_tree,
)
from circuits.exchange.state import State
from circuits.field import R
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    Events,
    deposit,
    owner_of,
    public_key_of,
    register,
    transfer,
    withdraw,
)

UNIT = 10**12
BATCHES: list[list[Body]] = [
    [register(1), deposit(1, 50), register(2, OFF_CURVE), deposit(3, 8)],
    [register(9, OFF_CURVE), register(1, OFF_CURVE)],
    [transfer(1, 4, 3, 10), register(3), withdraw(1, 5, 15), withdraw(3, 1, 18), deposit(2, 1)],
]


def published_batches() -> tuple[list[Published], State]:
    state, published = State(DOMAIN), []
    for bodies in BATCHES:
        observer = Events()
        state = apply_batch(state, [Command(1, body) for body in bodies], observer)
        published.append(publish(observer.events, state))
    return published, state


def counts(published: Published) -> tuple[int, int, int]:
    return len(published.requests), len(published.withdrawals), len(published.accounts)


def test_words_of_a_batch() -> None:
    published, state = published_batches()
    account = [state.accounts.get(number) for number in range(4)]
    key_x, key_y = public_key_of(3)
    assert published[2].words == (
        *(2 + (3 << 8), owner_of(3), key_x, key_y),
        *(1 + (2 << 8) + (1 << 32), owner_of(2), 0, 0),
        owner_of(1) + (15 << 160),
        owner_of(3) + (18 << 160),
        *(1 + (5 << 24), 25 * UNIT + 2**111, account[1].identity),
        *(2, 1 * UNIT + 2**111, account[2].identity),
        *(3 + (1 << 24), 2**111, account[3].identity),
    )
    assert (published[2].deposit_total, published[2].withdrawal_total) == (1, 33)


def test_a_refused_key_publishes_its_outcome_and_no_account() -> None:
    published, _ = published_batches()
    assert published[1].words == (
        *(2 + (9 << 8), owner_of(9) + (1 << 160), *OFF_CURVE),
        *(2 + (1 << 8), owner_of(1) + (1 << 160), *OFF_CURVE),
    )
    assert [account.account_id for account in published[0].accounts] == [1, 3]


def test_reading_is_the_inverse_of_writing() -> None:
    for published in published_batches()[0]:
        assert parse_pubdata(published.words, *counts(published)) == published


def test_the_account_region_follows_from_the_words_alone() -> None:
    published, state = published_batches()
    read = [parse_pubdata(batch.words, *counts(batch)) for batch in published]
    accounts = rebuild_accounts(read)
    assert sorted(accounts) == list(state.accounts)
    assert rebuild_tree(accounts.values()).region_roots() == build_tree(state).region_roots()


def test_rebuilding_without_one_batch_gives_another_root() -> None:
    published, state = published_batches()
    accounts = rebuild_accounts(published[:-1])
    assert rebuild_tree(accounts.values()).root != build_tree(state).root


def test_batches_chain() -> None:
    published, _ = published_batches()
    for earlier, later in pairwise(published):
        assert rebuild_accounts([earlier, later]) == rebuild_accounts([later]) | {
            number: account
            for number, account in rebuild_accounts([earlier]).items()
            if number not in rebuild_accounts([later])
        }


# Two requests, one withdrawal and two accounts, in good order.
GOOD = (
    *(1 + (1 << 8) + (5 << 32), 7, 0, 0),
    *(2 + (2 << 8), 8 + (1 << 160), 3, 5),
    7 + (1 << 160),
    *(1 + (4 << 24), 2**111, 99),
    *(2 + (4 << 24), 2**111, 99),
)


def test_the_words_that_the_next_test_damages_are_good() -> None:
    assert parse_pubdata(GOOD, 2, 1, 2).words == GOOD


BAD = [
    (0, 0, "word 0: expected the kind of a queued request, got 0"),
    (0, 3 + (1 << 8), "word 0: expected the kind of a queued request, got 3"),
    (0, 1 + (5 << 32), "word 0: expected an account in 1..16777215, got 0"),
    (0, 1 + (1 << 8), "word 0: expected an amount in a deposit and nowhere else, got 0"),
    (0, 1 << 96, f"word 0: expected a word of 96 bits, got {1 << 96:#x}"),
    (1, 7 + (1 << 160), "word 1: expected an outcome of this kind, got 1"),
    (1, 1 << 168, f"word 1: expected a word of 168 bits, got {1 << 168:#x}"),
    (2, 1, "word 2: expected no key in a deposit, got (1, 0)"),
    (
        4,
        2 + (1 << 8) + (1 << 32),
        "word 4: expected an amount in a deposit and nowhere else, got 1",
    ),
    (5, 8 + (2 << 160), "word 5: expected an outcome of this kind, got 2"),
    (8, 1 << 224, f"word 8: expected a word of 224 bits, got {1 << 224:#x}"),
    (9, 4 << 24, "word 9: expected an account in 1..16777215, got 0"),
    (9, 1 << 72, f"word 9: expected a word of 72 bits, got {1 << 72:#x}"),
    (10, 1 << 112, f"word 10: expected a word of 112 bits, got {1 << 112:#x}"),
    (11, R, f"word 11: expected a field element below r, got {R}"),
    (12, 1, "word 12: expected an account above 1, got 1"),
    (3, -1, "word 3: expected a field element below r, got -1"),
]


@pytest.mark.parametrize(("position", "word", "message"), BAD)
def test_words_that_no_batch_publishes(position: int, word: int, message: str) -> None:
    words = [*GOOD[:position], word, *GOOD[position + 1 :]]
    with pytest.raises(PubdataError) as caught:
        parse_pubdata(words, 2, 1, 2)
    assert str(caught.value) == message


@pytest.mark.parametrize("wrong", [(2, 1, 1), (2, 2, 2), (1, 1, 2), (-1, 13, 2)])
def test_counts_that_do_not_fit(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(PubdataError, match=r"^published words: expected \d+ words, got 15 words$"):
        parse_pubdata(GOOD, *wrong)


def test_events_of_another_state_are_refused() -> None:
    observer = Events()
    apply_batch(State(DOMAIN), [Command(1, deposit(1, 1))], observer)
    with pytest.raises(PubdataError) as caught:
        publish(observer.events, State(DOMAIN))
    assert str(caught.value) == "account 1: expected an account that a command touched, got none"
