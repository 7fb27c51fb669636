"""What is due, found by trying everything: the slow and obviously right way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from circuits.exchange.addresses import (
    account_of,
    market_of,
    prices_address,
    slot_of,
    terms_address,
)
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.bodies import Body, Derived
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.gates import TRIGGER_LISTS
from circuits.exchange.leaves import MarketPrices, MarketTerms, Order, Position, VaultTerms
from circuits.exchange.risk import position_totals
from circuits.exchange.state import State
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.expire import Expire
from circuits.exchange.transactions.fire_trigger import FireTrigger
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.take_over import TakeOver
from circuits.exchange.transactions.vault_settle_epoch import VaultSettleEpoch
from sequencer.due_work import DueWork
from tests.support.distress import with_vault_terms
from tests.support.exchange import deposit
from tests.support.listed import BOB, MARKET, accept_all, tick
from tests.support.market import INSURANCE, LP_VAULT, apply_body


def markets_of(state: State) -> list[int]:
    return [market_of(at) for at, leaf in state.leaves.items() if isinstance(leaf, MarketTerms)]


def unsafe_accounts(state: State) -> set[int]:
    """Who is below maintenance or in debt, whether or not the prices are still valid."""
    slack = {account: header.cash for account, header in state.accounts.items()}
    for address, leaf in state.leaves.items():
        if isinstance(leaf, Position):
            prices = cast(MarketPrices, state.leaves.get(prices_address(leaf.market)))
            terms = cast(MarketTerms, state.leaves.get(terms_address(leaf.market)))
            sums = position_totals(leaf.size, prices, terms)
            slack[account_of(address)] += sums.equity - sums.maintenance
    return {account for account, left in slack.items() if left < 0}


def everyday(state: State, time_ms: int) -> Iterator[Derived]:
    """Every command that can be due by time, price or trigger."""
    for market in markets_of(state):
        yield from (FundingSample(market), FundingSettle(market), Halt(market), Resume(market))
        yield from (FireTrigger(market, *each) for each in TRIGGER_LISTS)
    for address, leaf in state.leaves.items():
        if isinstance(leaf, Order) and leaf.good_until_ms < time_ms:
            yield Expire(market_of(address), slot_of(address))
        elif isinstance(leaf, VaultTerms):
            yield VaultSettleEpoch(LP_VAULT)


def sales(state: State) -> Iterator[Derived]:
    """Every account out of the books, every position to the book."""
    for account in state.accounts:
        yield ClearOrders(account)
        yield from (Liquidate(account, market, 1) for market in markets_of(state))


def rescues(state: State) -> Iterator[Derived]:
    """Every position to every backstop or counterparty, every debt paid."""
    for account in state.accounts:
        yield CoverDeficit(account)
        for market in markets_of(state):
            yield from (TakeOver(account, market, 1, each) for each in (INSURANCE, LP_VAULT))
            yield from (AutoDeleverage(account, market, other) for other in state.accounts)


def accepted(state: State, time_ms: int, bodies: Iterator[Derived]) -> list[Derived]:
    """Those that the rules would accept now."""
    return [body for body in bodies if apply_body(state, body, time_ms).rejected is None]


class Venue:
    """A state that moves on, with what is due; the liquidity vault keeps silent unless told."""

    def __init__(self, state: State, *, is_quoting: bool = False) -> None:
        self.state = state if is_quoting else with_vault_terms(state, quote_layers=0)
        self.work = DueWork(self.state)

    def next(self, later_ms: int = 0) -> Body | None:
        """What is due next, some time from now."""
        command = self.work.next(self.state, self.state.time_ms + later_ms)
        return None if command is None else command.body

    def take(self, later_ms: int = 0) -> Body | None:
        """What is due next, once it was applied."""
        body = self.next(later_ms)
        if body is not None:
            assert self.give(body, later_ms).is_accepted
        return body

    def take_all(self, later_ms: int = 0) -> list[Body]:
        """All that is due, once it was applied."""
        self.give(deposit(BOB, 1), later_ms)
        taken = []
        while (body := self.take()) is not None:
            taken.append(body)
            assert len(taken) < 100
        return taken

    def give(self, body: Body, later_ms: int = 0) -> Receipt:
        """Any command."""
        command = Command(self.state.time_ms + later_ms, body)
        receipt = apply_command(self.state, command, verify=accept_all)
        self.state = receipt.state
        self.work.record(receipt)
        return receipt

    def refuse(self, body: Body, later_ms: int = 0) -> None:
        """Tell of a refusal, whatever the rules would have said."""
        rejected = Rejected(RejectReason.NOT_DUE, "another time", "this one")
        command = Command(self.state.time_ms + later_ms, body)
        self.work.record(Receipt(command, self.state, None, rejected))

    def tick(self, price: int = 1000, market: int = MARKET) -> None:
        """All signers name a price a millisecond later."""
        quotes = tick(price, price, price, time_ms=self.state.time_ms + 1, market=market)
        receipt = self.give(quotes, 1)
        assert receipt.rejected is None, receipt.rejected
