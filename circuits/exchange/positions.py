"""A position opens, grows, shrinks, flips and closes: its leaf, the account's bitmap, the lists.

All longs of a market form one doubly linked list and all shorts another, through the leaves
themselves; a position is pushed at the head of its list and keeps its leaf while it is open.
"""

from __future__ import annotations

from circuits.exchange.addresses import book_address, position_address
from circuits.exchange.draft import Draft
from circuits.exchange.leaves import Position


def open_position(
    draft: Draft, account: int, bitmap: int, market: int, size: int, lot_quote: int
) -> int:
    """Write a position into the account's lowest free slot; the bitmap with it."""
    free = ~bitmap & (bitmap + 1)
    address = position_address(account, free.bit_length() - 1)
    _push(draft, address, market, size, size * lot_quote)
    return bitmap | free


def resize(draft: Draft, account: int, bitmap: int, bit: int, new_size: int, lot_quote: int) -> int:
    """Give an open position another size, none included; the account's bitmap afterwards."""
    address = position_address(account, bit)
    position: Position = draft.get(address)
    market, old_size, _, previous, following = position
    entry_quote = changed_entry(position, new_size, lot_quote)
    if old_size * new_size > 0:
        draft.put(address, Position(market, new_size, entry_quote, previous, following))
        return bitmap
    _unlink(draft, position)
    if new_size == 0:
        draft.put(address, None)
        return bitmap & ~(1 << bit)
    _push(draft, address, market, new_size, entry_quote)
    return bitmap


def changed_entry(position: Position, new_size: int, lot_quote: int) -> int:
    """What the position was bought for, once it has another size.

    A reduction keeps the entry pro rata, rounded toward zero; a flip starts anew.
    """
    old_size, entry_quote = position.size, position.entry_quote
    if old_size * new_size < 0:
        return new_size * lot_quote
    if abs(new_size) > abs(old_size):
        return entry_quote + (new_size - old_size) * lot_quote
    kept = abs(entry_quote) * abs(new_size) // abs(old_size)
    return kept if entry_quote >= 0 else -kept


def _push(draft: Draft, address: int, market: int, size: int, entry_quote: int) -> None:
    """Write the position as the head of its list."""
    book = draft.book(market)
    if size > 0:
        head = book.long_head
        book = book._replace(long_head=address, long_count=book.long_count + 1)
    else:
        head = book.short_head
        book = book._replace(short_head=address, short_count=book.short_count + 1)
    if head:
        draft.put(head, draft.get(head)._replace(previous=address))
    draft.put(address, Position(market, size, entry_quote, 0, head))
    draft.put(book_address(market), book)


def _unlink(draft: Draft, position: Position) -> None:
    """Take the position out of its list; the leaf itself is the caller's to write."""
    before, after = position.previous, position.next
    if before:
        draft.put(before, draft.get(before)._replace(next=after))
    if after:
        draft.put(after, draft.get(after)._replace(previous=before))
    book = draft.book(position.market)
    if position.size > 0:
        head = book.long_head if before else after
        book = book._replace(long_head=head, long_count=book.long_count - 1)
    else:
        head = book.short_head if before else after
        book = book._replace(short_head=head, short_count=book.short_count - 1)
    draft.put(book_address(position.market), book)
