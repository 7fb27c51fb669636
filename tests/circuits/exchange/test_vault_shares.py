"""Shares of a vault: minting, redeeming at once, rounding, and the attack on an empty vault."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import share_address
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import VaultShare
from circuits.exchange.limits import AMOUNT_MAX, VIRTUAL_SHARES
from circuits.exchange.risk import Totals
from circuits.exchange.steps import SharesMinted, SharesRedeemed
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.vaults import payout_of, shares_minted
from tests.support.distress import (
    CAROL,
    DAVE,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    holding,
    into_vault,
    ledger,
    redeeming,
    shares_of,
    signed_as,
    sums,
    with_vault_terms,
)
from tests.support.exchange import EXPIRY_MS, owner_of
from tests.support.listed import (
    ALICE,
    BOB,
    account_of,
    steps_of,
    with_account,
)

MILLION = 10**6


def request(account: int, shares: int, nonce: int = 1, vault: int = VAULT) -> VaultRedeemRequest:
    return VaultRedeemRequest(account, nonce, EXPIRY_MS, vault, shares)


def test_the_first_token_unit_is_a_million_shares() -> None:
    receipt = done(exchange(), into_vault(ALICE, 1_000))
    assert receipt.outcome is Outcome.APPLIED
    assert steps_of(receipt) == (SharesMinted(ALICE, VAULT, 1_000 * MILLION),)
    state = receipt.state
    assert state.custody == exchange().custody + 1_000
    assert cash_of(state, VAULT) == 1_000 * UNIT
    assert cash_of(state, ALICE) == cash_of(exchange(), ALICE)
    assert ledger(state).total_shares == 1_000 * MILLION
    assert shares_of(state, ALICE) == VaultShare(VAULT, 1_000 * MILLION, 0, 0)
    assert account_of(state, ALICE).shares == 1


def test_more_shares_of_the_same_vault_share_a_leaf() -> None:
    state = done(exchange(), into_vault(ALICE, 1_000)).state
    state = done(state, into_vault(ALICE, 500)).state
    assert shares_of(state, ALICE).shares == 1_500 * MILLION
    assert account_of(state, ALICE).shares == 1


def test_a_deposit_opens_the_account() -> None:
    state = done(exchange(), VaultDeposit(77, owner_of(77), 5, VAULT)).state
    assert shares_of(state, 77).shares == 5 * MILLION
    assert account_of(state, 77).owner == owner_of(77)


def test_later_shares_cost_what_the_vault_is_worth() -> None:
    """A tenth lost of 1,000, so 901 of a thousand and one each: 1,000 buy 1,111 times a million."""
    state = done(exchange(), into_vault(ALICE, 1_000)).state
    state = with_account(state, VAULT, cash=900 * UNIT)
    receipt = done(state, into_vault(BOB, 1_000))
    assert shares_of(receipt.state, BOB).shares == 1_000 * 1_001 * MILLION // 901


def test_positions_count_at_the_mark() -> None:
    state = done(exchange(), into_vault(ALICE, 10_000)).state
    state = holding(state, VAULT, 20_000 * UNIT, size=10)
    state = holding(state, CAROL, 10**6 * UNIT, size=-10)
    state = done(state, into_vault(BOB, 20_001)).state
    assert shares_of(state, BOB).shares == 10_001 * MILLION


def test_a_redemption_pays_at_once_and_burns() -> None:
    state = done(exchange(), into_vault(ALICE, 1_000)).state
    before = cash_of(state, ALICE)
    receipt = done(state, redeeming(ALICE, 400 * MILLION))
    assert receipt.outcome is Outcome.APPLIED
    assert steps_of(receipt) == (SharesRedeemed(ALICE, VAULT, 400 * MILLION, 400 * UNIT),)
    state = receipt.state
    assert cash_of(state, ALICE) == before + 400 * UNIT
    assert (ledger(state).total_shares, shares_of(state, ALICE).shares) == (
        600 * MILLION,
        600 * MILLION,
    )
    state = done(state, signed_as(request(ALICE, 600 * MILLION))).state
    assert cash_of(state, VAULT) == 0
    assert (account_of(state, ALICE).shares, account_of(state, ALICE).nonce) == (0, 1)
    assert state.leaves.get(share_address(ALICE, 0)) is None


def test_the_last_holder_of_a_vault_that_lost_gets_all_there_is() -> None:
    """By the formula alone it would be 900.0999, more than there is, and nobody could be paid."""
    state = done(exchange(), into_vault(ALICE, 1_000)).state
    state = with_account(state, VAULT, cash=900 * UNIT)
    before = cash_of(state, ALICE)
    state = done(state, redeeming(ALICE, 1_000 * MILLION)).state
    assert cash_of(state, ALICE) == before + 900 * UNIT
    assert (cash_of(state, VAULT), ledger(state).total_shares) == (0, 0)


def test_unwinding_costs_its_share_of_the_positions() -> None:
    """A tenth of a percent of 30,000 gross is 30, of which half the shares bear half."""
    state = done(exchange(), into_vault(ALICE, 100_000)).state
    state = holding(state, VAULT, 100_000 * UNIT, size=5, other=-5)
    state = holding(state, CAROL, 10**6 * UNIT, size=-5, other=5)
    before = cash_of(state, ALICE)
    state = done(state, redeeming(ALICE, 50_000 * MILLION)).state
    paid = 50_000 * (100_001 - 30) * UNIT // 100_001
    assert cash_of(state, ALICE) == before + paid
    free = with_vault_terms(state, unwind_ppm=0)
    assert cash_of(done(free, redeeming(ALICE, MILLION)).state, ALICE) > before + paid + UNIT


@pytest.mark.parametrize("gift", [10**6, 10**9, 10**12])
def test_a_gift_to_an_empty_vault_costs_the_giver_and_hardly_the_next_depositor(gift: int) -> None:
    """The attacker mints one share, gives the vault a fortune, waits for a victim and redeems."""
    state = with_account(exchange(), BOB, cash=gift * UNIT)
    state = done(state, into_vault(BOB, 1)).state
    state = done(state, redeeming(BOB, MILLION - 1)).state
    assert shares_of(state, BOB).shares == 1
    attacker = cash_of(state, BOB)
    state = done(state, signed_as(Transfer(BOB, 1, EXPIRY_MS, VAULT, gift))).state
    deposit = gift // 2
    receipt = done(state, into_vault(ALICE, deposit))
    assert receipt.outcome is Outcome.APPLIED
    state, before = receipt.state, cash_of(receipt.state, ALICE)
    state = done(state, redeeming(ALICE, shares_of(state, ALICE).shares)).state
    victim_lost = deposit * UNIT - (cash_of(state, ALICE) - before)
    assert 0 <= victim_lost <= gift * UNIT * 2 // MILLION
    state = done(state, redeeming(BOB, 1)).state
    attacker_lost = attacker - cash_of(state, BOB)
    assert attacker_lost > gift * UNIT * 99 // 100
    assert attacker_lost > 1000 * victim_lost


def test_an_amount_below_a_share_is_given_back() -> None:
    """After a fortune is given to one share, a token unit buys none."""
    state = done(exchange(), into_vault(BOB, 1)).state
    state = done(state, redeeming(BOB, MILLION - 1)).state
    state = with_account(state, VAULT, cash=10**7 * UNIT)
    receipt = done(state, into_vault(ALICE, 5))
    assert receipt.outcome is Outcome.NO_SHARES
    assert cash_of(receipt.state, ALICE) == cash_of(state, ALICE) + 5 * UNIT
    assert account_of(receipt.state, ALICE).shares == 0


def value_of(sums: Totals, total_shares: int) -> Fraction:
    """What one share is worth, before any cost of unwinding."""
    return Fraction(sums.equity + UNIT, total_shares + VIRTUAL_SHARES)


def only_equity(equity: int, gross: int = 0) -> Totals:
    return Totals(equity, 0, 0, 0, gross, 0)


@given(
    equity=st.integers(1 - UNIT, 2**120),
    total=st.integers(0, 2**90),
    amount=st.integers(1, AMOUNT_MAX),
)
def test_minting_never_lowers_the_value_of_a_share(equity: int, total: int, amount: int) -> None:
    minted = shares_minted(amount, equity, total)
    before = value_of(only_equity(equity), total)
    assert value_of(only_equity(equity + amount * UNIT), total + minted) >= before
    assert minted * before <= amount * UNIT < (minted + 1) * before


@given(
    equity=st.integers(1, 2**120),
    total=st.integers(1, 2**96 - 1),
    part=st.integers(1, 2**96 - 1),
    gross=st.integers(0, 2**67),
    unwind_ppm=st.integers(0, 2**24 - 1),
)
def test_redeeming_never_lowers_the_value_of_a_share(
    equity: int, total: int, part: int, gross: int, unwind_ppm: int
) -> None:
    shares = min(part, total)
    payout = payout_of(shares, only_equity(equity, gross), unwind_ppm, total)
    before = value_of(only_equity(equity), total)
    assert payout <= equity
    assert payout <= shares * before
    if payout > 0:
        assert value_of(only_equity(equity - payout), total - shares) >= before


@given(
    st.lists(
        st.tuples(st.sampled_from([ALICE, BOB, CAROL]), st.booleans(), st.integers(1, 10**6)),
        min_size=1,
        max_size=12,
    ),
    st.integers(-900, 900),
)
@settings(max_examples=40, deadline=None)
def test_no_sequence_of_mints_and_redemptions_takes_from_the_holders(
    moves: list[tuple[int, bool, int]], gain: int
) -> None:
    state = done(exchange(), into_vault(DAVE, 1_000)).state
    state = with_account(state, VAULT, cash=(1_000 + gain) * UNIT)
    value = value_of(sums(state, VAULT), ledger(state).total_shares)
    for account, is_deposit, amount in moves:
        if is_deposit:
            state = done(state, into_vault(account, amount)).state
        elif account_of(state, account).shares:
            held = shares_of(state, account).shares
            state = done(state, redeeming(account, min(held, amount * MILLION))).state
        new_value = value_of(sums(state, VAULT), ledger(state).total_shares)
        assert new_value >= value
        value = new_value
