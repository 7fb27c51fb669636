"""What a trader sees of the exchange, and the commands that are made of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, cast

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    book_address,
    header_address,
    order_address,
    position_address,
    prices_address,
    trigger_address,
)
from circuits.exchange.bodies import Signed, SignedTransaction
from circuits.exchange.leaves import (
    Account,
    AgentKey,
    Controls,
    Leaf,
    MarketBook,
    MarketPrices,
    Mode,
    Order,
    Position,
    Side,
)
from circuits.exchange.limits import ACCOUNT_SLOTS, AGENT_SLOT_FIRST, POSITION_SLOTS
from circuits.exchange.state import State
from circuits.exchange.steps import Rested, Step, TriggerRested
from circuits.exchange.transactions.batch import PlaceOperation
from circuits.exchange.transactions.place import Place
from circuits.exchange.units import CASH_PER_UNIT
from sequencer.sim.keys import UNSIGNED
from sequencer.sim.markets import MARKETS, Market, PricePath
from sequencer.sim.plan import Plan

GTT, IOC, FOK, POST_ONLY = 0, 1, 2, 3
BID, ASK = int(Side.BID), int(Side.ASK)

SIGNED_FOR_TICKS = 20
"""How many ticks long a signature is good."""


class Resting(NamedTuple):
    """Where an order or trigger of an account was put."""

    market: int
    slot: int
    key_slot: int
    nonce: int
    is_trigger: bool


@dataclass(frozen=True, slots=True)
class Trader:
    """An account of the market, its owner, and the key that signs its orders: 0 or an agent's."""

    account: int
    owner: int
    key_slot: int


class Desk:
    """A view of the exchange that the planner keeps up to date."""

    def __init__(self, plan: Plan, rng: random.Random, path: PricePath) -> None:
        self.plan = plan
        self.rng = rng
        self.path = path
        self.state = State(plan.header.domain)
        self.time_ms = plan.start_ms
        self.progress = 0
        self._resting: dict[tuple[int, int], list[Resting]] = {}

    def take_note(self, steps: Iterable[Step]) -> None:
        """Remember what came to rest; what left is noticed when it is looked for."""
        for step in steps:
            if isinstance(step, Rested | TriggerRested):
                account, key_slot, nonce = step.order
                is_trigger = isinstance(step, TriggerRested)
                resting = Resting(step.market, step.slot, key_slot, nonce, is_trigger)
                self._resting.setdefault((account, step.market), []).append(resting)

    def leaf(self, address: int) -> Leaf | None:
        """Any leaf of the exchange."""
        return self.state.leaves.entries().get(address)

    def header(self, account: int) -> Account:
        """The header of an account that exists."""
        return cast(Account, self.leaf(header_address(account)))

    def is_open(self, account: int) -> bool:
        """Whether there is such an account; a sub-account is opened by its first collateral."""
        return self.leaf(header_address(account)) is not None

    def is_frozen(self) -> bool:
        """Whether governance has stopped everything."""
        controls = self.leaf(CONTROLS_ADDRESS)
        return controls is not None and cast(Controls, controls).mode == Mode.FROZEN

    def prices(self, market: Market) -> MarketPrices:
        """The live prices of a market."""
        return cast(MarketPrices, self.leaf(prices_address(market.number)))

    def fair(self, market: Market) -> int:
        """The price that everyone but the exchange knows."""
        return self.path.prices[market.number]

    def top(self, market: Market, side: int) -> int:
        """The best price of a side, or 0."""
        book = cast(MarketBook, self.leaf(book_address(market.number)))
        slot = book.best_bid if side == BID else book.best_ask
        if slot == 0:
            return 0
        return cast(Order, self.leaf(order_address(market.number, slot))).price

    def positions(self, account: int) -> list[Position]:
        """All positions of an account."""
        bitmap = self.header(account).positions
        return [
            cast(Position, self.leaf(position_address(account, bit)))
            for bit in range(POSITION_SLOTS)
            if bitmap >> bit & 1
        ]

    def size(self, account: int, market: Market) -> int:
        """Signed lots in a market."""
        for position in self.positions(account):
            if position.market == market.number:
                return position.size
        return 0

    def worth(self, account: int) -> tuple[int, int]:
        """Equity, but for funding, and the sum of all notionals, at the fair prices."""
        equity, gross = self.header(account).cash // CASH_PER_UNIT, 0
        for position in self.positions(account):
            market = MARKETS[position.market]
            notional = position.size * self.fair(market) * market.quote_per_tick_lot
            equity += notional
            gross += abs(notional)
        return equity, gross

    def resting(self, account: int, market: Market) -> list[Resting]:
        """What rests in a market, the oldest first."""
        key = account, market.number
        found = [each for each in self._resting.get(key, ()) if self._rests(account, each)]
        self._resting[key] = found
        return found

    def order(self, resting: Resting) -> Order:
        """The leaf of an order that rests."""
        return cast(Order, self.leaf(order_address(resting.market, resting.slot)))

    def nonce(self, account: int, key_slot: int) -> int:
        """The next nonce of a key."""
        if key_slot == 0:
            return self.header(account).nonce + 1
        agent = self.leaf(account * ACCOUNT_SLOTS + AGENT_SLOT_FIRST + key_slot - 1)
        return 1 if agent is None else cast(AgentKey, agent).nonce + 1

    def later(self, ticks: int) -> int:
        """The time after so many ticks."""
        return self.time_ms + ticks * self.plan.tick_ms

    def signing(self, trader: Trader) -> tuple[int, int, int, int]:
        """The fields that every command of a trader begins with."""
        nonce = self.nonce(trader.account, trader.key_slot)
        return trader.account, nonce, self.later(SIGNED_FOR_TICKS), trader.key_slot

    def owning(self, account: int) -> tuple[int, int, int]:
        """The fields that begin a command which only the account's own key signs."""
        return account, self.nonce(account, 0), self.later(SIGNED_FOR_TICKS)

    def place(self, trader: Trader, wanted: PlaceOperation) -> Signed:
        """An order of its own."""
        return unsigned(
            Place(
                *self.signing(trader),
                wanted.market,
                wanted.side,
                wanted.time_in_force,
                wanted.reduce_only,
                wanted.price,
                wanted.size,
                wanted.good_until_ms,
            )
        )

    def _rests(self, account: int, resting: Resting) -> bool:
        at = trigger_address if resting.is_trigger else order_address
        leaf = self.leaf(at(resting.market, resting.slot))
        return leaf is not None and leaf[:3] == (account, resting.key_slot, resting.nonce)


def unsigned(transaction: SignedTransaction) -> Signed:
    """A transaction that will be signed before it is applied."""
    return Signed(transaction, UNSIGNED)
