"""What an account is worth, what it needs, whether it may trade; in exact fractions of a USDC."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from circuits.exchange.errors import RejectReason
from tests.naive.double_entry import (
    CASH_UNIT,
    POSITIONS_MAX,
    UNIT,
    Portfolio,
    portfolio,
    worth,
)
from tests.naive.world import Market, World, require

CASH_BOUND = 2**111 * CASH_UNIT


class Totals(NamedTuple):
    """Sums over all positions."""

    equity: Fraction
    initial: Fraction
    maintenance: Fraction
    buffer: Fraction
    gross: Fraction
    net: Fraction

    @property
    def is_healthy(self) -> bool:
        return self.equity >= self.initial

    @property
    def is_liquidatable(self) -> bool:
        return self.equity < self.maintenance


def notional(market: Market, size: int) -> Fraction:
    return abs(size) * market.mark * market.quote


def margin(market: Market, size: int, kind: str) -> Fraction:
    """The initial or maintenance requirement; each tier adds its part above its notional."""
    terms = market.terms
    units = abs(size) * market.mark * terms.quote_per_tick_lot
    parts = units * getattr(terms, f"{kind}_ppm")
    for tier in (1, 2):
        above = units - getattr(terms, f"tier_{tier}_notional")
        parts += max(0, above) * getattr(terms, f"tier_{tier}_{kind}_ppm")
    return Fraction(parts, 10**6) * UNIT


def totals_of(world: World, held: Portfolio) -> Totals:
    equity, initial, maintenance = held.balance, Fraction(0), Fraction(0)
    buffer, gross, net = Fraction(0), Fraction(0), Fraction(0)
    for where, lots in held.lots.items():
        market, size = world.markets[where], held.size(where)
        equity += worth(lots, market)
        initial += margin(market, size, "initial")
        maintenance += margin(market, size, "maintenance")
        buffer += notional(market, size) * market.terms.withdraw_buffer_ppm / 10**6
        gross += notional(market, size)
        net += size * market.mark * market.quote
    return Totals(equity, initial, maintenance, buffer, gross, net)


def has_stale_price(world: World, held: Portfolio, trading: int | None = None) -> bool:
    """Whether a mark is too old, or of a halted market other than the one that is traded in."""
    return any(
        world.now >= world.markets[market].valid_until_ms
        or (world.markets[market].is_halted and market != trading)
        for market in held.lots
    )


def totals(world: World, account: int) -> Totals:
    """The account's sums, for which all its prices must be valid."""
    held = portfolio(world, account)
    require(not has_stale_price(world, held), RejectReason.PRICE_STALE)
    return totals_of(world, held)


def hindrance(
    world: World, account: int, market: int, size: int, price: int, fee: Fraction
) -> RejectReason | None:
    """Why the account may not buy `size` lots, if anything is against it."""
    held = portfolio(world, account)
    after = held.after(world, market, size, price, fee)
    if has_stale_price(world, held, market):
        return RejectReason.PRICE_STALE
    if len(after.lots) > POSITIONS_MAX:
        return RejectReason.TOO_MANY_POSITIONS
    if abs(after.cash(world)) >= CASH_BOUND:
        return RejectReason.CASH_OUT_OF_BOUNDS
    sums, then = totals_of(world, held), totals_of(world, after)
    old, new = held.size(market), after.size(market)
    if not (then.is_healthy or only_reduces(old, new, sums, then)):
        return RejectReason.INSUFFICIENT_MARGIN
    if world.is_vault(account) and (abs(new) > abs(old) or old * new < 0):
        terms = world.vaults[account].terms
        if (
            then.gross > then.equity * terms.leverage_cap_ppm / 10**6
            or notional(world.markets[market], new) > terms.exposure_cap * UNIT
            or abs(then.net) > terms.skew_cap * UNIT
        ):
            return RejectReason.VAULT_CAP
    return None


def only_reduces(old: int, new: int, sums: Totals, then: Totals) -> bool:
    """Whether a trade made the position smaller and the account no riskier."""
    if old * new < 0 or abs(new) > abs(old) or then.maintenance > sums.maintenance:
        return False
    return then.equity * sums.maintenance >= sums.equity * then.maintenance


def zero_price(world: World, account: int, market: int) -> int:
    """The price at which losing the position leaves the account as able as it is now."""
    terms, size, sums = world.markets[market], world.size(account, market), totals(world, account)
    share = margin(terms, size, "maintenance") / sums.maintenance
    exact = terms.mark - share * sums.equity / (size * terms.quote)
    rounded = -(-exact // 1) if size > 0 else exact // 1
    return int(min(max(rounded, 1), 2**32 - 1))
