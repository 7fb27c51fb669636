"""Books without links: plain lists of orders and triggers, sorted whenever the order matters."""

from __future__ import annotations

from circuits.exchange.errors import RejectReason
from tests.naive.world import BID, Market, Name, Resting, Waiting, World, require

UP = 0
MARK, LAST = 0, 1
FIRST_TRIGGER_SLOT = 2**19 + 1


def ranked(world: World, market: int, side: int) -> list[Resting]:
    """All orders of a side, best price first, then first come."""
    orders = [order for order in world.books.get(market, ()) if order.side == side]
    return sorted(
        orders, key=lambda each: (-each.price if side == BID else each.price, each.arrival)
    )


def best(world: World, market: int, side: int) -> Resting | None:
    orders = ranked(world, market, side)
    return orders[0] if orders else None


def find(world: World, name: Name) -> tuple[int, Resting] | None:
    """Market and order of a name."""
    for market, orders in world.books.items():
        for order in orders:
            if order.name == name:
                return market, order
    return None


def lowest_free(taken: set[int], first: int) -> int:
    slot = first
    while slot in taken:
        slot += 1
    return slot


def add(world: World, market: int, order: Resting) -> None:
    """Let an order rest; slot and arrival are given here."""
    orders = world.books.get(market, ())
    slot = lowest_free({each.slot for each in orders}, 1)
    world.books[market] = (*orders, order._replace(slot=slot, arrival=world.arrival()))


def remove(world: World, market: int, name: Name) -> None:
    world.books[market] = tuple(each for each in world.books[market] if each.name != name)


def shrink(world: World, market: int, name: Name, size: int) -> None:
    """Take a filled size off an order, which leaves when nothing is left."""
    changed = (
        each._replace(remaining=each.remaining - size) if each.name == name else each
        for each in world.books[market]
    )
    world.books[market] = tuple(each for each in changed if each.remaining)


def order_count(world: World, account: int) -> int:
    return sum(each.name[0] == account for orders in world.books.values() for each in orders)


def trigger_count(world: World, account: int) -> int:
    return sum(each.name[0] == account for waiting in world.triggers.values() for each in waiting)


def add_trigger(world: World, market: int, trigger: Waiting) -> None:
    waiting = world.triggers.get(market, ())
    slot = lowest_free({each.slot for each in waiting}, FIRST_TRIGGER_SLOT)
    world.triggers[market] = (*waiting, trigger._replace(slot=slot, arrival=world.arrival()))


def remove_trigger(world: World, market: int, name: Name) -> None:
    world.triggers[market] = tuple(each for each in world.triggers[market] if each.name != name)


def firing_order(world: World, market: int, source: int, direction: int) -> list[Waiting]:
    """The triggers that a price reaches first come first."""
    waiting = [
        each
        for each in world.triggers.get(market, ())
        if (each.source, each.direction) == (source, direction)
    ]
    sign = 1 if direction == UP else -1
    return sorted(waiting, key=lambda each: (sign * each.trigger_price, each.arrival))


def is_reached(market: Market, source: int, direction: int, trigger_price: int) -> bool:
    """Whether the price that a trigger looks at is there."""
    price = market.mark if source == MARK else market.last_trade
    if price == 0:
        return False
    return price >= trigger_price if direction == UP else price <= trigger_price


def is_armed(world: World, market: int) -> bool:
    """Whether any trigger should have fired."""
    terms = world.markets[market]
    return any(
        is_reached(terms, each.source, each.direction, each.trigger_price)
        for each in world.triggers.get(market, ())
    )


def require_current(world: World, market: int, *, triggers_too: bool = True) -> None:
    """Refuse while a funding step or a trigger of the market is due."""
    terms = world.markets[market]
    due = world.now >= terms.next_sample_ms or world.now >= terms.next_settlement_ms
    require(not due, RejectReason.FUNDING_DUE)
    if triggers_too:
        require(not is_armed(world, market), RejectReason.TRIGGER_DUE)


def clear(world: World, account: int) -> None:
    """Take out all that an account has resting or waiting."""
    for market, orders in world.books.items():
        world.books[market] = tuple(each for each in orders if each.name[0] != account)
    for market, waiting in world.triggers.items():
        world.triggers[market] = tuple(each for each in waiting if each.name[0] != account)


def take_out(world: World, name: Name) -> bool:
    """Remove the order or trigger of a name; False if there is none."""
    found = find(world, name)
    if found:
        remove(world, found[0], name)
        return True
    for market, waiting in world.triggers.items():
        if any(each.name == name for each in waiting):
            remove_trigger(world, market, name)
            return True
    return False
