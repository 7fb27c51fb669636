"""Waiting triggers: four doubly linked lists in each market, by the price watched and its way.

The head of a list fires first, so it alone says whether any trigger of the list is armed.
"""

from __future__ import annotations

from circuits.exchange.addresses import book_address, trigger_address
from circuits.exchange.draft import TRIGGER_HEADS, Draft
from circuits.exchange.errors import ExchangeError
from circuits.exchange.gates import UP
from circuits.exchange.leaves import Trigger
from circuits.exchange.order_checks import NewOrder
from circuits.exchange.steps import OrderName


def order_of(market: int, trigger: Trigger) -> NewOrder:
    """The order that a trigger becomes."""
    return NewOrder(
        OrderName(trigger.account, trigger.key_slot, trigger.nonce),
        market,
        trigger.side,
        trigger.time_in_force,
        trigger.reduce_only,
        trigger.price,
        trigger.size,
        trigger.good_until_ms,
    )


def insert_trigger(draft: Draft, market: int, trigger: Trigger) -> int | None:
    """Put a trigger behind all of its list that fire as early; its slot, None if all are taken.

    The links of `trigger` are set here.
    """
    slot = draft.guide.free_trigger_slot(draft, market)
    if slot is None:
        return None
    address = trigger_address(market, slot)
    if draft.get(address) is not None:
        raise ExchangeError(f"trigger slot {slot} of market {market}", "an empty one", "a trigger")
    source, direction = trigger.source, trigger.direction
    previous = draft.guide.trigger_before(draft, market, source, direction, trigger.trigger_price)
    after = _successor(draft, market, trigger, previous)
    draft.put_resting(address, trigger._replace(previous=previous, next=after))
    if after:
        _relink(draft, market, after, previous=slot)
    if previous:
        _relink(draft, market, previous, next=slot)
    else:
        _set_head(draft, market, trigger, slot)
    header = draft.known(trigger.account)
    draft.put_account(trigger.account, header._replace(triggers=header.triggers + 1))
    return slot


def remove_trigger(draft: Draft, market: int, slot: int) -> Trigger:
    """Take a trigger out of its list and its leaf away; the trigger as it was."""
    trigger = draft.trigger(market, slot)
    before, after = trigger.previous, trigger.next
    if before:
        _relink(draft, market, before, next=after)
    else:
        _set_head(draft, market, trigger, after)
    if after:
        _relink(draft, market, after, previous=before)
    draft.put_resting(trigger_address(market, slot), None)
    header = draft.known(trigger.account)
    draft.put_account(trigger.account, header._replace(triggers=header.triggers - 1))
    return trigger


def fires_no_later(direction: int, waiting_price: int, trigger_price: int) -> bool:
    """Whether a waiting trigger stands before a new one of its list."""
    return waiting_price <= trigger_price if direction == UP else waiting_price >= trigger_price


def _successor(draft: Draft, market: int, trigger: Trigger, previous: int) -> int:
    """The trigger that a new one is put before, once it stands between the right neighbours."""
    source, direction, price = trigger.source, trigger.direction, trigger.trigger_price
    after = draft.trigger_head(market, source, direction)
    if previous:
        waiting = draft.trigger(market, previous)
        if (waiting.source, waiting.direction) != (source, direction) or not fires_no_later(
            direction, waiting.trigger_price, price
        ):
            raise ExchangeError(
                f"trigger before {price} ticks in market {market}",
                "one that fires as early",
                waiting.trigger_price,
            )
        after = waiting.next
    if after and fires_no_later(direction, draft.trigger(market, after).trigger_price, price):
        raise ExchangeError(
            f"trigger behind {price} ticks in market {market}", "a later one", f"slot {after}"
        )
    return after


def _set_head(draft: Draft, market: int, trigger: Trigger, slot: int) -> None:
    field = TRIGGER_HEADS[trigger.source][trigger.direction]
    draft.put(book_address(market), draft.book(market)._replace(**{field: slot}))


def _relink(draft: Draft, market: int, slot: int, **link: int) -> None:
    draft.put(trigger_address(market, slot), draft.trigger(market, slot)._replace(**link))
