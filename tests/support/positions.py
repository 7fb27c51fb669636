"""Positions made by hand, for tests of what a trade would have to lead up to."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.positions import open_position, resize
from circuits.exchange.risk import find_position


def change_position(
    draft: Draft, account: int, market: int, delta: int, price: int, quote_per_tick_lot: int
) -> tuple[int, int]:
    """Add signed lots bought or sold at a price; the sizes before and after. Cash stays.

    Assumes: delta is not 0, and an account without a position here has a free slot for one.
    """
    header = draft.known(account)
    bit, old_size = find_position(draft, account, header, market)
    new_size, lot_quote = old_size + delta, price * quote_per_tick_lot
    bitmap = header.positions
    if bit < 0:
        bitmap = open_position(draft, account, bitmap, market, new_size, lot_quote)
    else:
        bitmap = resize(draft, account, bitmap, bit, new_size, lot_quote)
    if bitmap != header.positions:
        draft.put_account(account, header._replace(positions=bitmap))
    return old_size, new_size
