"""Those who trade at once: small takers, followers of a trend with leverage, and their stops."""

from __future__ import annotations

from circuits.exchange.bodies import Signed
from circuits.exchange.gates import DOWN, LAST, MARK, UP
from circuits.exchange.limits import PPM
from circuits.exchange.transactions.batch import PlaceOperation
from circuits.exchange.transactions.place_trigger import PlaceTrigger
from sequencer.sim.desk import ASK, BID, FOK, GTT, IOC, Desk, Trader, unsigned
from sequencer.sim.markets import MARKETS, TOKEN, Market
from sequencer.sim.plan import is_crashing, is_rising

SLIPPAGE_PPM = 3_000
"""How much worse than the best price a taker still trades at."""

STOP_LIMIT_PPM = 30_000
"""The limit of an order that a stop becomes."""

LEVERAGE_MIN, LEVERAGE_MAX = 8, 17
"""What followers aim for; each has its own."""

USED_PERCENT = 85
"""How much of what the market allows they use at most."""

FEWEST_TOKENS = 20
"""Who has less does not trade."""


def taker_turn(desk: Desk, trader: Trader) -> Signed | None:
    """A small trade in either direction, or the end of a position."""
    if not desk.is_open(trader.account):
        return None
    rng = desk.rng
    market = MARKETS[rng.randrange(len(MARKETS))]
    equity, gross = desk.worth(trader.account)
    held = desk.size(trader.account, market)
    if held and rng.randrange(100) < 45:
        return close(desk, trader, market, held)
    if equity < FEWEST_TOKENS * TOKEN or gross > 3 * equity:
        return None
    side = BID if rng.randrange(100) < (58 if is_rising(desk.progress) else 45) else ASK
    notional = equity // 4 * (1 + rng.randrange(4))
    return take(desk, trader, market, side, notional)


def follower_turn(desk: Desk, trader: Trader) -> Signed | None:
    """Buy into a rise until the leverage is used; in a fall, hope; else get out slowly."""
    if is_crashing(desk.progress):
        return None
    market = MARKETS[trader.account % len(MARKETS)]
    if desk.rng.randrange(5) == 0:
        market = MARKETS[desk.rng.randrange(len(MARKETS))]
    if not is_rising(desk.progress):
        held = desk.size(trader.account, market)
        is_leaving = held and desk.rng.randrange(12) == 0
        return close(desk, trader, market, held) if is_leaving else None
    equity, gross = desk.worth(trader.account)
    leverage = min(
        LEVERAGE_MIN + trader.account % (LEVERAGE_MAX - LEVERAGE_MIN + 1),
        USED_PERCENT * PPM // (100 * market.initial_ppm),
    )
    if equity < FEWEST_TOKENS * TOKEN or gross >= equity * leverage:
        return None
    clip = min(equity * leverage - gross, equity * leverage // 3)
    return take(desk, trader, market, BID, clip)


def take(desk: Desk, trader: Trader, market: Market, side: int, notional: int) -> Signed | None:
    """An order that the best of the other side can fill."""
    best = desk.top(market, ASK if side == BID else BID)
    if best == 0 or desk.prices(market).halted:
        return None
    rng = desk.rng
    slip = SLIPPAGE_PPM if side == BID else -SLIPPAGE_PPM
    price = max(1, best * (PPM + slip) // PPM)
    roll = rng.randrange(100)
    time_in_force = IOC if roll < 65 else FOK if roll < 80 else GTT
    good_until_ms = desk.later(1 + rng.randrange(6))
    size = market.lots(notional, price)
    return desk.place(
        trader,
        PlaceOperation(market.number, side, time_in_force, 0, price, size, good_until_ms),
    )


def close(desk: Desk, trader: Trader, market: Market, held: int) -> Signed | None:
    """An order for the whole position that may do nothing but reduce it."""
    side = ASK if held > 0 else BID
    best = desk.top(market, BID if held > 0 else ASK)
    if best == 0:
        return None
    slip = -SLIPPAGE_PPM if held > 0 else SLIPPAGE_PPM
    price = max(1, best * (PPM + slip) // PPM)
    return desk.place(
        trader,
        PlaceOperation(market.number, side, IOC, 1, price, abs(held), desk.later(1)),
    )


def stop_turn(desk: Desk, trader: Trader) -> Signed | None:
    """A stop or a take-profit for a position that has few of them yet."""
    positions = desk.positions(trader.account)
    if not positions:
        return None
    position = positions[desk.rng.randrange(len(positions))]
    market = MARKETS[position.market]
    waiting = sum(each.is_trigger for each in desk.resting(trader.account, market))
    if waiting >= 2 or desk.prices(market).halted:
        return None
    return protect(desk, trader, market, position.size)


def protect(desk: Desk, trader: Trader, market: Market, held: int) -> Signed:
    """A stop on the mark, or a take-profit on the last trade."""
    rng = desk.rng
    is_stop, is_long = rng.randrange(100) < 60, held > 0
    away_ppm = 8_000 + rng.randrange(40_000)
    direction = DOWN if is_stop == is_long else UP
    signed_ppm = -away_ppm if direction == DOWN else away_ppm
    reference = desk.prices(market).mark_price
    trigger_price = max(1, reference * (PPM + signed_ppm) // PPM)
    limit_ppm = -STOP_LIMIT_PPM if is_long else STOP_LIMIT_PPM
    return unsigned(
        PlaceTrigger(
            *desk.signing(trader),
            market=market.number,
            side=ASK if is_long else BID,
            reduce_only=1,
            time_in_force=IOC if rng.randrange(4) else GTT,
            source=MARK if is_stop else LAST,
            direction=direction,
            trigger_price=trigger_price,
            price=max(1, trigger_price * (PPM + limit_ppm) // PPM),
            size=abs(held),
            good_until_ms=desk.later(40 + rng.randrange(4_000)),
        )
    )
