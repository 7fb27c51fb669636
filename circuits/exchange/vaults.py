"""Vaults: shares minted and redeemed, and the queue of those that wait for collateral.

An empty vault counts as a million shares that nobody holds beside one token unit that nobody owns,
so no gift to a vault can make the first depositor's amount worth less than a share. Everything is
rounded in favour of the vault, so minting and redeeming never lower the value of a share.
"""

from __future__ import annotations

from typing import cast

from circuits.exchange.addresses import (
    account_of,
    header_address,
    share_address,
    vault_ledger_address,
    vault_terms_address,
)
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.fills import credit
from circuits.exchange.leaves import Account, AccountKind, VaultLedger, VaultShare, VaultTerms
from circuits.exchange.limits import (
    CASH_OFFSET,
    EPOCH_REDEMPTIONS_MAX,
    PPM,
    SHARE_SLOTS,
    SHARES_MAX,
    VIRTUAL_SHARES,
)
from circuits.exchange.risk import Totals, totals
from circuits.exchange.steps import RedemptionQueued, SharesMinted, SharesRedeemed
from circuits.exchange.times import later
from circuits.exchange.units import CASH_PER_UNIT, TokenUnits, cash_from_units

ALL_SHARES = 2**SHARE_SLOTS - 1
"""The bitmap of an account that holds shares of as many vaults as it may."""


def shares_minted(amount: TokenUnits, equity: int, total_shares: int) -> int:
    """floor(amount * 10^12 * (total + 10^6) / (equity + 10^12)), rounded for the other holders.

    Assumes: equity + 10^12 is above 0; equity is the vault's before the amount arrives.
    """
    return cash_from_units(amount) * (total_shares + VIRTUAL_SHARES) // (equity + CASH_PER_UNIT)


