"""Margin and health: what an account is worth at the mark, and what its positions require.

A position of s lots is worth s * (mark * q * 10^12 - F): the funding index F is part of the price
of a lot, in every trade and in every valuation, so funding moves equity by -s * dF exactly and
never moves the sum of all cash. Every condition is linear in the totals, one row per position.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, cast

from circuits.exchange.addresses import position_address, prices_address, terms_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.leaves import Account, MarketPrices, MarketTerms, Position
from circuits.exchange.units import CASH_PER_UNIT

PPM_CASH = CASH_PER_UNIT // 10**6
"""Cash units in a millionth of a token unit: a notional times parts per million times this."""


class Health(IntEnum):
    """How an account stands; BANKRUPT is LIQUIDATABLE too."""

    HEALTHY = 0
    TIGHT = 1
    LIQUIDATABLE = 2
    BANKRUPT = 3


class Totals(NamedTuple):
    """Sums over an account's positions, with its cash in `equity`. Cash units but for `gross`, the
    sum of |notional|, and `net`, of signed notional, in token units.
    """

    equity: int
    initial: int
    maintenance: int
    buffer: int
    gross: int
    net: int

    @property
    def health(self) -> Health:
        """Which of the four it is; exactly one holds."""
        if self.equity >= self.initial and self.equity >= 0:
            return Health.HEALTHY
        if self.equity < 0:
            return Health.BANKRUPT
        return Health.TIGHT if self.equity >= self.maintenance else Health.LIQUIDATABLE

    @property
    def is_liquidatable(self) -> bool:
        """Whether equity is below the maintenance requirement."""
        return self.equity < self.maintenance

    def plus(self, other: Totals) -> Totals:
        """Both together."""
        return Totals(
            self.equity + other.equity,
            self.initial + other.initial,
            self.maintenance + other.maintenance,
            self.buffer + other.buffer,
            self.gross + other.gross,
            self.net + other.net,
        )


class Survey(NamedTuple):
    """An account seen from one market: the position there, if any, and all others added up.

    `bit` is the position's place in the bitmap, -1 for none. `others` holds the cash.
    """

    bit: int
    position: Position | None
    others: Totals

    @property
    def size(self) -> int:
        """Signed lots in the market."""
        return 0 if self.position is None else self.position.size


def position_totals(size: int, prices: MarketPrices, terms: MarketTerms) -> Totals:
    """What one position adds to the totals of its account."""
    return Totals._make(_position_sums(size, prices, terms))


def _position_sums(
    size: int, prices: MarketPrices, terms: MarketTerms
) -> tuple[int, int, int, int, int, int]:
    """The fields of `position_totals`, for a sum that needs no object for each position."""
    quote = prices.mark_price * terms.quote_per_tick_lot
    net = size * quote
    gross = net if net >= 0 else -net
    initial = gross * terms.initial_ppm
    maintenance = gross * terms.maintenance_ppm
    beyond = gross - terms.tier_1_notional
    if beyond > 0:
        initial += beyond * terms.tier_1_initial_ppm
        maintenance += beyond * terms.tier_1_maintenance_ppm
        beyond = gross - terms.tier_2_notional
        if beyond > 0:
            initial += beyond * terms.tier_2_initial_ppm
            maintenance += beyond * terms.tier_2_maintenance_ppm
    return (
        net * CASH_PER_UNIT - size * prices.funding_index,
        initial * PPM_CASH,
        maintenance * PPM_CASH,
        gross * terms.withdraw_buffer_ppm * PPM_CASH,
        gross,
        net,
    )


def survey(draft: Draft, account: int, header: Account, market: int, time_ms: int) -> Survey:
    """The account from a market's point of view; with market -1 everything is in `others`.

    A halted market's mark is known to be off, so equity that rests on it backs nothing elsewhere;
    in the market itself, which only reduces then, it is the best there is.
    Raises: Rejected with PRICE_STALE when a market of a position has no valid price.
    Cost: two leaf reads and one multiplication chain per position.
    """
    equity: int = header.cash
    initial = maintenance = buffer = gross = net = 0
    found_bit, found = -1, None
    bitmap, bit = header.positions, 0
    address = position_address(account, 0)
    get = draft.get
    while bitmap:
        if bitmap & 1:
            position: Position = get(address + bit)
            place = position.market
            prices: MarketPrices = get(prices_address(place))
            if time_ms >= prices.valid_until_ms:
                require_price(prices, place, time_ms)
            if place == market:
                found_bit, found = bit, position
            else:
                if prices.halted:
                    require_unhalted(prices, place)
                worth, first, second, third, absolute, signed = _position_sums(
                    position.size, prices, get(terms_address(place))
                )
                equity += worth
                initial += first
                maintenance += second
                buffer += third
                gross += absolute
                net += signed
        bitmap >>= 1
        bit += 1
    return Survey(found_bit, found, Totals(equity, initial, maintenance, buffer, gross, net))


def totals(draft: Draft, account: int, header: Account, time_ms: int) -> Totals:
    """All positions and the cash of an account.

    Raises: Rejected with PRICE_STALE.
    """
    return survey(draft, account, header, -1, time_ms).others


def find_position(draft: Draft, account: int, header: Account, market: int) -> tuple[int, int]:
    """Place in the bitmap and signed size of the position in a market; (-1, 0) for none."""
    bitmap, bit = header.positions, 0
    while bitmap:
        if bitmap & 1:
            position = cast(Position, draft.get(position_address(account, bit)))
            if position.market == market:
                return bit, position.size
        bitmap >>= 1
        bit += 1
    return -1, 0


def require_price(prices: MarketPrices, market: int, time_ms: int) -> None:
    """Refuse to read a mark that is no longer valid, or that no tick has set yet."""
    if time_ms >= prices.valid_until_ms:
        raise Rejected(
            RejectReason.PRICE_STALE,
            f"a price of market {market} valid after {time_ms} ms",
            f"one valid until {prices.valid_until_ms} ms",
        )


def require_unhalted(prices: MarketPrices, market: int) -> None:
    """Refuse to value a position at the mark from before a halt."""
    if prices.halted:
        raise Rejected(
            RejectReason.PRICE_STALE, f"market {market} with a price that holds", "a halted one"
        )


def may_change(before: Totals, after: Totals, old_size: int, new_size: int) -> bool:
    """Whether a fill may take an account from `before` to `after`.

    Either it is HEALTHY afterwards, or the fill only reduces: the position keeps its sign or
    closes, the requirement does not grow, and equity over requirement does not fall. The ratio
    alone would let a bankrupt account "improve" by growing. With it, a bankrupt account closes at
    its zero price or better, and leaves no debt behind that only others could pay.
    """
    if after.equity >= after.initial:
        return True
    if old_size * new_size < 0 or abs(new_size) > abs(old_size):
        return False
    if after.maintenance > before.maintenance:
        return False
    return after.equity * before.maintenance >= before.equity * after.maintenance
