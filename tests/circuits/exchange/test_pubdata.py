"""Published words: exact layout, strict reading, and the account region from them alone."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from circuits.exchange.addresses import (
    header_address,
    position_address,
    prices_address,
    share_address,
    terms_address,
)
from circuits.exchange.apply import Command, apply_batch
from circuits.exchange.bodies import Body, ForcedWithdraw
from circuits.exchange.commit import account_region_root, build_tree, leaf_hash
from circuits.exchange.errors import PubdataError
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import Account, MarketPrices, Position, VaultShare
from circuits.exchange.packing import words_of
from circuits.exchange.places import kind_at
from circuits.exchange.pubdata import Counts, Published, publish, touched_addresses
from circuits.exchange.pubdata_reader import parse_pubdata, published_of
from circuits.exchange.region import AccountRegion
from circuits.exchange.state import State
from circuits.exchange.steps import PaidOut
from circuits.field import R
from circuits.poseidon2 import TAG_POSITION
from circuits.statement import PUBLIC_WORDS, Statement
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    Events,
    deposit,
    funded,
    owner_of,
    public_key_of,
    register,
    transfer,
    withdraw,
)
from tests.support.leaves import any_leaf, executed, history

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
        assert parse_pubdata(published.words, published.counts) == published
        assert published.is_plain


def test_the_account_region_follows_from_the_words_alone() -> None:
    published, state = published_batches()
    region = AccountRegion()
    for batch in published:
        region.take(parse_pubdata(batch.words, batch.counts))
    assert list(region.accounts) == list(state.accounts)
    # An account without cash is one all the same, and comes back as one.
    assert region.accounts[3].cash == state.accounts.get(3).cash == 0
    assert region.root == account_region_root(build_tree(state))
    assert region.leaves == {}


def test_rebuilding_without_one_batch_gives_another_root() -> None:
    published, state = published_batches()
    region = AccountRegion()
    for batch in published[:-1]:
        region.take(batch)
    assert region.root != account_region_root(build_tree(state))


# Two requests, one withdrawal and two accounts, in good order.
GOOD = (
    *(1 + (1 << 8) + (5 << 32), 7, 0, 0),
    *(2 + (2 << 8), 8 + (1 << 160), 3, 5),
    7 + (1 << 160),
    *(1 + (4 << 24), 2**111, 99),
    *(2 + (4 << 24), 2**111, 99),
)
COUNTS = Counts(2, 1, 2)


def test_the_words_that_the_next_test_damages_are_good() -> None:
    assert parse_pubdata(GOOD, COUNTS).words == GOOD


BAD = [
    (0, 0, "word 0: expected the kind of a queued request, got 0"),
    (0, 3 + (1 << 8), "word 0: expected the kind of a queued request, got 3"),
    (0, 1 + (5 << 32), "word 0: expected an account in 1..16777215, got 0"),
    (0, 1 + (1 << 8), f"word 0: expected an amount in 1..{2**64 - 1}, got 0"),
    (0, 1 << 96, f"word 0: expected a word of 96 bits, got {1 << 96:#x}"),
    (1, 7 + (1 << 160), "word 1: expected an outcome of this kind, got 1"),
    (1, 1 << 168, f"word 1: expected a word of 168 bits, got {1 << 168:#x}"),
    (2, 1, "word 2: expected a word of 0 bits, got 0x1"),
    (4, 2 + (1 << 8) + (1 << 32), "word 4: expected an amount in 0..0, got 1"),
    (5, 8 + (2 << 160), "word 5: expected an outcome of this kind, got 2"),
    (8, 1 << 224, f"word 8: expected a word of 224 bits, got {1 << 224:#x}"),
    (9, 4 << 24, "word 9: expected an account in 1..16777215, got 0"),
    (9, 1 << 152, f"word 9: expected a word of 152 bits, got {1 << 152:#x}"),
    (10, 1 << 112, f"word 10: expected a word of 112 bits, got {1 << 112:#x}"),
    (11, R, f"word 11: expected a field element below r, got {R}"),
    (12, 1, "word 12: expected an account above 1, got 1"),
    (3, -1, "word 3: expected a field element below r, got -1"),
]


@pytest.mark.parametrize(("position", "word", "message"), BAD)
def test_words_that_no_batch_publishes(position: int, word: int, message: str) -> None:
    words = [*GOOD[:position], word, *GOOD[position + 1 :]]
    with pytest.raises(PubdataError) as caught:
        parse_pubdata(words, COUNTS)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "wrong", [(2, 1, 1), (2, 2, 2), (1, 1, 2), (-1, 13, 2), (2, 1, 2, 0, 1), (2, 1, 2, 1, -1)]
)
def test_counts_that_do_not_fit(wrong: tuple[int, ...]) -> None:
    expected = r"^published words: expected \d+ (to \d+ )?words, got 15 words$"
    with pytest.raises(PubdataError, match=expected):
        parse_pubdata(GOOD, Counts(*wrong))


def test_events_of_another_state_are_refused() -> None:
    observer = Events()
    apply_batch(State(DOMAIN), [Command(1, deposit(1, 1))], observer)
    with pytest.raises(PubdataError) as caught:
        publish(observer.events, State(DOMAIN))
    assert str(caught.value) == "account 1: expected an account that a command touched, got none"


# What a statement has no place for.

BEFORE = funded(2)
HOLDER = 2
SLOT_1, SHARE_1 = position_address(HOLDER, 0), share_address(HOLDER, 0)
POSITION = Position(7, -3, 5, 0, 0)
PRICES = MarketPrices(*range(1, 5), 0, 0, 0, 0, -9, 0, 0, 1, 1)


def mixed() -> tuple[Published, State]:
    """A transfer; then a forced withdrawal that opened a position and moved a price."""
    observer = Events()
    state = apply_batch(BEFORE, [Command(1, transfer(1, 4, 2, 10))], observer)
    holder = state.accounts.get(HOLDER)
    assert holder is not None
    event, state = executed(
        state,
        {
            header_address(HOLDER): holder._replace(positions=1, cash=holder.cash - 6 * UNIT),
            SLOT_1: POSITION,
            SHARE_1: None,
            prices_address(3): PRICES,
            terms_address(3): any_leaf(kind_at(terms_address(3)), random.Random(1)),
        },
        ForcedWithdraw(HOLDER, owner_of(HOLDER), 6),
        (PaidOut(HOLDER, owner_of(HOLDER), 6),),
    )
    return publish([*observer.events, event], state), state


def test_words_of_more_than_cash() -> None:
    published, state = mixed()
    first, second = state.accounts.get(1), state.accounts.get(HOLDER)
    assert published.counts == (1, 1, 2, 1, 1)
    assert published.words == (
        *(5 + (2 << 8) + (6 << 32), owner_of(2), 0, 0),
        owner_of(2) + (6 << 160),
        *(1 + (4 << 24), 990 * UNIT + 2**111, first.identity),
        *(2 + (1 << 72), 1004 * UNIT + 2**111, second.identity),
        *(2 * 64 + 1 + (TAG_POSITION << 30), *words_of(POSITION)),
        *(3 + (1 << 10) + (2 << 42), 2**95 - 9),
    )
    assert not published.is_plain
    assert (published.deposit_total, published.withdrawal_total) == (0, 6)
    assert parse_pubdata(published.words, published.counts) == published


def test_only_the_last_value_of_a_leaf_is_published_and_only_if_it_differs() -> None:
    there = replace(BEFORE, leaves=BEFORE.leaves.with_changes({SLOT_1: POSITION}))
    later = POSITION._replace(size=4)
    first, state = executed(there, {SLOT_1: None, SHARE_1: VaultShare(1, 2, 3, 0)})
    second, state = executed(state, {SLOT_1: later, SHARE_1: None})
    published = publish([first, second], state)
    assert published.leaves == ((SLOT_1, later),)
    back, state = executed(state, {SLOT_1: POSITION})
    assert publish([first, second, back], state).words == ()
    gone, state = executed(state, {SLOT_1: None})
    assert publish([first, second, back, gone], state).words == (SLOT_1,)


def test_a_touched_header_is_published_as_it_is() -> None:
    event, state = executed(BEFORE, {header_address(1): BEFORE.accounts.get(1)})
    assert publish([event], state).counts == (0, 0, 1, 0, 0)


def test_prices_are_published_when_any_field_of_them_changed() -> None:
    state = replace(BEFORE, leaves=BEFORE.leaves.with_changes({prices_address(3): PRICES}))
    event, after = executed(state, {prices_address(3): PRICES._replace(next_sample_ms=9)})
    assert publish([event], after).markets == ((3, 1, 2, -9),)
    event, after = executed(state, {prices_address(3): PRICES})
    assert publish([event], after).markets == ()


def test_a_refused_withdrawal_pays_nobody() -> None:
    body = ForcedWithdraw(1, owner_of(1), 6)
    event, state = executed(BEFORE, {}, body, outcome=Outcome.INSUFFICIENT_MARGIN)
    published = publish([event], state)
    assert published.counts == (1, 0, 0, 0, 0)
    assert published.requests[0].outcome is Outcome.INSUFFICIENT_MARGIN


def test_a_history_of_any_leaves_is_read_back_and_rebuilt(rng: random.Random) -> None:
    region = AccountRegion()
    kinds = set()
    for events, state in history(rng, 12):
        published = publish(events, state)
        read = parse_pubdata(published.words, published.counts)
        assert read == published
        region.take(read)
        kinds |= {type(leaf) for _, leaf in read.leaves}
        assert region.root == account_region_root(build_tree(state))
        expected = {
            address: leaf
            for address, leaf in state.leaves.items()
            if address < 2**30 and type(leaf) is not Account
        }
        assert region.leaves == expected
        assert list(region.leaves) == sorted(expected)
    assert len(kinds) == 6, "five kinds of leaves, and none where one went"


def test_an_account_without_cash_is_there() -> None:
    event, state = executed(BEFORE, {header_address(9): Account(5)})
    region = AccountRegion()
    region.take(publish([event], state))
    assert region.accounts[9].cash == 0
    alone = State(DOMAIN).with_account(9, Account(5))
    assert region.root == account_region_root(build_tree(alone))


def test_a_leaf_that_did_not_change_is_refused() -> None:
    published, _ = mixed()
    region = AccountRegion()
    region.take(published)
    for unchanged in (published.leaves[0], (SHARE_1, None)):
        with pytest.raises(PubdataError) as caught:
            region.take(replace(published, leaves=(unchanged,)))
        message = f"leaf {unchanged[0]}: expected a leaf that changed, got one that did not"
        assert str(caught.value) == message


# A position, a share that is gone, and two markets.
POSITION_WORDS = words_of(POSITION)
LEAVES = (SLOT_1 + (TAG_POSITION << 30), *POSITION_WORDS, SHARE_1, 3, 0, 4 + (1 << 42), 5)
LEAF_COUNTS = Counts(0, 0, 0, 2, 2)
OF_A_LEAF = "expected the address of a leaf of an account, not of its header"


def test_the_words_that_are_damaged_next_are_good() -> None:
    published = parse_pubdata(LEAVES, LEAF_COUNTS)
    assert published.words == LEAVES
    assert published.leaves == ((SLOT_1, POSITION), (SHARE_1, None))


@pytest.mark.parametrize(
    ("position", "word", "message"),
    [
        (0, SLOT_1, f"word 1: {OF_A_LEAF}, got {POSITION_WORDS[0]}"),
        (0, SLOT_1 + (6 << 30), f"word 0: expected tag 5 or none at address {SLOT_1}, got 6"),
        (0, 128 + (5 << 30), f"word 0: {OF_A_LEAF}, got 128"),
        (0, 1 + (5 << 30), f"word 0: {OF_A_LEAF}, got 1"),
        (0, 128 + 43, f"word 0: {OF_A_LEAF}, got 171"),
        (0, 1 << 38, f"word 0: expected a word of 38 bits, got {1 << 38:#x}"),
        (1, 1 << 70, f"words 1 to 3: expected a word of 70 bits, got {1 << 70:#x}"),
        (2, 1 << 48, f"words 1 to 3: expected a word of 48 bits, got {1 << 48:#x}"),
        (4, SLOT_1, f"word 4: expected an address above {SLOT_1}, got {SLOT_1}"),
        (4, SHARE_1 + (7 << 30), "word 4: expected 3 more words, got fewer"),
        (5, 4, "word 7: expected a market above 4, got 4"),
        (5, 1 << 74, f"word 5: expected a word of 74 bits, got {1 << 74:#x}"),
        (6, 1 << 96, f"word 6: expected a word of 96 bits, got {1 << 96:#x}"),
        (8, R, f"word 8: expected a field element below r, got {R}"),
    ],
)
def test_leaves_and_markets_that_no_batch_publishes(position: int, word: int, message: str) -> None:
    words = [*LEAVES[:position], word, *LEAVES[position + 1 :]]
    with pytest.raises(PubdataError) as caught:
        parse_pubdata(words, LEAF_COUNTS)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("words", "counts", "message"),
    [
        (LEAVES[:5], (0, 0, 0, 3, 0), "word 5: expected another leaf, got the end of the leaves"),
        (LEAVES[:5], (0, 0, 0, 2, 1), "word 0: expected 3 more words, got fewer"),
        (
            (SHARE_1, SHARE_1),
            (0, 0, 0, 1, 0),
            "word 1: expected the end of 1 leaves, got more words",
        ),
    ],
)
def test_leaves_that_do_not_end_where_they_must(
    words: tuple[int, ...], counts: tuple[int, ...], message: str
) -> None:
    with pytest.raises(PubdataError) as caught:
        parse_pubdata(words, Counts(*counts))
    assert str(caught.value) == message


def test_every_flipped_bit_is_refused_or_means_something_else() -> None:
    published, _ = mixed()
    words = published.words
    for position in range(len(words)):
        for bit in range(254):
            changed = [*words[:position], words[position] ^ 1 << bit, *words[position + 1 :]]
            try:
                read = parse_pubdata(changed, published.counts)
            except PubdataError:
                continue
            assert read.words == tuple(changed)
            assert read != published


def test_a_statement_has_no_place_for_more_than_cash() -> None:
    event, state = executed(BEFORE, {header_address(1): Account(5, orders=1)})
    published = publish([event], state)
    words = dict.fromkeys(PUBLIC_WORDS, 0) | {"account_count": 1}
    with pytest.raises(PubdataError) as caught:
        published_of(Statement(**words, pubdata=published.words))
    assert str(caught.value) == (
        "published words: expected deposits, keys, withdrawals and accounts with nothing but "
        "cash, got more than that"
    )


def test_what_a_command_touched() -> None:
    observer = Events()
    bodies = [
        transfer(1, 4, 2, 10),
        withdraw(2, 1, 1),
        deposit(1, 1),
        register(2),
        register(3, OFF_CURVE),
    ]
    apply_batch(BEFORE, [Command(1, body) for body in bodies], observer)
    touched = [list(touched_addresses(event)) for event in observer.events]
    assert touched == [[64, 128], [128], [64], [128], []]
    event, _ = executed(BEFORE, {SLOT_1: POSITION, header_address(1): Account(5)})
    assert list(touched_addresses(event)) == [SLOT_1, 64]


def test_leaves_in_the_tree_are_those_of_the_words() -> None:
    _, state = mixed()
    assert build_tree(state).get(SLOT_1) == leaf_hash(POSITION)