def payout_of(shares: int, sums: Totals, unwind_ppm: int, total_shares: int) -> int:
    """floor(shares * ((equity + 10^12) * 10^6 - gross * 10^12 * unwind) / ((total + 10^6) * 10^6)).

    Cash units, at most the equity: after a loss the token unit that nobody owns would have to be
    paid too. Rounded for the holders who stay, who also keep the unwind fee.
    """
    worth = (sums.equity + CASH_PER_UNIT) * PPM - sums.gross * CASH_PER_UNIT * unwind_ppm
    return min(shares * worth // ((total_shares + VIRTUAL_SHARES) * PPM), sums.equity)


def require_vault(draft: Draft, vault: int) -> Account:
    """The header of an account that is a vault."""
    header = draft.account(vault)
    if header is None or header.kind != AccountKind.VAULT:
        raise Rejected(RejectReason.UNKNOWN_VAULT, "the account of a vault", vault)
    return header


def ledger_of(draft: Draft, vault: int) -> VaultLedger:
    """The ledger of a vault that exists."""
    return cast(VaultLedger, draft.get(vault_ledger_address(vault)))


def terms_of(draft: Draft, vault: int) -> VaultTerms:
    """The terms of a vault that exists."""
    return cast(VaultTerms, draft.get(vault_terms_address(vault)))


def find_shares(draft: Draft, header: Account, account: int, vault: int) -> int:
    """The address of an account's shares of a vault, or 0."""
    bitmap, bit = header.shares, 0
    while bitmap:
        if bitmap & 1:
            address = share_address(account, bit)
            if share_at(draft, address).vault == vault:
                return address
        bitmap >>= 1
        bit += 1
    return 0


def share_at(draft: Draft, address: int) -> VaultShare:
    """The shares at an address that a bitmap or a link leads to."""
    return cast(VaultShare, draft.get(address))


def mint(draft: Draft, time_ms: int, account: int, vault: int, amount: TokenUnits) -> None:
    """Shares for an amount, which becomes the vault's cash.

    Assumes: the account exists, and custody counts the amount already.
    Raises: Rejected with the first rule that fails.
    """
    header = require_vault(draft, vault)
    if account == vault:
        raise Rejected(RejectReason.UNKNOWN_VAULT, "a vault other than the account", vault)
    equity = totals(draft, vault, header, time_ms).equity
    if equity + CASH_PER_UNIT <= 0:
        raise Rejected(RejectReason.WORTHLESS, "a vault that is worth something", equity)
    ledger = ledger_of(draft, vault)
    shares = shares_minted(amount, equity, ledger.total_shares)
    if shares == 0:
        raise Rejected(RejectReason.NO_SHARES, "an amount worth one share", amount)
    if ledger.total_shares + shares > SHARES_MAX:
        raise Rejected(
            RejectReason.SHARES_BOUND, f"at most {SHARES_MAX - ledger.total_shares} shares", shares
        )
    _add_shares(draft, account, vault, shares)
    credit(draft, vault, cash_from_units(amount))
    draft.put(
        vault_ledger_address(vault), ledger._replace(total_shares=ledger.total_shares + shares)
    )
    draft.steps.append(SharesMinted(account, vault, shares))


def _add_shares(draft: Draft, account: int, vault: int, shares: int) -> None:
    header = draft.known(account)
    address = find_shares(draft, header, account, vault)
    if address:
        held = share_at(draft, address)
        draft.put(address, held._replace(shares=held.shares + shares))
        return
    if header.shares == ALL_SHARES:
        raise Rejected(
            RejectReason.TOO_MANY_SHARES, f"shares of at most {SHARE_SLOTS} vaults", "one more"
        )
    free = ~header.shares & (header.shares + 1)
    draft.put_account(account, header._replace(shares=header.shares | free))
    draft.put(share_address(account, free.bit_length() - 1), VaultShare(vault, shares, 0, 0))


def redeem(draft: Draft, time_ms: int, account: int, vault: int, shares: int) -> None:
    """Cash for shares: at once if nobody waits and the collateral is free, else in the queue.

    Assumes: the account exists.
    Raises: Rejected with the first rule that fails, before anything is written.
    """
    header = require_vault(draft, vault)
    if shares == 0:
        raise Rejected(RejectReason.AMOUNT_ZERO, "shares above 0", shares)
    address = find_shares(draft, draft.known(account), account, vault)
    free = share_at(draft, address).shares - share_at(draft, address).pending if address else 0
    if shares > free:
        raise Rejected(RejectReason.INSUFFICIENT_SHARES, f"at most {free} shares", shares)
    sums = totals(draft, vault, header, time_ms)
    ledger = ledger_of(draft, vault)
    payout = payout_of(shares, sums, terms_of(draft, vault).unwind_ppm, ledger.total_shares)
    if payout <= 0:
        raise Rejected(RejectReason.WORTHLESS, "shares that are worth something", sums.equity)
    if ledger.queue_head == 0 and can_pay(draft, vault, sums, account, payout):
        _pay(draft, vault, address, shares, payout)
    else:
        _enqueue(draft, vault, address, shares)


def can_pay(draft: Draft, vault: int, sums: Totals, holder: int, payout: int) -> bool:
    """Whether a vault keeps its initial requirement, and both cash balances their range."""
    return (
        sums.equity - payout >= sums.initial
        and draft.known(vault).cash - payout > -CASH_OFFSET
        and draft.known(holder).cash + payout < CASH_OFFSET
    )


def _pay(draft: Draft, vault: int, address: int, shares: int, payout: int) -> None:
    """Burn shares of the holder at an address, and pay for them."""
    account = account_of(address)
    held = share_at(draft, address)
    if held.shares > shares:
        draft.put(address, held._replace(shares=held.shares - shares))
    else:
        header = draft.known(account)
        bit = address - share_address(account, 0)
        draft.put(address, None)
        draft.put(header_address(account), header._replace(shares=header.shares & ~(1 << bit)))
    ledger = ledger_of(draft, vault)
    draft.put(
        vault_ledger_address(vault), ledger._replace(total_shares=ledger.total_shares - shares)
    )
    credit(draft, vault, -payout)
    credit(draft, account, payout)
    draft.steps.append(SharesRedeemed(account, vault, shares, payout))


def _enqueue(draft: Draft, vault: int, address: int, shares: int) -> None:
    """Let shares wait; a holder who waits already keeps the place in the queue."""
    held, ledger = share_at(draft, address), ledger_of(draft, vault)
    draft.put(address, held._replace(pending=held.pending + shares))
    ledger = ledger._replace(pending_shares=ledger.pending_shares + shares)
    if held.pending == 0:
        if ledger.queue_tail:
            last = share_at(draft, ledger.queue_tail)
            draft.put(ledger.queue_tail, last._replace(next=address))
            ledger = ledger._replace(queue_tail=address)
        else:
            ledger = ledger._replace(queue_head=address, queue_tail=address)
    draft.put(vault_ledger_address(vault), ledger)
    draft.steps.append(RedemptionQueued(account_of(address), vault, shares))


def settle_epoch(draft: Draft, time_ms: int, vault: int) -> None:
    """Pay those who wait, first come first, until one cannot be paid.

    The next epoch begins then; while more wait than one settlement pays, it stays due.
    Raises: Rejected with the first rule that fails.
    """
    header = require_vault(draft, vault)
    ledger = ledger_of(draft, vault)
    if ledger.queue_head == 0:
        raise Rejected(RejectReason.NOTHING_DUE, "redemptions that wait", "none")
    if time_ms < ledger.next_epoch_ms:
        raise Rejected(RejectReason.NOT_DUE, f"a time from {ledger.next_epoch_ms} ms", time_ms)
    sums = totals(draft, vault, header, time_ms)
    terms = terms_of(draft, vault)
    for _ in range(EPOCH_REDEMPTIONS_MAX):
        payout = _pay_head(draft, vault, sums, terms.unwind_ppm)
        if payout == 0:
            break
        sums = sums._replace(equity=sums.equity - payout)
    else:
        if ledger_of(draft, vault).queue_head:
            return
    ledger = ledger_of(draft, vault)._replace(next_epoch_ms=later(time_ms, terms.epoch_ms))
    draft.put(vault_ledger_address(vault), ledger)


def _pay_head(draft: Draft, vault: int, sums: Totals, unwind_ppm: int) -> int:
    """What the first of the queue was paid, 0 if there is none or the vault cannot."""
    ledger = ledger_of(draft, vault)
    address = ledger.queue_head
    if address == 0:
        return 0
    held = share_at(draft, address)
    payout = payout_of(held.pending, sums, unwind_ppm, ledger.total_shares)
    if payout <= 0 or not can_pay(draft, vault, sums, account_of(address), payout):
        return 0
    draft.put(
        vault_ledger_address(vault),
        ledger._replace(
            pending_shares=ledger.pending_shares - held.pending,
            queue_head=held.next,
            queue_tail=ledger.queue_tail if held.next else 0,
        ),
    )
    draft.put(address, held._replace(pending=0, next=0))
    _pay(draft, vault, address, held.pending, payout)
    return payout
