"""Random orders: the part of the stream that traders sign."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.exchange.events import Kind
from circuits.exchange.transactions.batch import Batch, CancelOperation, PlaceOperation
from circuits.exchange.transactions.cancel import Cancel
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.modify import Modify
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.place_trigger import PlaceTrigger
from tests.naive.scenario import BASE_PRICES, TRADERS

if TYPE_CHECKING:
    from tests.naive.flow import Flow

GTT, IOC, FOK, POST_ONLY = 0, 1, 2, 3
FAR_MS = 2**48 - 1


def order_fields(flow: Flow, account: int) -> dict[str, int]:
    """An order that fits what the account has and where the market is."""
    rng = flow.rng
    market = flow.market()
    held = flow.world.size(account, market)
    side = rng.randint(0, 1)
    reduce_only = 0
    if held and flow.chance(0.35):
        side = 1 if held > 0 else 0
        reduce_only = int(flow.chance(0.7))
    force = rng.choices([GTT, IOC, FOK, POST_ONLY], [5, 3, 1, 2])[0]
    price = order_price(flow, market, side, force)
    size = rng.choice([3, 3, 3, 5, 8, 13, 20, 40]) - rng.choice([0, 0, 0, 1, 1, 2])
    if held and flow.chance(0.3):
        size = abs(held) + rng.choice([0, 0, 1, -1])
    elif market in flow.world.markets and flow.chance(0.2):
        size = affordable_size(flow, account, market, price) + rng.choice([0, 0, 0, 1, -1])
    return {
        "market": market,
        "side": side,
        "time_in_force": force,
        "reduce_only": reduce_only,
        "price": price,
        "size": max(size, 0),
        "good_until_ms": good_until(flow),
    }


def affordable_size(flow: Flow, account: int, market: int, price: int) -> int:
    """About as many lots as the account has margin for."""
    if account not in flow.world.accounts:
        return 1
    listed, sums = flow.world.markets[market], flow.totals(account)
    each = price * listed.quote * listed.terms.initial_ppm / 10**6
    return min(int((sums.equity - sums.initial) / each), listed.terms.open_interest_max)


def order_price(flow: Flow, market: int, side: int, force: int) -> int:
    """Around the index: makers a little away from it, takers through it."""
    terms = flow.world.markets.get(market)
    middle = (terms.index if terms else 0) or 1_000
    away = abs(flow.rng.gauss(0, 0.01))
    if force in (IOC, FOK) or flow.chance(0.2):
        away = -abs(flow.rng.gauss(0.02, 0.02))
    if flow.chance(0.05):
        away *= 8
    return max(round(middle * (1 - away if side == 0 else 1 + away)), 1)


def good_until(flow: Flow) -> int:
    later = flow.rng.choice([0, 400, 3_000, 30_000, 10**5, *[10**9] * 10])
    return flow.now + (later if not flow.chance(0.01) else -1)


def own_order(flow: Flow, account: int) -> tuple[int, int]:
    """Key slot and nonce of something that the account has resting or waiting."""
    names = [
        each.name
        for lists in (flow.world.books, flow.world.triggers)
        for orders in lists.values()
        for each in orders
        if each.name[0] == account
    ]
    if not names or flow.chance(0.04):
        return flow.rng.randint(0, 2), flow.rng.randint(0, 30)
    return flow.rng.choice(names)[1:]


def busy_trader(flow: Flow) -> int:
    """Someone with an order, if there is anyone."""
    names = [each.name[0] for orders in flow.world.books.values() for each in orders]
    names += [each.name[0] for orders in flow.world.triggers.values() for each in orders]
    return flow.rng.choice(names) if names and flow.chance(0.9) else flow.trader()


def make_place(flow: Flow) -> Place:
    account = flow.trader()
    return Place(**flow.trading_header(account), **order_fields(flow, account))


def named(order: tuple[int, int]) -> dict[str, int]:
    return {"order_key_slot": order[0], "order_nonce": order[1]}


def make_cancel(flow: Flow) -> Cancel:
    account = busy_trader(flow)
    return Cancel(**flow.trading_header(account), **named(own_order(flow, account)))


def make_cancel_all(flow: Flow) -> CancelAll:
    return CancelAll(**flow.trading_header(busy_trader(flow)))


def make_modify(flow: Flow) -> Modify:
    account = busy_trader(flow)
    return Modify(
        **flow.trading_header(account),
        **named(own_order(flow, account)),
        **order_fields(flow, account),
    )


def make_batch(flow: Flow) -> Batch:
    """A few operations; rarely as many as may be, or one more."""
    account = busy_trader(flow)
    count = flow.rng.choice([1, 2, 3, 4, 6])
    if flow.chance(0.03):
        count = flow.rng.choice([0, 50, 51])
    operations = tuple(
        CancelOperation(**named(own_order(flow, account)))
        if flow.chance(0.15)
        else PlaceOperation(**order_fields(flow, account))
        for _ in range(count)
    )
    if count >= 50 and flow.chance(0.5):
        operations = many_small(flow, count)
    return Batch(**flow.trading_header(account), operations=operations)


def many_small(flow: Flow, count: int) -> tuple[PlaceOperation, ...]:
    """Small orders next to each other, for walks of many steps."""
    market, side = flow.market(), flow.rng.randint(0, 1)
    price = order_price(flow, market, side, GTT)
    size = 2 if market == 1 else 1
    step = 1 if side else -1
    until = flow.now + flow.rng.choice([4_000, 10**9])
    return tuple(
        PlaceOperation(market, side, GTT, 0, max(price + step * (n // 5), 1), size, until)
        for n in range(count)
    )


def make_place_trigger(flow: Flow) -> PlaceTrigger:
    """Stops and take-profits close to the price that they look at."""
    account = flow.trader()
    fields = order_fields(flow, account)
    source, direction = flow.rng.randint(0, 1), flow.rng.randint(0, 1)
    market = flow.world.markets.get(fields["market"])
    now_at = (market.last_trade if source else market.mark) if market else 1_000
    away = abs(flow.rng.gauss(0.002, 0.01))
    trigger_price = round((now_at or 1_000) * (1 + away if direction == 0 else 1 - away))
    fields["time_in_force"] = flow.rng.choice(
        [GTT, IOC, IOC, IOC, FOK if flow.chance(0.05) else IOC]
    )
    return PlaceTrigger(
        **flow.trading_header(account),
        **fields,
        source=source,
        direction=direction,
        trigger_price=max(trigger_price, 1),
    )


def plan_a_flood(flow: Flow) -> None:
    """One trader fills the book, or the trigger lists, as far as he may and a little further; or
    two put more orders in a row than a third may take in one step.
    """
    account, other, third = flow.rng.sample(TRADERS[:-1], 3)
    market = flow.rng.choice(list(BASE_PRICES))
    draw = flow.rng.random()
    if draw < 0.2:
        flow.planned += [lambda: far_trigger(flow, account, market)] * 53
    elif draw < 0.4:
        flow.planned += [lambda: far_orders(flow, account, market)] * 5
    else:
        flow.planned += [
            lambda: row(flow, account, market, 50),
            lambda: row(flow, other, market, 4),
        ]
        flow.planned.append(lambda: sweep(flow, third, market))
    flow.planned.append(lambda: CancelAll(**flow.header(account), key_slot=0))


def row(flow: Flow, account: int, market: int, count: int) -> Batch:
    """Small offers just above the index, of which most are soon past their time."""
    price = flow.world.markets[market].index + 1
    operations = tuple(
        PlaceOperation(market, 1, GTT, 0, price, 3, flow.now if n % 4 else FAR_MS)
        for n in range(count)
    )
    return Batch(**flow.header(account), key_slot=0, operations=operations)


def sweep(flow: Flow, account: int, market: int) -> Place:
    """A bid for all of them."""
    return Place(
        **flow.header(account),
        key_slot=0,
        market=market,
        side=0,
        time_in_force=flow.rng.choice([GTT, IOC]),
        reduce_only=0,
        price=flow.world.markets[market].index + 2,
        size=100,
        good_until_ms=FAR_MS,
    )


def far_trigger(flow: Flow, account: int, market: int) -> PlaceTrigger:
    return PlaceTrigger(
        **flow.header(account),
        key_slot=0,
        market=market,
        side=0,
        time_in_force=1,
        reduce_only=0,
        source=0,
        direction=0,
        trigger_price=BASE_PRICES[market] * 8 + flow.rng.randint(0, 3),
        price=BASE_PRICES[market],
        size=5,
        good_until_ms=FAR_MS,
    )


def far_orders(flow: Flow, account: int, market: int) -> Batch:
    each = PlaceOperation(market, 0, GTT, 0, max(BASE_PRICES[market] // 100, 1), 3, FAR_MS)
    return Batch(**flow.header(account), key_slot=0, operations=(each,) * 50)


MAKERS: dict[Kind, Callable[[Flow], Any]] = {
    Kind.PLACE: make_place,
    Kind.CANCEL: make_cancel,
    Kind.CANCEL_ALL: make_cancel_all,
    Kind.MODIFY: make_modify,
    Kind.BATCH: make_batch,
    Kind.PLACE_TRIGGER: make_place_trigger,
}
