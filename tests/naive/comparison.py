"""Both implementations side by side, one command after the other, and what must hold after each."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from circuits.edwards import Point
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.bodies import Signed
from circuits.exchange.events import NULL_OBSERVER, Executed, Kind
from circuits.exchange.guide import SCAN, Guide
from circuits.exchange.state import State
from circuits.exchange.steps import Filled, TakenOver
from circuits.exchange.transactions.authority import Transaction, signed_words
from circuits.signature import Signature
from tests.naive.double_entry import portfolio
from tests.naive.exchange import NaiveExchange, NaiveReceipt
from tests.naive.flow import WEIGHTS, Flow
from tests.naive.health import totals_of
from tests.naive.state_views import view_of_state
from tests.naive.vaults import share_value
from tests.naive.views import View
from tests.naive.world import Fill, World
from tests.support.exchange import DOMAIN

SHARE_KINDS = (
    Kind.VAULT_DEPOSIT,
    Kind.VAULT_REDEEM,
    Kind.VAULT_REDEEM_REQUEST,
    Kind.VAULT_SETTLE_EPOCH,
)
FORCING_KINDS = (Kind.CLEAR_ORDERS, Kind.LIQUIDATE, Kind.TAKE_OVER, Kind.AUTO_DELEVERAGE)


def accept_all(key: Point, digest: int, signature: Signature) -> None:
    """Stands for the cryptography: every signature holds."""


def no_digest(transaction: Transaction, domain: int) -> int:
    """The rule of field widths without the hash."""
    return len(signed_words(transaction, domain))


def fills_of(receipt: Receipt) -> tuple[Fill, ...]:
    """Trades that the first implementation tells of."""
    steps = receipt.event.steps if isinstance(receipt.event, Executed) else ()
    fills = []
    for step in steps:
        if isinstance(step, Filled):
            parties = step.taker.account, step.maker.account
            fills.append(Fill(step.market, step.price, step.size, *parties))
        elif isinstance(step, TakenOver):
            parties = step.account, step.counterparty
            fills.append(Fill(step.market, step.price, step.size, *parties))
    return tuple(fills)


def kind_and_account(command: Command) -> tuple[Kind, int]:
    body: Any = command.body
    if isinstance(body, Signed):
        return body.transaction.KIND, body.transaction.account
    return body.KIND, getattr(body, "account", 0)


def differences(left: View, right: View) -> list[str]:
    """Where two views differ, fact by fact: the second implementation's first."""
    found = []
    for section in left:
        ours, theirs = left[section], right[section]
        if ours == theirs:
            continue
        if not isinstance(ours, dict):
            found.append(f"{section}: expected {ours}, got {theirs}")
            continue
        found.extend(
            f"{section} {key}: expected {ours.get(key)}, got {theirs.get(key)}"
            for key in ours.keys() | theirs.keys()
            if ours.get(key) != theirs.get(key)
        )
    return found


class Comparison:
    """One seed's stream through both; every disagreement is an AssertionError that names it.

    `guide` answers the first implementation's questions of where things are.
    """

    def __init__(
        self, seed: int, kinds: Collection[Kind] = tuple(WEIGHTS), guide: Guide = SCAN
    ) -> None:
        self.seed, self.count, self.guide = seed, 0, guide
        self.naive, self.state = NaiveExchange(), State(DOMAIN)
        self.flow = Flow(self.naive, seed, kinds)
        self.view = self.naive.view()

    def step(self) -> tuple[Command, NaiveReceipt]:
        """One more command."""
        command = self.flow.next()
        self.count += 1
        kind, account = kind_and_account(command)
        watch = Watch(self.naive.world, kind, account, self.view)
        expected = self.naive.apply(command)
        receipt = apply_command(
            self.state, command, NULL_OBSERVER, accept_all, no_digest, self.guide
        )
        where = f"seed {self.seed}, command {self.count}: {command}\n{receipt.rejected or ''}"
        got = NaiveReceipt(
            receipt.is_accepted,
            receipt.rejected.reason if receipt.rejected else None,
            receipt.outcome,
            fills_of(receipt),
        )
        assert got == expected, f"{where}\nexpected {expected}\n     got {got}"
        view = self.naive.view()
        if not expected.accepted:
            assert receipt.state is self.state, where
            assert view == self.view, where
            return command, expected
        self.state, self.view = receipt.state, view
        faults = differences(self.view, view_of_state(self.state))
        assert not faults, "\n".join([where, *faults])
        faults = [*standing_faults(self.view), *watch.faults(view, expected)]
        assert not faults, "\n".join([where, *faults])
        return command, expected


def standing_faults(view: View) -> list[str]:
    """What must hold at any time; the counts of headers and lists hold where the views agree."""
    faults = []
    if sum(facts[3] for facts in view["accounts"].values()) != view["custody"] * 10**12:
        faults.append("the sum of cash is not what is in custody")
    for market, facts in view["markets"].items():
        sizes = [size for (_, where), (size, *_) in view["positions"].items() if where == market]
        if sum(sizes):
            faults.append(f"the sizes of market {market} add up to {sum(sizes)}")
        if facts[-1] != sum(size for size in sizes if size > 0):
            faults.append(f"the open interest of market {market} is not what is long")
        bids, asks = ([order[4] for order in view["books"][market, side]] for side in (0, 1))
        if bids != sorted(bids, reverse=True) or asks != sorted(asks):
            faults.append(f"the book of market {market} is not sorted")
        if bids and asks and bids[0] >= asks[0]:
            faults.append(f"the book of market {market} is crossed: {bids[0]}, {asks[0]}")
    return faults


class Watch:
    """What was so before a command, for the rules on how things may change."""

    def __init__(self, world: World, kind: Kind, account: int, view: View) -> None:
        self.world, self.kind, self.account, self.view = world, kind, account, view
        self.marks = {number: market.mark for number, market in world.markets.items()}
        self.was_healthy = False
        if kind.is_signed and account in world.accounts:
            self.was_healthy = totals_of(world, portfolio(world, account)).is_healthy
        self.values: dict[int, Fraction] = {}
        if kind in SHARE_KINDS:
            self.values = {vault: share_value(world, vault) for vault in world.vaults}

    def faults(self, view: View, receipt: NaiveReceipt) -> list[str]:
        """Which of them are broken."""
        found = []
        if self.was_healthy:
            assert self.marks == {number: each.mark for number, each in self.world.markets.items()}
            if totals_of(self.world, portfolio(self.world, self.account)).is_liquidatable:
                found.append(f"account {self.account} made itself liquidatable")
        for vault, value in self.values.items():
            if share_value(self.world, vault) < value:
                found.append(f"shares of vault {vault} lost value")
        if self.kind in FORCING_KINDS or self.kind == Kind.COVER_DEFICIT:
            found.extend(self._touched(view, receipt))
        return found

    def _touched(self, view: View, receipt: NaiveReceipt) -> list[str]:
        """Accounts that had no part in what was forced on others, and yet lost or gained."""
        fees = self.world.fees
        parties = {who for each in receipt.fills for who in (each.taker, each.maker)}
        allowed = parties | {self.world.accounts[who].referrer for who in parties}
        if fees:
            allowed |= {fees.fee_account, fees.insurance_account, fees.vault_account}
        if self.kind == Kind.COVER_DEFICIT:
            allowed.add(self.account)
        before, after = self.view["accounts"], view["accounts"]
        changed = [who for who in after if after[who][3] != before[who][3]]
        return [f"the cash of account {who} changed" for who in changed if who not in allowed]
