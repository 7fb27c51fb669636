"""An exchange with fees, three oracle signers and one listed market, and short ways to change it.

Signatures all hold unless a test says otherwise: what they mean is tested where they are made.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from circuits.edwards import Point
from circuits.exchange.addresses import (
    book_address,
    order_address,
    position_address,
    prices_address,
    terms_address,
    trigger_address,
)
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.bodies import Body
from circuits.exchange.draft import TRIGGER_HEADS
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Event, Executed
from circuits.exchange.leaves import (
    Account,
    FeeTerms,
    Leaf,
    MarketBook,
    MarketPrices,
    MarketTerms,
    Order,
    Position,
    Side,
    Trigger,
)
from circuits.exchange.limits import TRIGGER_SLOT_FIRST
from circuits.exchange.state import State
from circuits.exchange.steps import Step
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote, quote_digest
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.signature import Signature, public_key, sign
from tests.support.exchange import DOMAIN, EXPIRY_MS, deposit, register

MINUTE, HOUR = 60_000, 3_600_000
START = 1000 * HOUR
"""When the market was listed: a full hour."""

FEE, INSURANCE, ALICE, BOB = 1, 2, 3, 4
MARKET = 7
UNSIGNED = Signature(1, 2, 3)

TERMS = MarketTerms(
    quote_per_tick_lot=3,
    initial_ppm=50_000,
    maintenance_ppm=30_000,
    close_out_ppm=600_000,
    withdraw_buffer_ppm=5_000,
    liquidation_fee_ppm=10_000,
    outlier_ppm=2_000,
    band_ppm=100_000,
    mark_band_ppm=10_000,
    cooldown_ticks=3,
    tier_1_notional=10**12,
    tier_1_initial_ppm=50_000,
    tier_1_maintenance_ppm=20_000,
    tier_2_notional=10**13,
    tier_2_initial_ppm=100_000,
    tier_2_maintenance_ppm=60_000,
    max_age_ms=5_000,
    price_valid_ms=30_000,
    interest_ppb=12_500,
    funding_clamp_ppb=62_500,
    funding_cap_ppb=5_000_000,
    size_min=1,
    open_interest_max=10**8,
)
FEES = FeeTerms(500, 200, 100_000, 200_000, 300_000, FEE, INSURANCE, 0)


def accept_all(key: Point, digest: int, signature: Signature) -> None:
    """A verifier under which every signature holds."""


def played(state: State, body: Body, time_ms: int) -> Receipt:
    """One command, with every signature taken as good."""
    return apply_command(state, Command(time_ms, body), verify=accept_all)


def after(state: State, body: Body, time_ms: int | None = None) -> State:
    """The state after a command that must be accepted."""
    receipt = played(state, body, state.time_ms if time_ms is None else time_ms)
    assert receipt.rejected is None, receipt.rejected
    return receipt.state


def reason(state: State, body: Body, time_ms: int | None = None) -> RejectReason | None:
    """Why a command is refused; it must then have changed nothing."""
    receipt = played(state, body, state.time_ms if time_ms is None else time_ms)
    if receipt.rejected is None:
        return None
    assert receipt.state is state
    return receipt.rejected.reason


def steps_of(receipt: Receipt) -> tuple[Step, ...]:
    """What an accepted command of a kind without an event of its own did."""
    event: Event | None = receipt.event
    assert isinstance(event, Executed), receipt.rejected
    return event.steps


def signer_secret(signer: int) -> int:
    return 500 + signer


@cache
def signer_point(signer: int) -> Point:
    """What governance names for an oracle signer."""
    return public_key(signer_secret(signer))


@cache
def listed() -> State:
    """Fee and insurance accounts, two funded traders, three signers of whom two make a price, and
    the market without a price yet.
    """
    state = State(DOMAIN)
    for account in (FEE, INSURANCE, ALICE, BOB):
        state = after(after(state, register(account), START), deposit(account, 1_000_000))
    signers = SetOracleSigners(2, tuple(signer_point(signer) for signer in range(3)))
    for body in (SetFees(FEES), signers, ListMarket(MARKET, TERMS)):
        state = after(state, body)
    return state


def quote(signer: int, price: int, time_ms: int, *, market: int = MARKET) -> Quote:
    """A signed quote."""
    digest = quote_digest(DOMAIN, market, price, time_ms)
    return Quote(signer, price, time_ms, sign(signer_secret(signer), digest))


def tick(*prices: int, time_ms: int, market: int = MARKET) -> OracleTick:
    """Signers 0, 1, 2... with these prices, all of one time; the signatures stand for good ones."""
    quotes = [Quote(signer, price, time_ms, UNSIGNED) for signer, price in enumerate(prices)]
    return OracleTick(market, tuple(sorted(quotes, key=lambda quote: (quote.price, quote.signer))))


def priced(price: int = 1000, state: State | None = None, time_ms: int | None = None) -> State:
    """The state after a tick on which all signers agree, two milliseconds after the last time."""
    state = listed() if state is None else state
    time_ms = state.time_ms + 2 if time_ms is None else time_ms
    return after(state, tick(price, price, price, time_ms=time_ms), time_ms)


def with_leaves(state: State, leaves: dict[int, Leaf | None]) -> State:
    """The state with leaves as a test wants them, whatever the rules would say."""
    return State(
        state.domain, state.time_ms, state.step, state.custody, state.leaves.with_changes(leaves)
    )


def prices_of(state: State, market: int = MARKET) -> MarketPrices:
    leaf = state.leaves.get(prices_address(market))
    assert isinstance(leaf, MarketPrices)
    return leaf


def with_prices(state: State, market: int = MARKET, **changes: int) -> State:
    return with_leaves(
        state, {prices_address(market): prices_of(state, market)._replace(**changes)}
    )


def with_terms(state: State, market: int = MARKET, **changes: int) -> State:
    leaf = state.leaves.get(terms_address(market))
    assert isinstance(leaf, MarketTerms)
    return with_leaves(state, {terms_address(market): leaf._replace(**changes)})


def book_of(state: State, market: int = MARKET) -> MarketBook:
    leaf = state.leaves.get(book_address(market))
    assert isinstance(leaf, MarketBook)
    return leaf


def with_book(state: State, market: int = MARKET, **changes: int) -> State:
    return with_leaves(state, {book_address(market): book_of(state, market)._replace(**changes)})


def with_head(
    state: State, side: Side, price: int, *, good_until_ms: int = EXPIRY_MS, market: int = MARKET
) -> State:
    """The state with one resting order of Bob's as the whole side."""
    slot = 1 + side
    order = Order(BOB, 0, 1 + side, side, price, 5, good_until_ms, 0, 0, 0)
    state = with_leaves(state, {order_address(market, slot): order})
    return with_book(state, market, **{("best_bid", "best_ask")[side]: slot})


def with_trigger(
    state: State, source: int, direction: int, trigger_price: int, *, market: int = MARKET
) -> State:
    """The state with one trigger of Bob's as the whole list."""
    place = 2 * source + direction
    slot = TRIGGER_SLOT_FIRST + place
    trigger = Trigger(
        BOB, 0, 10 + place, 0, 0, 1, source, direction, trigger_price, 1000, 5, EXPIRY_MS, 0, 0
    )
    state = with_leaves(state, {trigger_address(market, slot): trigger})
    return with_book(state, market, **{TRIGGER_HEADS[source][direction]: slot})


def account_of(state: State, account: int) -> Account:
    header = state.accounts.get(account)
    assert header is not None
    return header


def with_account(state: State, account: int, **changes: Any) -> State:
    return state.with_account(account, account_of(state, account)._replace(**changes))


def with_position(
    state: State, account: int, size: int, *, market: int = MARKET, bit: int = 0, entry: int = 0
) -> State:
    """The state with a position out of nothing; it stands in no list of the market."""
    header = account_of(state, account)
    state = with_leaves(
        state, {position_address(account, bit): Position(market, size, entry, 0, 0)}
    )
    return with_account(state, account, positions=header.positions | 1 << bit)
