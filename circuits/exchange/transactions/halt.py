"""Halt: a market without a price stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.exchange.addresses import prices_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.gates import require_market
from circuits.exchange.oracle_price import halted
from circuits.exchange.steps import Halted
from circuits.exchange.transactions.authority import Context


@dataclass(frozen=True, slots=True)
class Halt:
    """`market`, whose price is no longer valid."""

    KIND: ClassVar[Kind] = Kind.HALT
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)

    market: int


def apply(draft: Draft, context: Context, halt: Halt) -> None:
    """Stop a market that trades without a valid price; the next tick is compared to the last one.

    Raises: Rejected with the first rule that fails.
    """
    require_market(draft, halt.market)
    prices = draft.prices(halt.market)
    if prices.halted or prices.index_price == 0:
        raise Rejected(
            RejectReason.NOT_DUE,
            "a market that has had a price and is not halted",
            f"market {halt.market}",
        )
    if context.time_ms < prices.valid_until_ms:
        raise Rejected(
            RejectReason.NOT_DUE,
            f"a time of at least {prices.valid_until_ms} ms",
            f"{context.time_ms} ms",
        )
    draft.put(prices_address(halt.market), halted(prices, prices.index_price))
    draft.steps.append(Halted(halt.market))
