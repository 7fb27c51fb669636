"""What the liquidity vault quotes: prices by a formula of the state, so that nobody chooses them.

Layers lie around the index; the more of its leverage the vault has used, the wider they lie, and
the more it holds of a market, the further they are shifted so as to get rid of it.
"""

from __future__ import annotations

from typing import NamedTuple

from circuits.exchange.leaves import Side, VaultTerms
from circuits.exchange.limits import PPM, PRICE_MAX
from circuits.exchange.risk import Totals
from circuits.exchange.units import CASH_PER_UNIT


class Quote(NamedTuple):
    """An order that the vault is to place; `place` counts all layers' sides from 0."""

    place: int
    side: int
    price: int
    is_post_only: bool


def used_leverage_ppm(sums: Totals, leverage_cap_ppm: int) -> int:
    """floor(gross * 10^24 / (equity * cap)), at most 10^6; all of it if the cap is 0.

    Assumes: equity above 0. Rounded down, against the vault, by less than a millionth.
    """
    if leverage_cap_ppm == 0:
        return PPM
    used = sums.gross * CASH_PER_UNIT * PPM * PPM // (sums.equity * leverage_cap_ppm)
    return min(used, PPM)


def half_spread(index_price: int, terms: VaultTerms, layer: int, used_ppm: int) -> int:
    """ceil(index * (spread + layer * step) * (10^6 + used) / 10^12) ticks.

    Rounded up, in favour of the vault.
    """
    width_ppm = terms.quote_spread_ppm + layer * terms.quote_step_ppm
    return -(-index_price * width_ppm * (PPM + used_ppm) // (PPM * PPM))


def skew(index_price: int, quote_skew_ppm: int, inventory: int, open_interest_max: int) -> int:
    """floor(index * ppm * inventory / (10^6 * open_interest_max)) ticks, to be taken off a price.

    Toward minus infinity: a long vault asks up to a tick more, a short one bids up to one more.
    """
    return index_price * quote_skew_ppm * inventory // (PPM * open_interest_max)


def quotes(
    terms: VaultTerms, index_price: int, open_interest_max: int, inventory: int, sums: Totals
) -> list[Quote]:
    """All layers from the inside out, bid before ask; a price that is none is left out.

    What would add to the inventory may only rest, so the vault never pays to take more risk.
    """
    used_ppm = used_leverage_ppm(sums, terms.leverage_cap_ppm)
    middle = index_price - skew(index_price, terms.quote_skew_ppm, inventory, open_interest_max)
    found = []
    for layer in range(terms.quote_layers):
        half = half_spread(index_price, terms, layer, used_ppm)
        for side, price, is_adding in (
            (Side.BID, middle - half, inventory >= 0),
            (Side.ASK, middle + half, inventory <= 0),
        ):
            if 1 <= price <= PRICE_MAX:
                found.append(Quote(2 * layer + side, side, price, is_adding))
    return found
