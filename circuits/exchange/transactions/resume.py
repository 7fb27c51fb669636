"""Resume: a halted market goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import prices_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import require_current, require_market
from circuits.exchange.oracle_price import recompute_mark
from circuits.exchange.steps import Resumed
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class Resume:
    """`market`, whose last ticks agree again."""

    KIND: ClassVar[Kind] = Kind.RESUME
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int


def apply(draft: Draft, context: Context, resume: Resume) -> None:
    """Take the price that enough ticks in a row agreed on; it may be far from the last one.

    Raises: Rejected with the first rule that fails.
    """
    market, time_ms = resume.market, context.time_ms
    terms = require_market(draft, market)
    prices = draft.prices(market)
    if not prices.halted:
        raise Rejected(RejectReason.NOT_DUE, "a halted market", f"market {market}")
    if prices.cooldown_count < terms.cooldown_ticks:
        raise Rejected(
            RejectReason.NOT_DUE,
            f"{terms.cooldown_ticks} ticks that agree",
            prices.cooldown_count,
        )
    if time_ms >= prices.valid_until_ms:
        raise Rejected(
            RejectReason.NOT_DUE, f"a time before {prices.valid_until_ms} ms", f"{time_ms} ms"
        )
    require_current(draft, market, time_ms)
    resumed = prices._replace(halted=0, index_price=prices.pending)
    resumed = recompute_mark(draft, market, resumed, time_ms)
    draft.put(prices_address(market), resumed)
    draft.steps.append(Resumed(market, resumed.index_price, resumed.mark_price))
