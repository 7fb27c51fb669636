"""Why a deposit into a vault becomes cash, why a redemption fails, and in which order."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import share_address, vault_ledger_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken, RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import VaultShare
from circuits.exchange.limits import AMOUNT_MAX, CASH_OFFSET, SHARES_MAX, VIRTUAL_SHARES
from circuits.exchange.risk import Totals
from circuits.exchange.state import State
from circuits.exchange.transactions.redeem_request import VaultRedeemRequest
from circuits.exchange.transactions.vault_deposit import VaultDeposit
from circuits.exchange.transactions.vault_redeem import VaultRedeem
from circuits.exchange.vaults import can_pay
from tests.support.distress import (
    CAROL,
    EVE,
    OTHER,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    frozen,
    holding,
    into_vault,
    ledger,
    outcome,
    redeeming,
    refused,
    signed_as,
)
from tests.support.exchange import EXPIRY_MS, owner_of
from tests.support.listed import (
    ALICE,
    BOB,
    account_of,
    with_account,
    with_leaves,
    with_prices,
)

MILLION = 10**6


def request(account: int, shares: int, nonce: int = 1, vault: int = VAULT) -> VaultRedeemRequest:
    return VaultRedeemRequest(account, nonce, EXPIRY_MS, vault, shares)


def minted(state: State | None = None) -> State:
    return done(state or exchange(), into_vault(ALICE, 1_000)).state


def failed(state: State, body: VaultDeposit) -> Outcome | None:
    """The outcome of a deposit that became cash of the account instead, and nothing else."""
    receipt = done(state, body)
    before = state.accounts.get(body.account)
    cash = (before.cash if before else 0) + body.amount * UNIT
    assert cash_of(receipt.state, body.account) == cash
    changed = with_account(receipt.state, body.account, cash=cash - body.amount * UNIT)
    if before:
        assert changed.leaves == state.leaves
    return receipt.outcome


def test_why_a_deposit_becomes_cash() -> None:
    state = minted()
    for vault in (99, ALICE, BOB, 0):
        body = VaultDeposit(ALICE, owner_of(ALICE), 5, vault)
        assert failed(state, body) is Outcome.UNKNOWN_VAULT
    own = VaultDeposit(VAULT, owner_of(VAULT), 5, VAULT)
    assert done(state, own).outcome is Outcome.UNKNOWN_VAULT
    assert failed(state, VaultDeposit(78, owner_of(78), 5, 99)) is Outcome.UNKNOWN_VAULT
    worthless = with_account(state, VAULT, cash=-UNIT)
    assert failed(worthless, into_vault(BOB, 5)) is Outcome.WORTHLESS
    done(with_account(state, VAULT, cash=-UNIT + 1), into_vault(BOB, 5))
    others = VaultShare(VAULT, SHARES_MAX - 1_000 * MILLION, 0, 0)
    full = with_account(with_leaves(state, {share_address(EVE, 0): others}), EVE, shares=1)
    full_ledger = ledger(state)._replace(total_shares=SHARES_MAX)
    full = with_leaves(full, {vault_ledger_address(VAULT): full_ledger})
    assert failed(full, into_vault(BOB, 5)) is Outcome.SHARES_BOUND
    crowded = with_account(state, BOB, shares=2**16 - 1)
    crowded = with_leaves(
        crowded, {share_address(BOB, bit): VaultShare(100 + bit, 1, 0, 0) for bit in range(16)}
    )
    assert failed(crowded, into_vault(BOB, 5)) is Outcome.TOO_MANY_SHARES
    rich = with_account(state, VAULT, cash=CASH_OFFSET - 1)
    enough = VaultDeposit(BOB, owner_of(BOB), 10**13, VAULT)
    assert failed(rich, enough) is Outcome.CASH_OUT_OF_BOUNDS


@pytest.mark.parametrize(("spare", "expected"), [(0, Outcome.APPLIED), (-1, Outcome.SHARES_BOUND)])
def test_the_bound_of_all_shares_is_exact(spare: int, expected: Outcome) -> None:
    """A share is worth one cash unit here, so five token units are as many shares as cash units."""
    total = SHARES_MAX - 5 * UNIT - spare
    state = with_leaves(exchange(), {share_address(EVE, 0): VaultShare(VAULT, total, 0, 0)})
    new_ledger = ledger(state)._replace(total_shares=total)
    state = with_leaves(state, {vault_ledger_address(VAULT): new_ledger})
    state = with_account(state, VAULT, cash=total + VIRTUAL_SHARES - UNIT)
    assert done(with_account(state, EVE, shares=1), into_vault(ALICE, 5)).outcome is expected


@pytest.mark.parametrize(("vault_spare", "holder_spare"), [(0, 0), (-1, 0), (0, -1)])
def test_a_payout_keeps_both_balances_in_their_range(vault_spare: int, holder_spare: int) -> None:
    payout = 10**6
    state = with_account(exchange(), VAULT, cash=1 - CASH_OFFSET + payout + vault_spare)
    state = with_account(state, ALICE, cash=CASH_OFFSET - 1 - payout - holder_spare)
    rich = Totals(payout, 0, 0, 0, 0, 0)
    is_paid = can_pay(Draft(state, SCAN), VAULT, rich, ALICE, payout)
    assert is_paid is (vault_spare == holder_spare == 0)


def test_a_vault_without_prices_takes_no_deposit() -> None:
    state = holding(minted(), VAULT, 10_000 * UNIT, other=1)
    state = holding(state, CAROL, 10_000 * UNIT, other=-1)
    stale = with_prices(state, OTHER, valid_until_ms=state.time_ms)
    assert failed(stale, into_vault(BOB, 5)) is Outcome.PRICE_STALE
    assert outcome(stale, redeeming(ALICE, MILLION)) is Outcome.PRICE_STALE
    assert refused(stale, signed_as(request(ALICE, 1))) is RejectReason.PRICE_STALE


def test_the_lowest_free_place_holds_new_shares() -> None:
    state = with_account(exchange(), ALICE, shares=0b1011)
    others = {share_address(ALICE, bit): VaultShare(100 + bit, 1, 0, 0) for bit in (0, 1, 3)}
    state = done(with_leaves(state, others), into_vault(ALICE, 5)).state
    assert account_of(state, ALICE).shares == 0b1111
    leaf = state.leaves.get(share_address(ALICE, 2))
    assert isinstance(leaf, VaultShare)
    assert leaf.vault == VAULT


def test_why_a_redemption_fails() -> None:
    state = minted()
    for vault in (99, ALICE, 0):
        body = VaultRedeem(ALICE, owner_of(ALICE), vault, 0)
        assert outcome(state, body) is Outcome.UNKNOWN_VAULT
        transaction = signed_as(request(ALICE, 0, vault=vault))
        assert refused(state, transaction) is RejectReason.UNKNOWN_VAULT
    assert outcome(state, redeeming(ALICE, 0)) is Outcome.AMOUNT_ZERO
    assert outcome(state, redeeming(BOB, 1)) is Outcome.INSUFFICIENT_SHARES
    assert outcome(state, redeeming(ALICE, 1_000 * MILLION + 1)) is Outcome.INSUFFICIENT_SHARES
    empty = with_account(state, VAULT, cash=0)
    assert outcome(empty, redeeming(ALICE, 1)) is Outcome.WORTHLESS
    unknown = VaultRedeem(4_000, owner_of(4_000), VAULT, 1)
    assert outcome(state, unknown) is Outcome.UNKNOWN_ACCOUNT
    signed = {0: RejectReason.AMOUNT_ZERO, 10**18: RejectReason.INSUFFICIENT_SHARES}
    for shares, reason in signed.items():
        assert refused(state, signed_as(request(ALICE, shares))) is reason
    assert refused(empty, signed_as(request(ALICE, 1))) is RejectReason.WORTHLESS


def test_a_frozen_exchange_redeems_only_through_the_queue() -> None:
    state = frozen(minted())
    assert refused(state, signed_as(request(ALICE, 0, vault=99))) is RejectReason.MODE_FORBIDS
    assert done(state, redeeming(ALICE, MILLION)).outcome is Outcome.APPLIED
    assert done(state, into_vault(EVE, 7)).outcome is Outcome.APPLIED


def test_what_the_queue_cannot_hold() -> None:
    state = minted()
    for body in (
        VaultDeposit(ALICE, owner_of(BOB), 5, VAULT),
        VaultDeposit(ALICE, owner_of(ALICE), 0, VAULT),
        VaultDeposit(ALICE, owner_of(ALICE), AMOUNT_MAX, VAULT),
        VaultRedeem(ALICE, owner_of(BOB), VAULT, 5),
    ):
        with pytest.raises(QueueGuaranteeBroken):
            done(state, body)
    full = with_account(state, ALICE, cash=CASH_OFFSET - UNIT)
    with pytest.raises(QueueGuaranteeBroken, match="cash"):
        done(full, VaultDeposit(ALICE, owner_of(ALICE), 1, 99))
