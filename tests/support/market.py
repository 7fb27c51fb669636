"""A market with funded traders to play with: every signature holds, nonces count up by themselves.

Lots cost 10 token units a tick; the mark is 1000 ticks, so a lot is worth 10,000 token units and
needs 1000 of margin. A trader starts with 10^9.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

from circuits.edwards import Point
from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    agent_address,
    book_address,
    header_address,
    order_address,
    position_address,
    prices_address,
    signer_address,
    terms_address,
    trigger_address,
    vault_ledger_address,
    vault_terms_address,
)
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.draft import TRIGGER_HEADS
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Event, Executed, Outcome
from circuits.exchange.guide import SCAN, Guide
from circuits.exchange.leaf_map import LeafMap
from circuits.exchange.leaves import (
    Account,
    AccountKind,
    AgentKey,
    Controls,
    FeeTerms,
    Leaf,
    MarketBook,
    MarketPrices,
    MarketTerms,
    OracleSigner,
    Order,
    Position,
    Side,
    Trigger,
    VaultLedger,
    VaultTerms,
)
from circuits.exchange.limits import TIME_MAX_MS
from circuits.exchange.state import State
from circuits.exchange.steps import Step
from circuits.exchange.transactions.authority import Transaction, signed_words
from circuits.exchange.transactions.batch import (
    Batch,
    CancelOperation,
    Operation,
    PlaceOperation,
)
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.modify import Modify
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.place_trigger import PlaceTrigger
from circuits.exchange.units import CASH_PER_UNIT
from circuits.signature import Signature
from tests.support.exchange import DOMAIN, account_key_of, owner_of, public_key_of
from tests.support.invariants import check_state

FEE, INSURANCE, LP_VAULT = 1, 2, 3
TRADER_FIRST = 11
ANN, BOB, CAT, DAN = 11, 12, 13, 14
"""The first four traders."""

TRADER_UNITS = 10**9
START_MS = 1000 * 3_600_000 + 1
"""Just after a full hour, so a minute is left until anything is due."""

LATER_MS = 30_000
"""How long after the start the price stays valid."""

QUOTE, MARK = 10, 1000
LOT_UNITS = QUOTE * MARK
"""Token units of a lot at the mark; a tenth of that is its margin."""

BID, ASK = Side.BID, Side.ASK
GTT, IOC, FOK, POST_ONLY = range(4)
UNSIGNED = Signature(1, 2, 3)

TERMS = MarketTerms(
    quote_per_tick_lot=QUOTE,
    initial_ppm=100_000,
    maintenance_ppm=50_000,
    close_out_ppm=500_000,
    withdraw_buffer_ppm=10_000,
    liquidation_fee_ppm=10_000,
    outlier_ppm=5_000,
    band_ppm=100_000,
    mark_band_ppm=20_000,
    cooldown_ticks=3,
    tier_1_notional=10**12,
    tier_1_initial_ppm=100_000,
    tier_1_maintenance_ppm=50_000,
    tier_2_notional=10**13,
    tier_2_initial_ppm=100_000,
    tier_2_maintenance_ppm=50_000,
    max_age_ms=5_000,
    price_valid_ms=LATER_MS,
    interest_ppb=12_500,
    funding_clamp_ppb=62_500,
    funding_cap_ppb=5_000_000,
    size_min=2,
    open_interest_max=1_000_000,
)
PRICES = MarketPrices(
    index_price=MARK,
    mark_price=MARK,
    price_time_ms=START_MS,
    valid_until_ms=START_MS + LATER_MS,
    status=0,
    halted=0,
    cooldown_count=0,
    pending=0,
    funding_index=0,
    premium_sum=0,
    premium_samples=0,
    next_sample_ms=START_MS + 59_999,
    next_settlement_ms=START_MS + 3_599_999,
)
FEES = FeeTerms(500, 200, 100_000, 200_000, 300_000, FEE, INSURANCE, LP_VAULT)
CAPS = VaultTerms(
    leverage_cap_ppm=3_000_000,
    exposure_cap=2 * 10**9,
    skew_cap=10**9,
    epoch_ms=3_600_000,
    unwind_ppm=1_000,
    quote_spread_ppm=1_000,
    quote_step_ppm=1_000,
    quote_skew_ppm=5_000,
    quote_size=100,
    quote_layers=2,
)


def accept_all(key: Point, digest: int, signature: Signature) -> None:
    """A verifier under which every signature holds."""


def widths_only(transaction: Transaction, domain: int) -> int:
    """A digest that costs nothing, but refuses the fields that a digest refuses."""
    signed_words(transaction, domain)
    return 0


def apply_body(state: State, body: Body, time_ms: int, guide: Guide = SCAN) -> Receipt:
    """One command, with every signature taken as good."""
    return apply_command(
        state, Command(time_ms, body), verify=accept_all, digest=widths_only, guide=guide
    )


def listed_leaves(market: int) -> dict[int, Leaf]:
    """A market without orders or positions."""
    return {
        terms_address(market): TERMS,
        prices_address(market): PRICES,
        book_address(market): MarketBook(),
    }


def market_state(trader_count: int = 4, market_count: int = 1) -> State:
    """Fee, insurance and vault accounts, markets 0.. with a price, and funded traders 11.."""
    kinds = {FEE: AccountKind.FEE, INSURANCE: AccountKind.INSURANCE, LP_VAULT: AccountKind.VAULT}
    traders = range(TRADER_FIRST, TRADER_FIRST + trader_count)
    leaves: dict[int, Leaf] = {
        FEE_TERMS_ADDRESS: FEES,
        CONTROLS_ADDRESS: Controls(quorum=2, signer_count=3),
        vault_terms_address(LP_VAULT): CAPS,
        vault_ledger_address(LP_VAULT): VaultLedger(0, 0, 0, 0, START_MS + CAPS.epoch_ms),
    }
    for signer in range(3):
        leaves[signer_address(signer)] = OracleSigner(*public_key_of(90 + signer))
    for market in range(market_count):
        leaves.update(listed_leaves(market))
    for account in (*kinds, *traders):
        leaves[header_address(account)] = Account(
            owner_of(account),
            account_key_of(account),
            cash=TRADER_UNITS * CASH_PER_UNIT,
            kind=kinds.get(account, AccountKind.USER),
        )
    custody = TRADER_UNITS * (len(kinds) + trader_count)
    return State(DOMAIN, START_MS, 0, custody, LeafMap().with_changes(leaves))


class Scene:
    """A state that moves on with every accepted command, checked to be whole each time."""

    def __init__(
        self, trader_count: int = 4, market_count: int = 1, guide: Guide = SCAN, check: bool = True
    ) -> None:
        self.state = market_state(trader_count, market_count)
        self.time_ms = START_MS
        self.guide = guide
        self.check = check
        self._nonces: dict[tuple[int, int], int] = defaultdict(int)

    # Commands

    def run(self, body: Body) -> Receipt:
        """Try a command; the scene moves on if it is accepted."""
        receipt = apply_body(self.state, body, self.time_ms, self.guide)
        if receipt.rejected is not None:
            assert receipt.state is self.state
        self.state = receipt.state
        if self.check:
            check_state(self.state)
        return receipt

    def do(self, body: Body) -> tuple[Step, ...]:
        """The steps of a command that must be accepted."""
        receipt = self.run(body)
        assert receipt.rejected is None, receipt.rejected
        event: Event | None = receipt.event
        return event.steps if isinstance(event, Executed) else ()

    def outcome(self, body: Body) -> Outcome | None:
        """What became of a queued command."""
        return self.run(body).outcome

    def reason(self, body: Body) -> RejectReason | None:
        """Why a command is refused; None if it is not."""
        rejected: Rejected | None = self.run(body).rejected
        return None if rejected is None else rejected.reason

    def nonce(self, account: int, key_slot: int = 0, count: int = 1) -> int:
        """The next nonce of a key, used up."""
        first = self._nonces[account, key_slot] + 1
        self._nonces[account, key_slot] += count
        return first

    def place(self, account: int, side: int, price: int, size: int, **fields: Any) -> Signed:
        """A place command; the fields left out are those of the plainest order."""
        key_slot = fields.pop("key_slot", 0)
        nonce = fields.pop("nonce", None) or self.nonce(account, key_slot)
        expiry_ms = fields.pop("expiry_ms", TIME_MAX_MS)
        order = operation(side, price, size, **fields)
        return signed(Place(account, nonce, expiry_ms, key_slot, *values_of(order)))

    def modify(
        self, account: int, old: tuple[int, int], side: int, price: int, size: int, **fields: Any
    ) -> Signed:
        """A modify of the order of key slot and nonce `old`."""
        key_slot = fields.pop("key_slot", 0)
        nonce = self.nonce(account, key_slot)
        order = operation(side, price, size, **fields)
        return signed(Modify(account, nonce, TIME_MAX_MS, key_slot, *old, *values_of(order)))

    def cancel(
        self, account: int, order_nonce: int, order_key_slot: int = 0, **fields: int
    ) -> Signed:
        """A cancel of the order or trigger of that name."""
        key_slot = fields.get("key_slot", 0)
        nonce = self.nonce(account, key_slot)
        return signed(Cancel(account, nonce, TIME_MAX_MS, key_slot, order_key_slot, order_nonce))

    def cancel_all(self, account: int, key_slot: int = 0) -> Signed:
        """A cancel of all."""
        nonce = self.nonce(account, key_slot)
        return signed(CancelAll(account, nonce, TIME_MAX_MS, key_slot))

    def batch(self, account: int, *operations: Operation, key_slot: int = 0) -> Signed:
        """A batch; its nonces are used up."""
        nonce = self.nonce(account, key_slot, max(1, len(operations)))
        return signed(Batch(account, nonce, TIME_MAX_MS, key_slot, operations))

    def trigger(self, account: int, trigger_price: int, **fields: int) -> Signed:
        """A trigger; the fields left out are those of a stop that sells two lots at any price."""
        values = {
            "market": 0, "side": ASK, "time_in_force": IOC, "reduce_only": 0, "source": 0,
            "direction": 1, "trigger_price": trigger_price, "price": 1, "size": 2,
            "good_until_ms": TIME_MAX_MS, "key_slot": 0,
        } | fields  # fmt: skip
        nonce = self.nonce(account, values["key_slot"])
        return signed(PlaceTrigger(account=account, nonce=nonce, expiry_ms=TIME_MAX_MS, **values))

    def rest(self, account: int, side: int, price: int, size: int, **fields: Any) -> int:
        """Place an order that must rest whole; its slot."""
        (step,) = self.do(self.place(account, side, price, size, **fields))
        return step.slot

    def trade(self, buyer: int, seller: int, size: int, price: int = MARK, market: int = 0) -> None:
        """A trade between two accounts, in a book that holds nothing better."""
        self.do(self.place(seller, ASK, price, size, market=market))
        self.do(self.place(buyer, BID, price, size, market=market, time_in_force=FOK))

    # Views

    def header(self, account: int) -> Account:
        header = self.state.accounts.get(account)
        assert header is not None
        return header

    def cash(self, account: int) -> int:
        return self.header(account).cash

    def position(self, account: int, market: int = 0) -> Position | None:
        bitmap = self.header(account).positions
        for bit in range(16):
            if bitmap >> bit & 1:
                leaf = self.state.leaves.get(position_address(account, bit))
                assert isinstance(leaf, Position)
                if leaf.market == market:
                    return leaf
        return None

    def size(self, account: int, market: int = 0) -> int:
        position = self.position(account, market)
        return 0 if position is None else position.size

    def book(self, market: int = 0) -> MarketBook:
        leaf = self.state.leaves.get(book_address(market))
        assert isinstance(leaf, MarketBook)
        return leaf

    def orders(self, side: int, market: int = 0) -> list[Order]:
        """One side of the book, best first."""
        book, orders = self.book(market), []
        slot = book.best_bid if side == BID else book.best_ask
        while slot:
            order = self.state.leaves.get(order_address(market, slot))
            assert isinstance(order, Order)
            orders.append(order)
            slot = order.next
        return orders

    def triggers(self, source: int, direction: int, market: int = 0) -> list[Trigger]:
        """One list of triggers, the first to fire first."""
        triggers = []
        slot = getattr(self.book(market), TRIGGER_HEADS[source][direction])
        while slot:
            trigger = self.state.leaves.get(trigger_address(market, slot))
            assert isinstance(trigger, Trigger)
            triggers.append(trigger)
            slot = trigger.next
        return triggers

    # What no command does

    def set_leaves(self, leaves: dict[int, Leaf | None]) -> None:
        self.state = replace(self.state, leaves=self.state.leaves.with_changes(leaves))

    def set_cash(self, account: int, units: int) -> None:
        """Give an account this many token units and take them out of, or into, custody."""
        header = self.header(account)
        change = units * CASH_PER_UNIT - header.cash
        assert change % CASH_PER_UNIT == 0
        custody = self.state.custody + change // CASH_PER_UNIT
        changed = header._replace(cash=units * CASH_PER_UNIT)
        self.state = replace(self.state.with_account(account, changed), custody=custody)

    def set_header(self, account: int, **changes: Any) -> None:
        self.state = self.state.with_account(account, self.header(account)._replace(**changes))

    def set_terms(self, market: int = 0, **changes: int) -> None:
        leaf = self.state.leaves.get(terms_address(market))
        assert isinstance(leaf, MarketTerms)
        self.set_leaves({terms_address(market): leaf._replace(**changes)})

    def set_prices(self, market: int = 0, **changes: int) -> None:
        leaf = self.state.leaves.get(prices_address(market))
        assert isinstance(leaf, MarketPrices)
        self.set_leaves({prices_address(market): leaf._replace(**changes)})

    def set_book(self, market: int = 0, **changes: int) -> None:
        self.set_leaves({book_address(market): self.book(market)._replace(**changes)})

    def set_controls(self, **changes: int) -> None:
        leaf = self.state.leaves.get(CONTROLS_ADDRESS)
        assert isinstance(leaf, Controls)
        self.set_leaves({CONTROLS_ADDRESS: leaf._replace(**changes)})

    def set_fees(self, **changes: int) -> None:
        leaf = self.state.leaves.get(FEE_TERMS_ADDRESS)
        assert isinstance(leaf, FeeTerms)
        self.set_leaves({FEE_TERMS_ADDRESS: leaf._replace(**changes)})

    def set_agent(self, account: int, agent: int, scope: int, expiry_ms: int = TIME_MAX_MS) -> None:
        key = account_key_of(80 + agent)
        self.set_leaves({agent_address(account, agent): AgentKey(*key, scope, expiry_ms, 0)})


def signed(transaction: Any) -> Signed:
    """The transaction under a signature that only `accept_all` takes."""
    return Signed(transaction, UNSIGNED)


def operation(side: int, price: int, size: int, **fields: int) -> PlaceOperation:
    """A place of a batch; the fields left out are those of the plainest order."""
    values = {
        "market": 0, "time_in_force": GTT, "reduce_only": 0, "good_until_ms": TIME_MAX_MS,
    } | fields  # fmt: skip
    return PlaceOperation(side=side, price=price, size=size, **values)


def cancelling(order_nonce: int, order_key_slot: int = 0) -> CancelOperation:
    """A cancel of a batch."""
    return CancelOperation(order_key_slot, order_nonce)


def values_of(order: PlaceOperation) -> tuple[int, ...]:
    """Its fields, in the order in which a place has them."""
    return tuple(getattr(order, name) for name, _ in PlaceOperation.WIDTHS)
