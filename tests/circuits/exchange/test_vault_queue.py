"""Redemptions that wait: first come first served, from one epoch to the next."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import share_address, vault_ledger_address
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import VaultShare
from circuits.exchange.limits import CASH_OFFSET, EPOCH_REDEMPTIONS_MAX, TIME_MAX_MS
from circuits.exchange.state import State
from circuits.exchange.steps import RedemptionQueued, SharesRedeemed
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    holding,
    into_vault,
    ledger,
    outcome,
    redeeming,
    refused,
    shares_of,
    sums,
    with_vault_terms,
)
from tests.support.listed import (
    ALICE,
    BOB,
    HOUR,
    account_of,
    prices_of,
    steps_of,
    with_account,
    with_leaves,
    with_prices,
    with_terms,
)

MILLION = 10**6
settle = VaultSettleEpoch(VAULT)


def tied(equity: int = 30_000) -> State:
    """Alice, Bob and Dave hold 10,000 each; the vault needs 15,000 of its equity for a position.

    Unwinding is free, so that a share is a millionth of a token unit exactly.
    """
    state = with_vault_terms(exchange(), unwind_ppm=0)
    for account in (ALICE, BOB, DAVE):
        state = done(state, into_vault(account, 10_000)).state
    state = holding(state, VAULT, equity * UNIT, size=100)
    return holding(state, CAROL, 10**7 * UNIT, size=-100)


def due(state: State) -> State:
    """The state at the end of an epoch."""
    leaf = ledger(state)._replace(next_epoch_ms=state.time_ms)
    return with_leaves(state, {vault_ledger_address(VAULT): leaf})


def enriched(state: State, equity: int) -> State:
    """The state in which the vault has this equity."""
    missing = equity * UNIT - sums(state, VAULT).equity
    return with_account(state, VAULT, cash=cash_of(state, VAULT) + missing)


def free(state: State) -> State:
    """The end of an epoch in which the vault has a token unit for a million shares, and needs no
    margin any more.
    """
    return due(with_terms(enriched(state, ledger(state).total_shares // MILLION), initial_ppm=0))


def paid_to(state: State) -> list[int]:
    """Who is paid by a settlement, in order."""
    steps = steps_of(done(state, settle))
    return [step.account for step in steps if isinstance(step, SharesRedeemed)]


def test_collateral_that_is_free_is_paid_at_once_to_the_last_cash_unit() -> None:
    """15,000 of 30,000 are free; a share is 30,001 / 30,001 of a millionth."""
    state = tied()
    assert sums(state, VAULT).initial == 15_000 * UNIT
    state = done(state, redeeming(ALICE, 10_000 * MILLION)).state
    state = done(state, redeeming(BOB, 5_000 * MILLION)).state
    assert (account_of(state, ALICE).shares, shares_of(state, BOB).pending) == (0, 0)
    assert sums(state, VAULT).equity == 15_000 * UNIT
    receipt = done(state, redeeming(BOB, 1))
    assert receipt.outcome is Outcome.APPLIED
    assert steps_of(receipt) == (RedemptionQueued(BOB, VAULT, 1),)


def queued() -> State:
    """Bob waits for 10,000, then Alice, then Dave for half; nobody has been paid."""
    state = tied(equity=14_999)
    for account, shares in ((BOB, 10_000), (ALICE, 10_000), (DAVE, 5_000)):
        receipt = done(state, redeeming(account, shares * MILLION))
        assert steps_of(receipt) == (RedemptionQueued(account, VAULT, shares * MILLION),)
        state = receipt.state
    return state


def test_shares_that_wait_still_count() -> None:
    state = queued()
    assert ledger(state).total_shares == 30_000 * MILLION
    assert ledger(state).pending_shares == 25_000 * MILLION
    assert shares_of(state, BOB) == VaultShare(
        VAULT, 10_000 * MILLION, 10_000 * MILLION, share_address(ALICE, 0)
    )
    assert shares_of(state, DAVE) == VaultShare(VAULT, 10_000 * MILLION, 5_000 * MILLION, 0)
    assert outcome(state, redeeming(BOB, 1)) is Outcome.INSUFFICIENT_SHARES
    assert outcome(state, redeeming(DAVE, 5_000 * MILLION + 1)) is Outcome.INSUFFICIENT_SHARES


def test_who_waits_already_keeps_the_place() -> None:
    state = done(queued(), redeeming(DAVE, MILLION)).state
    assert shares_of(state, DAVE).pending == 5_001 * MILLION
    assert paid_to(free(state)) == [BOB, ALICE, DAVE]


def test_nobody_overtakes_those_who_wait() -> None:
    """Even with all collateral free, a redemption queues behind them."""
    state = done(queued(), into_vault(CAROL, 1_000_000)).state
    receipt = done(state, redeeming(CAROL, MILLION))
    assert isinstance(steps_of(receipt)[0], RedemptionQueued)
    assert paid_to(free(receipt.state)) == [BOB, ALICE, DAVE, CAROL]


def test_settling_pays_in_order_and_empties_the_queue() -> None:
    state = free(queued())
    before = {account: cash_of(state, account) for account in (ALICE, BOB, DAVE)}
    receipt = done(state, settle)
    assert steps_of(receipt) == tuple(
        SharesRedeemed(account, VAULT, shares * MILLION, shares * UNIT)
        for account, shares in ((BOB, 10_000), (ALICE, 10_000), (DAVE, 5_000))
    )
    state = receipt.state
    for account, amount in ((ALICE, 10_000), (BOB, 10_000), (DAVE, 5_000)):
        assert cash_of(state, account) == before[account] + amount * UNIT
    assert ledger(state) == ledger(state)._replace(
        total_shares=5_000 * MILLION, pending_shares=0, queue_head=0, queue_tail=0
    )
    assert shares_of(state, DAVE) == VaultShare(VAULT, 5_000 * MILLION, 0, 0)
    assert (account_of(state, ALICE).shares, account_of(state, BOB).shares) == (0, 0)
    assert ledger(state).next_epoch_ms == state.time_ms + HOUR
    assert refused(state, settle) is RejectReason.NOTHING_DUE
    done(state, redeeming(DAVE, MILLION))


def test_settling_stops_at_the_first_that_cannot_be_paid() -> None:
    """With 10,000 free, Bob takes them; Alice waits, and Dave behind her though he asks less."""
    state = enriched(due(queued()), 30_000)
    state = done(state, settle).state
    assert ledger(state).queue_head == share_address(ALICE, 0)
    assert ledger(state).queue_tail == share_address(DAVE, 0)
    assert ledger(state).pending_shares == 15_000 * MILLION
    assert sums(state, VAULT).equity == 20_000 * UNIT
    assert ledger(state).next_epoch_ms == state.time_ms + HOUR


def test_an_epoch_in_which_nobody_can_be_paid_passes_too() -> None:
    state = due(queued())
    receipt = done(state, settle)
    assert steps_of(receipt) == ()
    assert ledger(receipt.state).next_epoch_ms == state.time_ms + HOUR
    for equity in (0, -1):
        worthless = enriched(free(queued()), equity)
        after = done(worthless, settle).state
        assert ledger(after)[:4] == ledger(worthless)[:4]


def test_the_epoch_boundary() -> None:
    state = free(queued())
    due_ms = state.time_ms + 500
    state = with_leaves(
        state, {vault_ledger_address(VAULT): ledger(state)._replace(next_epoch_ms=due_ms)}
    )
    assert refused(state, settle, due_ms - 1) is RejectReason.NOT_DUE
    after = done(state, settle, due_ms).state
    assert ledger(after).next_epoch_ms == due_ms + HOUR


def test_more_than_one_settlement_pays_leave_it_due() -> None:
    """Else many small holders could make everybody behind them wait an epoch each."""
    state = tied(equity=10_000)
    holders = range(100, 100 + EPOCH_REDEMPTIONS_MAX + 2)
    for account in holders:
        state = done(state, into_vault(account, 10)).state
        state = done(state, redeeming(account, MILLION)).state
    state = free(state)
    receipt = done(state, settle)
    assert len(steps_of(receipt)) == EPOCH_REDEMPTIONS_MAX
    assert ledger(receipt.state).next_epoch_ms == state.time_ms
    assert ledger(receipt.state).queue_head == share_address(holders[EPOCH_REDEMPTIONS_MAX], 0)
    receipt = done(receipt.state, settle)
    assert len(steps_of(receipt)) == 2
    assert ledger(receipt.state).next_epoch_ms == state.time_ms + HOUR


def test_a_queue_of_exactly_one_settlement_ends_the_epoch() -> None:
    state = tied(equity=10_000)
    for account in range(100, 100 + EPOCH_REDEMPTIONS_MAX):
        state = done(state, into_vault(account, 10)).state
        state = done(state, redeeming(account, MILLION)).state
    state = done(free(state), settle).state
    assert ledger(state).queue_head == 0
    assert ledger(state).next_epoch_ms == state.time_ms + HOUR


def full(state: State) -> State:
    """The state in which Bob can take no cash unit more; Eve owes most of it."""
    state = with_account(state, EVE, cash=-CASH_OFFSET // 2)
    return with_account(state, BOB, cash=CASH_OFFSET - 1)


def test_a_holder_whose_cash_is_full_waits() -> None:
    assert paid_to(free(full(queued()))) == []
    assert steps_of(done(full(tied()), redeeming(BOB, 1))) == (RedemptionQueued(BOB, VAULT, 1),)


def test_what_settling_refuses() -> None:
    state = queued()
    for vault in (99, ALICE, 0):
        assert refused(state, VaultSettleEpoch(vault)) is RejectReason.UNKNOWN_VAULT
    assert refused(tied(), settle, TIME_MAX_MS) is RejectReason.NOTHING_DUE
    assert refused(state, settle) is RejectReason.NOT_DUE
    due_ms = ledger(state).next_epoch_ms
    assert refused(state, settle, due_ms) is RejectReason.PRICE_STALE
    halted = with_prices(state, valid_until_ms=due_ms + 1, halted=1)
    assert refused(halted, settle, due_ms) is RejectReason.PRICE_STALE
    late = with_prices(state, valid_until_ms=TIME_MAX_MS)
    assert refused(late, settle, TIME_MAX_MS - HOUR + 1) is RejectReason.TIME_OUT_OF_RANGE


@pytest.mark.parametrize("unwind_ppm", [0, 1_000])
def test_those_who_leave_pay_the_unwinding(unwind_ppm: int) -> None:
    state = with_vault_terms(tied(equity=60_000), unwind_ppm=unwind_ppm)
    before = cash_of(state, ALICE)
    state = done(state, redeeming(ALICE, 10_000 * MILLION)).state
    cost = 300_000 * unwind_ppm // MILLION
    assert cash_of(state, ALICE) - before == 10_000 * (60_001 - cost) * UNIT // 30_001
    assert prices_of(state).mark_price == 1000
