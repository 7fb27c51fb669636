"""Commands that are meant to be refused: mistakes, cheats, and what comes at the wrong time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from circuits.exchange.bodies import Body, Signed
from circuits.exchange.limits import PPM
from circuits.exchange.transactions.batch import PlaceOperation
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.funding_settle import FundingSettle
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.exchange.transactions.set_referrer import SetReferrer
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.units import TokenUnits
from sequencer.sim.cast import Cast
from sequencer.sim.desk import ASK, BID, FOK, GTT, IOC, POST_ONLY, Desk, unsigned
from sequencer.sim.errands import pick, some
from sequencer.sim.keys import FORGED
from sequencer.sim.markets import MARKETS
from sequencer.sim.oracle import Oracle

NO_MARKET = 999
Mischief = Callable[[Desk, Cast, Oracle], Body | None]


def order(desk: Desk, cast: Cast, **changes: int) -> Signed:
    """An order far from the price, with something wrong in it."""
    market = MARKETS[desk.rng.randrange(len(MARKETS))]
    price = max(1, desk.fair(market) // 2)
    wanted = PlaceOperation(market.number, BID, GTT, 0, price, 1, desk.later(10))
    return desk.place(pick(desk, cast.takers), replace(wanted, **changes))


def unknown_market(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order in a market that is not listed."""
    return order(desk, cast, market=NO_MARKET)


def no_size(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order for nothing."""
    return order(desk, cast, size=0)


def no_price(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order at no price."""
    return order(desk, cast, price=0)


def bad_side(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order of no side."""
    return order(desk, cast, side=2)


def run_out(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order that ran out before it was sent."""
    return order(desk, cast, good_until_ms=desk.time_ms - 1)


def too_large(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order larger than the market."""
    return order(desk, cast, size=2**40)


def beyond_margin(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order that nobody here has the margin for."""
    return order(desk, cast, size=20_000_000)


def unfillable(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """An order to be filled whole at a price that nobody sells at."""
    return order(desk, cast, time_in_force=FOK)


def crossing(desk: Desk, cast: Cast, oracle: Oracle) -> Body | None:
    """An order that may only rest, beyond the best price of the other side."""
    market = MARKETS[desk.rng.randrange(len(MARKETS))]
    best = desk.top(market, ASK)
    if best == 0:
        return None
    price = best * (PPM + 1_000) // PPM
    wanted = PlaceOperation(market.number, BID, POST_ONLY, 0, price, 1, desk.later(10))
    return desk.place(pick(desk, cast.makers), wanted)


def nothing_to_reduce(desk: Desk, cast: Cast, oracle: Oracle) -> Body | None:
    """A reduce-only order of someone without a position."""
    taker = pick(desk, cast.takers)
    if desk.positions(taker.account):
        return None
    wanted = PlaceOperation(MARKETS[0].number, ASK, IOC, 1, 1, 1, desk.later(1))
    return desk.place(taker, wanted)


def unknown_order(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """Take back an order that never was."""
    maker = pick(desk, cast.makers)
    return unsigned(Cancel(*desk.signing(maker), maker.key_slot, 2**40))


def used_nonce(desk: Desk, cast: Cast, oracle: Oracle) -> Body | None:
    """A transfer under the nonce of the last command."""
    sender = pick(desk, cast.takers)
    account, nonce, expiry_ms = desk.owning(sender.account)
    return unsigned(Transfer(account, nonce - 1, expiry_ms, cast.makers[0].account, some(desk, 1)))


def expired(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A transfer whose signature ran out."""
    account, nonce, _ = desk.owning(pick(desk, cast.takers).account)
    recipient = cast.makers[0].account
    return unsigned(Transfer(account, nonce, desk.time_ms - 1, recipient, some(desk, 1)))


def forged(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A transfer that a stranger signed."""
    fields = desk.owning(pick(desk, cast.takers).account)
    return Signed(Transfer(*fields, cast.makers[0].account, some(desk, 1)), FORGED)


def overdrawn(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A transfer of far more than there is."""
    fields = desk.owning(pick(desk, cast.takers).account)
    return unsigned(Transfer(*fields, cast.makers[0].account, TokenUnits(2**50)))


def to_oneself(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A transfer to the sender."""
    sender = pick(desk, cast.takers).account
    return unsigned(Transfer(*desk.owning(sender), sender, some(desk, 1)))


def to_nobody(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A transfer to an account that does not exist."""
    fields = desk.owning(pick(desk, cast.takers).account)
    return unsigned(Transfer(*fields, 2**20, some(desk, 1)))


def another_referrer(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A referrer, though the account has named one."""
    return unsigned(SetReferrer(*desk.owning(cast.takers[0].account), cast.makers[0].account))


def minority(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A tick with one quote."""
    tick = oracle.tick(MARKETS[desk.rng.randrange(len(MARKETS))])
    return OracleTick(tick.market, tick.quotes[:1])


def future(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A tick of a time to come."""
    return shifted(desk, oracle, desk.plan.tick_ms)


def stale(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """A tick that comes too late."""
    return shifted(desk, oracle, -3 * desk.plan.tick_ms)


def shifted(desk: Desk, oracle: Oracle, shift_ms: int) -> OracleTick:
    """A tick whose quotes are of another time."""
    tick = oracle.tick(MARKETS[desk.rng.randrange(len(MARKETS))])
    quotes = tuple(quote._replace(time_ms=quote.time_ms + shift_ms) for quote in tick.quotes)
    return OracleTick(tick.market, quotes)


def settle_early(desk: Desk, cast: Cast, oracle: Oracle) -> Body:
    """Funding that is not due."""
    return FundingSettle(MARKETS[0].number)


def liquidate_healthy(desk: Desk, cast: Cast, oracle: Oracle) -> Body | None:
    """The liquidation of someone who owes nothing."""
    maker = pick(desk, cast.makers)
    positions = desk.positions(maker.account)
    if not positions:
        return None
    return Liquidate(maker.account, positions[0].market, 1)


MISCHIEF: tuple[Mischief, ...] = (
    unknown_market,
    no_size,
    no_price,
    bad_side,
    run_out,
    too_large,
    beyond_margin,
    unfillable,
    crossing,
    nothing_to_reduce,
    unknown_order,
    used_nonce,
    expired,
    forged,
    overdrawn,
    to_oneself,
    to_nobody,
    another_referrer,
    minority,
    future,
    stale,
    settle_early,
    liquidate_healthy,
)
"""In turn, so that every reason comes about as often."""
