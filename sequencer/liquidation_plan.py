"""What is to be done next about an account that is below maintenance, or in debt.

In this order: its orders leave, its positions are sold to the book, then to the insurance, then to
the liquidity vault; a bankrupt one that nobody takes meets the best of the other side; what is
owed in the end the insurance pays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import cast

from circuits.exchange.addresses import account_of, position_address
from circuits.exchange.bodies import Derived
from circuits.exchange.book import best, crosses
from circuits.exchange.deleveraging import Rank, can_bear, outranks, rank_at
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected
from circuits.exchange.leaves import Account, Position, Side
from circuits.exchange.limits import POSITION_SLOTS
from circuits.exchange.liquidation import (
    Victim,
    backstop_refusal,
    backstops,
    examine,
    is_below_close_out,
)
from circuits.exchange.risk import PPM_CASH, position_totals
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.take_over import TakeOver
from circuits.exchange.units import CASH_PER_UNIT

PARTS_MAX = 4
"""No less than this part of a position is sold at once, so that few commands are needed."""


def next_action(
    draft: Draft, time_ms: int, account: int, refused: Collection[Derived]
) -> Derived | None:
    """The first command about the account that is not known to be refused; None if there is none.

    Assumes: the account is below maintenance, or in debt.
    """
    header = draft.known(account)
    if header.orders or header.triggers:
        clear = ClearOrders(account)
        return None if clear in refused else clear
    if not header.positions:
        cover = CoverDeficit(account)
        return None if cover in refused else cover
    for market in held_markets(draft, account, header):
        for action in _actions(draft, time_ms, account, market):
            if action not in refused:
                return action
    return None


def held_markets(draft: Draft, account: int, header: Account) -> list[int]:
    """The markets of the account's positions, in the order of their slots."""
    return [
        cast(Position, draft.get(position_address(account, bit))).market
        for bit in range(POSITION_SLOTS)
        if header.positions >> bit & 1
    ]


def _actions(draft: Draft, time_ms: int, account: int, market: int) -> Iterator[Derived]:
    """What may be done about one position, the mildest first."""
    try:
        victim = examine(draft, time_ms, account, market)
    except Rejected:
        return
    price = crossing_price(draft, victim)
    if price:
        yield Liquidate(account, market, sold_size(draft, victim, price))
    if not price or is_below_close_out(victim.sums, victim.terms.close_out_ppm):
        insurance, vault = backstops(draft)
        # A bankrupt account is worth less than nothing, which only the insurance is there for.
        for backstop in (insurance, 0 if victim.sums.equity < 0 else vault):
            if backstop not in (0, account):
                size = backstop_size(draft, time_ms, victim, backstop)
                if size:
                    yield TakeOver(account, market, size, backstop)
    if victim.sums.equity < 0:
        counterparty = top_ranked(draft, time_ms, victim)
        if counterparty:
            yield AutoDeleverage(account, market, counterparty)


def crossing_price(draft: Draft, victim: Victim) -> int:
    """The best price that the book has for the position; 0 if none is as good as the zero price."""
    side = Side.BID if victim.side == Side.ASK else Side.ASK
    slot = best(draft, victim.market, side)
    if not slot:
        return 0
    price = draft.order(victim.market, slot).price
    return price if crosses(victim.side, victim.zero_price, price) else 0


def sold_size(draft: Draft, victim: Victim, price: int) -> int:
    """About as many lots as bring the account back to maintenance if they are sold at a price.

    A lot sold frees its requirement, less what it goes under the mark for, and less the fee.
    """
    held, terms = abs(victim.size), victim.terms
    prices = draft.prices(victim.market)
    requirement = position_totals(victim.size, prices, terms).maintenance // held
    lost = prices.mark_price - price if victim.size > 0 else price - prices.mark_price
    lost_cash = lost * terms.quote_per_tick_lot * CASH_PER_UNIT
    fee = price * terms.quote_per_tick_lot * terms.liquidation_fee_ppm * PPM_CASH
    freed = requirement - lost_cash - fee
    if freed <= 0:
        return held
    missing = victim.sums.maintenance - victim.sums.equity
    return min(held, max(-(-missing // freed), -(-held // PARTS_MAX)))


def backstop_size(draft: Draft, time_ms: int, victim: Victim, backstop: int) -> int:
    """How much of the position the backstop has the margin for, 0 for nothing."""
    taken, too_many = 0, abs(victim.size) + 1
    size = too_many - 1
    while taken < size:
        if backstop_refusal(draft, time_ms, victim, backstop, size) is None:
            taken = size
        else:
            too_many = size
        size = (taken + too_many) // 2
    return taken


def top_ranked(draft: Draft, time_ms: int, victim: Victim) -> int:
    """The account that is to be deleveraged against the victim, 0 if nobody can be.

    Cost: a health pass for every position of the other side.
    """
    book = draft.book(victim.market)
    address = book.short_head if victim.size > 0 else book.long_head
    chosen, top = 0, Rank(0, 1)
    while address:
        rank = rank_at(draft, time_ms, victim, address)
        if rank is not None and can_bear(draft, victim, address, rank):
            if not chosen or outranks(rank, top):
                chosen, top = account_of(address), rank
        address = cast(Position, draft.get(address)).next
    return chosen
