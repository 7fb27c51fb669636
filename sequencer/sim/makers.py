"""Those who quote: layers on both sides of the price, moved and taken back all the time."""

from __future__ import annotations

from circuits.exchange.bodies import Signed
from circuits.exchange.limits import PPM
from circuits.exchange.transactions.batch import Batch, CancelOperation, Operation, PlaceOperation
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.modify import Modify
from sequencer.sim.desk import ASK, BID, GTT, POST_ONLY, Desk, Resting, Trader, unsigned
from sequencer.sim.markets import MARKETS, TOKEN, Market
from sequencer.sim.plan import is_crashing

LAYERS, LAYERS_IN_CRASH = 4, 2
"""Orders of one maker on each side of each market."""

FILL_UP_PERCENT, CANCEL_PERCENT, REPLACE_PERCENT = 15, 70, 4
"""How often many layers are filled at once; and whose layers are full takes one back as often as
not, replaces two under one signature, or else moves one.
"""

DISTANCE_PPM, LAYER_PPM, JITTER_PPM = 250, 350, 200
FLIGHT_PERCENT = 6
CRASH_FACTOR = 8
"""While the price falls in gaps some take everything back, and all quote further away."""

SKEW_PPM_PER_MILLION_TOKENS = 1_500
"""A maker who is long quotes lower, to sell."""

QUOTE_NOTIONAL = 15_000 * TOKEN
SHORT_LIVED_PERCENT = 10
"""Orders that run out by themselves after a few ticks."""

FOREVER_TICKS = 10**6


def maker_turn(desk: Desk, maker: Trader) -> Signed | None:
    """The next update of a maker in some market."""
    rng = desk.rng
    market = MARKETS[rng.randrange(len(MARKETS))]
    own = desk.resting(maker.account, market)
    roll = rng.randrange(100)
    if desk.prices(market).halted:
        return cancel(desk, maker, own[0]) if own else None
    crashing = is_crashing(desk.progress)
    if crashing and own and roll < FLIGHT_PERCENT:
        return unsigned(CancelAll(*desk.signing(maker)))
    missing = 2 * (LAYERS_IN_CRASH if crashing else LAYERS) - len(own)
    if missing < 0:
        return cancel(desk, maker, own[0])
    if missing >= 3 and roll < FILL_UP_PERCENT:
        return fill_up(desk, maker, market, own, missing)
    if missing > 0:
        return desk.place(maker, quote(desk, maker, market, thinner_side(desk, own)))
    chosen = own[rng.randrange(len(own))]
    if roll < CANCEL_PERCENT:
        return cancel(desk, maker, chosen)
    if roll < CANCEL_PERCENT + REPLACE_PERCENT:
        return replace_two(desk, maker, market, own)
    return modify(desk, maker, market, chosen)


def thinner_side(desk: Desk, own: list[Resting]) -> int:
    """The side with fewer own orders."""
    bids = sum(desk.order(each).side == BID for each in own)
    return BID if 2 * bids <= len(own) else ASK


def quote(desk: Desk, maker: Trader, market: Market, side: int) -> PlaceOperation:
    """An order in some layer of a side, moved by what the maker holds."""
    rng = desk.rng
    distance_ppm = DISTANCE_PPM + rng.randrange(LAYERS) * LAYER_PPM + rng.randrange(JITTER_PPM)
    if is_crashing(desk.progress):
        distance_ppm *= CRASH_FACTOR
    fair = desk.fair(market)
    held = desk.size(maker.account, market) * fair * market.quote_per_tick_lot
    skew_ppm = SKEW_PPM_PER_MILLION_TOKENS * held // (PPM * TOKEN)
    towards = -distance_ppm if side == BID else distance_ppm
    price = max(1, fair * (PPM + towards - skew_ppm) // PPM)
    time_in_force = POST_ONLY
    if rng.randrange(20) == 0:
        time_in_force = GTT
    else:
        price = without_crossing(desk, market, side, price)
    lives = 2 + rng.randrange(8) if rng.randrange(100) < SHORT_LIVED_PERCENT else FOREVER_TICKS
    size = market.lots(QUOTE_NOTIONAL * (1 + rng.randrange(4)), price)
    return PlaceOperation(market.number, side, time_in_force, 0, price, size, desk.later(lives))


def without_crossing(desk: Desk, market: Market, side: int, price: int) -> int:
    """The price, or the best one that leaves the other side alone."""
    other = desk.top(market, ASK if side == BID else BID)
    if other == 0:
        return price
    return max(1, min(price, other - 1)) if side == BID else max(price, other + 1)


def cancel(desk: Desk, trader: Trader, resting: Resting) -> Signed:
    """Take one order or trigger back."""
    return unsigned(Cancel(*desk.signing(trader), resting.key_slot, resting.nonce))


def modify(desk: Desk, maker: Trader, market: Market, resting: Resting) -> Signed:
    """Move one order to where it should be now."""
    wanted = quote(desk, maker, market, desk.order(resting).side)
    return unsigned(
        Modify(
            *desk.signing(maker),
            resting.key_slot,
            resting.nonce,
            wanted.market,
            wanted.side,
            wanted.time_in_force,
            wanted.reduce_only,
            wanted.price,
            wanted.size,
            wanted.good_until_ms,
        )
    )


def fill_up(desk: Desk, maker: Trader, market: Market, own: list[Resting], missing: int) -> Signed:
    """Orders for all layers that are missing, under one signature."""
    first = thinner_side(desk, own)
    operations = tuple(quote(desk, maker, market, first ^ number & 1) for number in range(missing))
    return unsigned(Batch(*desk.signing(maker), operations))


def replace_two(desk: Desk, maker: Trader, market: Market, own: list[Resting]) -> Signed:
    """The two oldest orders give way to new ones, under one signature."""
    oldest = own[:2]
    cancels: list[Operation] = [CancelOperation(each.key_slot, each.nonce) for each in oldest]
    places = [quote(desk, maker, market, desk.order(each).side) for each in oldest]
    return unsigned(Batch(*desk.signing(maker), (*cancels, *places)))
