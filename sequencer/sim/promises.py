"""What an account may rely on, whatever a command does: checked against how things were before."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.exchange.addresses import account_of, vault_ledger_address
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.bodies import Signed
from circuits.exchange.errors import Rejected
from circuits.exchange.events import Executed
from circuits.exchange.leaves import Account, AccountKind, VaultLedger
from circuits.exchange.limits import VIRTUAL_SHARES
from circuits.exchange.risk import Health, totals
from circuits.exchange.state import State
from circuits.exchange.steps import Filled
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.looking import looking_at
from sequencer.sim.lists import require
from sequencer.sim.sums import Change

UNSHARED = (AccountKind.VAULT, AccountKind.INSURANCE)
"""Kinds whose cash pays for others by design."""


@dataclass(frozen=True, slots=True)
class Before:
    """How things were: the signer's health, and the worth and shares of the vault concerned."""

    health: Health | None
    vault: int
    worth: tuple[int, int] | None


def before(state: State, command: Command) -> Before:
    """Look at all that the command may not make worse. Assumes: `state` is the newest."""
    body = command.body
    health = None
    if isinstance(body, Signed):
        health = health_of(state, body.transaction.account, command.time_ms)
    vault: int = getattr(body.transaction if isinstance(body, Signed) else body, "vault", 0)
    return Before(health, vault, worth_of(state, vault, command.time_ms))


def require_kept(earlier: Before, receipt: Receipt, changes: list[Change]) -> None:
    """Check an applied command against how things were.

    Raises: CheckFailed.
    """
    command, state = receipt.command, receipt.state
    if earlier.health is Health.HEALTHY and isinstance(command.body, Signed):
        account = command.body.transaction.account
        health = health_of(state, account, command.time_ms)
        is_kept = health in (None, Health.HEALTHY, Health.TIGHT)
        require(is_kept, f"account {account}: health", "no liquidation by its own command", health)
    if earlier.worth is not None:
        later = worth_of(state, earlier.vault, command.time_ms)
        if later is not None:
            (worth, shares), (new_worth, new_shares) = earlier.worth, later
            is_kept = new_worth * shares >= worth * new_shares
            place = f"vault {earlier.vault}: worth of a share"
            require(is_kept, place, f"at least {worth} / {shares}", f"{new_worth} / {new_shares}")
    require_not_socialised(receipt, changes)


def require_not_socialised(receipt: Receipt, changes: list[Change]) -> None:
    """Check that nobody pays who neither acted, nor traded, nor had a position.

    Raises: CheckFailed.
    """
    body, event = receipt.command.body, receipt.event
    part = body.transaction if isinstance(body, Signed) else body
    acting = {getattr(part, "account", 0), getattr(part, "sub", 0)}
    if isinstance(event, Executed):
        for step in event.steps:
            if isinstance(step, Filled):
                acting |= {step.taker.account, step.maker.account}
    for address, old, new in changes:
        if isinstance(old, Account) and isinstance(new, Account) and new.cash < old.cash:
            account = account_of(address)
            is_fair = account in acting or old.positions or old.kind in UNSHARED
            place = f"account {account}: cash"
            require(bool(is_fair), place, f"no loss without a position, {old.cash}", new.cash)


def health_of(state: State, account: int, time_ms: int) -> Health | None:
    """The health of an account; None without a header, or without a price that it needs."""
    with looking_at(state) as draft:
        header = draft.account(account)
        if header is None:
            return None
        try:
            return totals(draft, account, header, time_ms).health
        except Rejected:
            return None


def worth_of(state: State, vault: int, time_ms: int) -> tuple[int, int] | None:
    """Equity and shares of a vault, the virtual ones included; None where there is neither."""
    ledger = state.leaves.get(vault_ledger_address(vault))
    if not isinstance(ledger, VaultLedger):
        return None
    with looking_at(state) as draft:
        try:
            equity = totals(draft, vault, draft.known(vault), time_ms).equity
        except Rejected:
            return None
    return equity + CASH_PER_UNIT, ledger.total_shares + VIRTUAL_SHARES
