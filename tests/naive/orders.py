"""Orders as their owners see them: placing, cancelling, changing, waiting for a price."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from circuits.exchange.errors import RejectReason
from circuits.exchange.transactions.batch import PlaceOperation
from tests.naive.health import totals
from tests.naive.matching import Taker, reducible, take
from tests.naive.order_book import (
    add,
    add_trigger,
    clear,
    find,
    firing_order,
    is_reached,
    order_count,
    remove,
    remove_trigger,
    require_current,
    take_out,
    trigger_count,
)
from tests.naive.standing import why_dead
from tests.naive.world import (
    ACTIVE,
    CONSERVATIVE,
    DELISTED,
    FEE,
    FROZEN,
    INSURANCE,
    Name,
    Refused,
    Resting,
    Waiting,
    World,
    require,
)

GTT, IOC, FOK, POST_ONLY = 0, 1, 2, 3
ORDERS_MAX, TRIGGERS_MAX, BATCH_MAX = 200, 50, 50


class Ticket(NamedTuple):
    """An order before anything has become of it."""

    name: Name
    market: int
    side: int
    time_in_force: int
    reduce_only: int
    price: int
    size: int
    good_until_ms: int


def ticket_of(name: Name, source: Any) -> Ticket:
    """The ticket of a command, a batch operation or a trigger."""
    values = [getattr(source, field) for field in Ticket._fields[2:]]
    return Ticket(name, source.market, *values)


def check(world: World, ticket: Ticket, *, force_max: int, waits: bool, fires: bool) -> None:
    """What an order must be like, and its market."""
    market = check_market(world, ticket)
    require_current(world, ticket.market, triggers_too=not fires)
    if not waits:
        require(world.now < market.valid_until_ms, RejectReason.PRICE_STALE)
    is_known = ticket.side <= 1 and ticket.time_in_force <= force_max and ticket.reduce_only <= 1
    require(is_known, RejectReason.BAD_ENUM)


def check_market(world: World, ticket: Ticket) -> Any:
    """Whether mode, account and market let such an order be."""
    is_free = world.mode != CONSERVATIVE or ticket.reduce_only
    require(world.mode != FROZEN and bool(is_free), RejectReason.MODE_FORBIDS)
    kind = world.accounts[ticket.name[0]].kind
    require(kind not in (INSURANCE, FEE), RejectReason.ACCOUNT_KIND)
    market = world.market(ticket.market)
    is_open = market.status == ACTIVE and not market.is_halted
    is_let_in = market.status != DELISTED and (is_open or ticket.reduce_only)
    require(bool(is_let_in), RejectReason.MARKET_STATUS)
    return market


def check_size(world: World, ticket: Ticket) -> None:
    """Whether price, size and time make sense."""
    terms = world.markets[ticket.market].terms
    require(ticket.price > 0, RejectReason.PRICE_ZERO)
    require(ticket.size >= max(terms.size_min, 1), RejectReason.SIZE_TOO_SMALL)
    require(ticket.size <= terms.open_interest_max, RejectReason.SIZE_TOO_LARGE)
    require(ticket.good_until_ms >= world.now, RejectReason.ORDER_EXPIRED)


def place(world: World, ticket: Ticket, *, fires: bool = False) -> None:
    """Match an order and let the rest of it rest, if it may."""
    account = ticket.name[0]
    check(world, ticket, force_max=POST_ONLY, waits=False, fires=fires)
    check_size(world, ticket)
    may_rest = ticket.time_in_force in (GTT, POST_ONLY)
    if may_rest:
        require(order_count(world, account) < ORDERS_MAX, RejectReason.TOO_MANY_ORDERS)
    size = ticket.size
    if ticket.reduce_only:
        size = min(size, reducible(world, account, ticket.market, ticket.side))
        require(size > 0, RejectReason.REDUCE_ONLY)
    is_post_only = ticket.time_in_force == POST_ONLY
    ending = take(
        world,
        Taker(ticket.name, ticket.market, ticket.side, ticket.price, size, is_post_only),
    )
    if not ending.remaining:
        return
    require(ticket.time_in_force != FOK, RejectReason.FOK_UNFILLED)
    if ending.reason not in (None, RejectReason.MATCH_STEPS) and not ending.filled:
        raise Refused(ending.reason)
    if ending.reason is None and may_rest:
        try:
            rest(world, ticket, ending.remaining)
        except Refused:
            if not ending.filled:
                raise


def rest(world: World, ticket: Ticket, size: int) -> None:
    """Put what is left into the book."""
    if not ticket.reduce_only:
        market = world.markets[ticket.market]
        sums = totals(world, ticket.name[0])
        extra = size * ticket.price * market.quote * Fraction(market.terms.initial_ppm, 10**6)
        require(sums.equity >= sums.initial + extra, RejectReason.INSUFFICIENT_MARGIN)
    order = Resting(
        ticket.name, 0, 0, ticket.side, ticket.price, size, ticket.good_until_ms, ticket.reduce_only
    )
    add(world, ticket.market, order)


def name_of(command: Any) -> Name:
    return command.account, command.key_slot, command.nonce


def other_name(account: int, command: Any) -> Name:
    """The name of the order that a command is about."""
    return account, command.order_key_slot, command.order_nonce


def apply_place(world: World, command: Any) -> None:
    place(world, ticket_of(name_of(command), command))


def cancel(world: World, account: int, command: Any) -> None:
    is_found = take_out(world, other_name(account, command))
    require(is_found, RejectReason.UNKNOWN_ORDER)


def apply_cancel(world: World, command: Any) -> None:
    cancel(world, command.account, command)


def apply_cancel_all(world: World, command: Any) -> None:
    clear(world, command.account)


def apply_modify(world: World, command: Any) -> None:
    name = other_name(command.account, command)
    found = find(world, name)
    require(found is not None, RejectReason.UNKNOWN_ORDER)
    assert found
    remove(world, found[0], name)
    place(world, ticket_of(name_of(command), command))


def apply_batch(world: World, command: Any) -> None:
    require(1 <= len(command.operations) <= BATCH_MAX, RejectReason.BATCH_SIZE)
    for count, operation in enumerate(command.operations):
        before = world.snapshot()
        name = (command.account, command.key_slot, command.nonce + count)
        try:
            if isinstance(operation, PlaceOperation):
                place(world, ticket_of(name, operation))
            else:
                cancel(world, command.account, operation)
        except Refused:
            world.restore(before)


def apply_place_trigger(world: World, command: Any) -> None:
    ticket = ticket_of(name_of(command), command)
    check(world, ticket, force_max=IOC, waits=True, fires=False)
    require(command.source <= 1 and command.direction <= 1, RejectReason.BAD_ENUM)
    require(command.trigger_price > 0, RejectReason.PRICE_ZERO)
    check_size(world, ticket)
    few = trigger_count(world, command.account) < TRIGGERS_MAX
    require(few, RejectReason.TOO_MANY_TRIGGERS)
    reached = is_reached(
        world.markets[command.market], command.source, command.direction, command.trigger_price
    )
    require(not reached, RejectReason.TRIGGER_ARMED)
    fields = Waiting._fields[3:]
    waiting = Waiting(name_of(command), 0, 0, *(getattr(command, field) for field in fields))
    add_trigger(world, command.market, waiting)


def apply_fire_trigger(world: World, command: Any) -> None:
    market = world.market(command.market)
    require(command.source <= 1 and command.direction <= 1, RejectReason.BAD_ENUM)
    require_current(world, command.market, triggers_too=False)
    waiting = firing_order(world, command.market, command.source, command.direction)
    require(bool(waiting), RejectReason.NOTHING_DUE)
    head = waiting[0]
    reached = is_reached(market, head.source, head.direction, head.trigger_price)
    require(reached, RejectReason.NOTHING_DUE)
    remove_trigger(world, command.market, head.name)
    if head.good_until_ms < world.now:
        return
    values = [getattr(head, field) for field in Ticket._fields[2:]]
    before = world.snapshot()
    try:
        place(world, Ticket(head.name, command.market, *values), fires=True)
    except Refused:
        world.restore(before)


def apply_expire(world: World, command: Any) -> None:
    for order in world.books.get(command.market, ()):
        if order.slot == command.slot:
            reason = why_dead(world, command.market, order)
            require(reason not in (None, RejectReason.PRICE_STALE), RejectReason.NOT_DUE)
            remove(world, command.market, order.name)
            return
    raise Refused(RejectReason.UNKNOWN_ORDER)
