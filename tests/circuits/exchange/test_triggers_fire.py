"""Triggers: how they are placed, when they fire, and what becomes of their orders."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.exchange.errors import RejectReason
from circuits.exchange.gates import DOWN, LAST, TRIGGER_LISTS, UP
from circuits.exchange.gates import MARK as MARK_SOURCE
from circuits.exchange.leaves import AccountKind, MarketStatus, Mode
from circuits.exchange.limits import TRIGGER_SLOT_FIRST, TRIGGERS_MAX
from circuits.exchange.steps import (
    Dropped,
    Ended,
    Filled,
    OrderName,
    Rested,
    TriggerDropped,
    TriggerFired,
    TriggerRested,
)
from circuits.exchange.transactions.fire_trigger import FireTrigger
from tests.support.guides import FollowingGuide, LyingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    DAN,
    FEE,
    FOK,
    GTT,
    IOC,
    LATER_MS,
    LOT_UNITS,
    MARK,
    START_MS,
    Scene,
)

STOP = FireTrigger(0, MARK_SOURCE, DOWN)
"""Fires what waits for a falling mark, as `Scene.trigger` makes it."""


def fired(account: int, nonce: int = 1) -> TriggerFired:
    return TriggerFired(0, OrderName(account, 0, nonce))


def dropped(account: int, reason: RejectReason, nonce: int = 1) -> TriggerDropped:
    return TriggerDropped(0, OrderName(account, 0, nonce), reason)


# Placing


CHECKS: list[tuple[RejectReason, str, dict[str, Any], dict[str, Any]]] = [
    (RejectReason.MODE_FORBIDS, "controls", {"mode": Mode.FROZEN}, {}),
    (RejectReason.ACCOUNT_KIND, "header", {"kind": AccountKind.INSURANCE}, {}),
    (RejectReason.UNKNOWN_MARKET, "", {}, {"market": 5}),
    (RejectReason.MARKET_STATUS, "prices", {"status": MarketStatus.DELISTED}, {}),
    (RejectReason.FUNDING_DUE, "prices", {"next_settlement_ms": START_MS}, {}),
    (RejectReason.TRIGGER_DUE, "prices", {"mark_price": MARK - 9}, {}),
    (RejectReason.BAD_ENUM, "", {}, {"source": 2}),
    (RejectReason.PRICE_ZERO, "", {}, {"trigger_price": 0}),
    (RejectReason.SIZE_TOO_SMALL, "", {}, {"size": 1}),
    (RejectReason.SIZE_TOO_LARGE, "terms", {"open_interest_max": 0}, {}),
    (RejectReason.ORDER_EXPIRED, "", {}, {"good_until_ms": START_MS - 1}),
    (RejectReason.TOO_MANY_TRIGGERS, "header", {"triggers": TRIGGERS_MAX}, {}),
    (RejectReason.TRIGGER_ARMED, "", {}, {"direction": UP}),
]


@pytest.mark.parametrize("first", range(len(CHECKS)), ids=[each[0] for each in CHECKS])
def test_the_first_rule_that_fails_is_the_reason(first: int) -> None:
    scene = Scene(check=False)
    scene.do(scene.trigger(CAT, MARK - 9))
    fields: dict[str, Any] = {"trigger_price": MARK - 20}
    for _, what, changes, values in reversed(CHECKS[first:]):
        if what == "header":
            scene.set_header(ANN, **changes)
        elif what:
            getattr(scene, f"set_{what}")(**changes)
        fields |= values
    assert scene.reason(scene.trigger(ANN, **fields)) is CHECKS[first][0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"side": 2}, RejectReason.BAD_ENUM),
        ({"reduce_only": 2}, RejectReason.BAD_ENUM),
        ({"source": 2}, RejectReason.BAD_ENUM),
        ({"direction": 2}, RejectReason.BAD_ENUM),
        ({"time_in_force": FOK}, RejectReason.BAD_ENUM),
        ({"time_in_force": GTT}, None),
        ({"price": 0}, RejectReason.PRICE_ZERO),
        ({"trigger_price": 0}, RejectReason.PRICE_ZERO),
        ({"side": 2, "trigger_price": 0}, RejectReason.BAD_ENUM),
        ({"trigger_price": 0, "size": 0}, RejectReason.PRICE_ZERO),
    ],
)
def test_fields(fields: dict[str, int], reason: RejectReason | None) -> None:
    scene = Scene()
    assert scene.reason(scene.trigger(ANN, **{"trigger_price": 9} | fields)) is reason


def test_a_trigger_needs_no_price_margin_or_position() -> None:
    scene = Scene()
    scene.set_cash(ANN, 0)
    scene.time_ms = START_MS + LATER_MS
    step = TriggerRested(0, TRIGGER_SLOT_FIRST, OrderName(ANN, 0, 1))
    assert scene.do(scene.trigger(ANN, MARK - 1, reduce_only=1)) == (step,)
    assert scene.header(ANN).triggers == 1
    (trigger,) = scene.triggers(MARK_SOURCE, DOWN)
    assert trigger[:12] == (ANN, 0, 1, ASK, 1, IOC, 0, DOWN, MARK - 1, 1, 2, 2**48 - 1)


def test_fifty_triggers() -> None:
    scene = Scene(check=False)
    scene.set_header(ANN, triggers=TRIGGERS_MAX - 1)
    assert scene.reason(scene.trigger(ANN, MARK - 1)) is None
    assert scene.reason(scene.trigger(ANN, MARK - 1)) is RejectReason.TOO_MANY_TRIGGERS


@pytest.mark.parametrize(
    ("source", "direction", "trigger_price", "is_armed"),
    [
        (MARK_SOURCE, UP, MARK, True),
        (MARK_SOURCE, UP, MARK + 1, False),
        (MARK_SOURCE, DOWN, MARK, True),
        (MARK_SOURCE, DOWN, MARK - 1, False),
        (LAST, UP, 900, True),
        (LAST, UP, 901, False),
        (LAST, DOWN, 900, True),
        (LAST, DOWN, 899, False),
    ],
)
def test_a_price_that_is_reached_already(
    source: int, direction: int, trigger_price: int, is_armed: bool
) -> None:
    scene = Scene()
    scene.trade(BOB, CAT, 2, 900)
    body = scene.trigger(ANN, trigger_price, source=source, direction=direction)
    assert scene.reason(body) is (RejectReason.TRIGGER_ARMED if is_armed else None)


@pytest.mark.parametrize(("source", "direction"), TRIGGER_LISTS)
def test_a_price_that_is_not_known_yet_is_not_reached(source: int, direction: int) -> None:
    scene = Scene()
    scene.set_prices(mark_price=0, valid_until_ms=0)
    assert scene.reason(scene.trigger(ANN, 5, source=source, direction=direction)) is None
    assert scene.reason(FireTrigger(0, source, direction)) is RejectReason.NOTHING_DUE


def test_no_free_slot() -> None:
    scene = Scene(guide=LyingGuide(free_trigger_slot=None))
    assert scene.reason(scene.trigger(ANN, MARK - 1)) is RejectReason.BOOK_FULL


def test_modes_and_statuses_let_a_trigger_wait_that_only_reduces() -> None:
    scene = Scene()
    scene.set_controls(mode=Mode.CONSERVATIVE)
    assert scene.reason(scene.trigger(ANN, MARK - 1)) is RejectReason.MODE_FORBIDS
    assert scene.reason(scene.trigger(ANN, MARK - 1, reduce_only=1)) is None
    scene.set_controls(mode=Mode.NORMAL)
    scene.set_prices(halted=1)
    assert scene.reason(scene.trigger(ANN, MARK - 1)) is RejectReason.MARKET_STATUS
    assert scene.reason(scene.trigger(ANN, MARK - 1, reduce_only=1)) is None


# Firing


@pytest.mark.parametrize(
    ("source", "direction", "trigger_price", "fires_at"),
    [
        (MARK_SOURCE, UP, MARK + 5, MARK + 5),
        (MARK_SOURCE, DOWN, MARK - 5, MARK - 5),
        (LAST, UP, MARK + 5, MARK + 5),
        (LAST, DOWN, MARK - 5, MARK - 5),
    ],
)
def test_a_trigger_fires_at_its_price_and_not_before(
    source: int, direction: int, trigger_price: int, fires_at: int
) -> None:
    scene = Scene()
    scene.trade(BOB, CAT, 2)
    scene.do(scene.trigger(ANN, trigger_price, source=source, direction=direction))
    fire = FireTrigger(0, source, direction)
    assert scene.reason(fire) is RejectReason.NOTHING_DUE
    nearly = fires_at + (1 if direction == DOWN else -1)
    for price, reason in ((nearly, RejectReason.NOTHING_DUE), (fires_at, None)):
        if source == MARK_SOURCE:
            scene.set_prices(mark_price=price)
        else:
            scene.trade(BOB, CAT, 2, price)
        assert scene.reason(fire) is reason
    assert scene.header(ANN).triggers == 0
    assert scene.reason(fire) is RejectReason.NOTHING_DUE


def stopped(scene: Scene, account: int = ANN, **fields: int) -> Scene:
    """A stop of the account at 990 whose price the mark has then reached."""
    scene.do(scene.trigger(account, MARK - 10, **fields))
    scene.set_prices(mark_price=MARK - 10)
    return scene


def test_a_trigger_becomes_an_order_of_its_name() -> None:
    scene = Scene()
    scene.rest(BOB, BID, MARK - 50, 2)
    stopped(scene)
    steps = scene.do(STOP)
    assert steps[0] == fired(ANN)
    assert isinstance(steps[1], Filled)
    assert steps[1].taker == OrderName(ANN, 0, 1)
    assert len(steps) == 2
    assert scene.size(ANN) == -2


@pytest.mark.parametrize("time_in_force", [GTT, IOC])
def test_what_the_book_does_not_fill_rests_or_ends(time_in_force: int) -> None:
    scene = stopped(Scene(), price=MARK - 20, time_in_force=time_in_force)
    steps = scene.do(STOP)
    if time_in_force == GTT:
        assert steps == (fired(ANN), Rested(0, 1, OrderName(ANN, 0, 1), ASK, MARK - 20, 2))
        assert scene.do(scene.cancel(ANN, 1))
    else:
        assert steps == (fired(ANN), Ended(0, OrderName(ANN, 0, 1), 2, None))


def test_triggers_fire_in_their_order_while_others_wait() -> None:
    scene = Scene()
    for account, price in ((ANN, MARK - 10), (BOB, MARK - 5), (CAT, MARK - 10), (DAN, MARK - 11)):
        scene.do(scene.trigger(account, price))
    scene.set_prices(mark_price=MARK - 10)
    assert [scene.do(STOP)[0] for _ in range(3)] == [fired(BOB), fired(ANN), fired(CAT)]
    assert scene.reason(STOP) is RejectReason.NOTHING_DUE
    assert [trigger.account for trigger in scene.triggers(MARK_SOURCE, DOWN)] == [DAN]


def test_an_armed_trigger_of_another_list_holds_none_up() -> None:
    scene = Scene()
    scene.trade(BOB, CAT, 2, MARK + 5)
    scene.do(scene.trigger(ANN, MARK - 10))
    scene.do(scene.trigger(BOB, MARK, source=LAST))
    scene.trade(BOB, CAT, 2, MARK)
    scene.set_prices(mark_price=MARK - 10)
    assert scene.reason(scene.place(DAN, BID, 1, 5)) is RejectReason.TRIGGER_DUE
    assert scene.do(STOP)[0] == fired(ANN)
    assert scene.reason(scene.place(DAN, BID, 1, 5)) is RejectReason.TRIGGER_DUE
    assert scene.do(FireTrigger(0, LAST, DOWN))[0] == fired(BOB, 2)
    assert scene.reason(scene.place(DAN, BID, 1, 5)) is None


def test_one_trigger_may_arm_another() -> None:
    scene = Scene()
    scene.trade(BOB, CAT, 2)
    scene.rest(BOB, BID, MARK - 50, 2)
    scene.do(scene.trigger(DAN, MARK - 40, source=LAST))
    stopped(scene)
    scene.do(STOP)
    assert scene.book().last_trade == MARK - 50
    assert scene.do(FireTrigger(0, LAST, DOWN))[0] == fired(DAN)


def test_an_expired_trigger_is_dropped_only_after_its_last_millisecond() -> None:
    scene = stopped(Scene(), good_until_ms=START_MS + 5)
    scene.do(scene.cancel_all(ANN))
    scene.set_prices(mark_price=MARK)
    for _ in range(2):
        scene.do(scene.trigger(ANN, MARK - 10, good_until_ms=START_MS + 5))
    scene.set_prices(mark_price=MARK - 10)
    scene.time_ms = START_MS + 5
    assert scene.do(STOP)[0] == fired(ANN, 3)
    scene.time_ms += 1
    assert scene.do(STOP) == (dropped(ANN, RejectReason.EXPIRED, 4),)
    assert scene.header(ANN).triggers == 0


REFUSALS: list[tuple[RejectReason, str, dict[str, Any], dict[str, int]]] = [
    (RejectReason.MODE_FORBIDS, "controls", {"mode": Mode.CONSERVATIVE}, {}),
    (RejectReason.ACCOUNT_KIND, "header", {"kind": AccountKind.FEE}, {}),
    (RejectReason.MARKET_STATUS, "prices", {"halted": 1}, {}),
    (RejectReason.PRICE_STALE, "prices", {"valid_until_ms": START_MS}, {}),
    (RejectReason.SIZE_TOO_SMALL, "terms", {"size_min": 3}, {}),
    (RejectReason.SIZE_TOO_LARGE, "terms", {"open_interest_max": 1}, {}),
    (RejectReason.REDUCE_ONLY, "", {}, {"reduce_only": 1}),
    (RejectReason.INSUFFICIENT_MARGIN, "header", {"cash": 0}, {}),
]


@pytest.mark.parametrize(
    ("reason", "what", "changes", "fields"), REFUSALS, ids=[each[0] for each in REFUSALS]
)
def test_a_refused_order_is_undone_and_its_trigger_gone(
    reason: RejectReason, what: str, changes: dict[str, Any], fields: dict[str, int]
) -> None:
    guide = FollowingGuide()
    scene = Scene(check=False, guide=guide)
    scene.rest(CAT, BID, MARK, 2, good_until_ms=START_MS)
    scene.rest(BOB, BID, MARK - 50, 2)
    stopped(scene, **fields)
    if what == "header":
        scene.set_header(ANN, **changes)
    elif what:
        getattr(scene, f"set_{what}")(**changes)
    if reason is RejectReason.INSUFFICIENT_MARGIN:
        scene.time_ms += 1
    assert scene.do(STOP) == (dropped(ANN, reason),)
    assert len(scene.orders(BID)) == 2
    assert scene.triggers(MARK_SOURCE, DOWN) == []
    assert scene.header(ANN).triggers == 0
    assert guide.is_up_to_date(scene.state.leaves.items())


def test_the_drops_of_an_order_that_goes_on_stand() -> None:
    scene = Scene()
    scene.rest(CAT, BID, MARK, 2, good_until_ms=START_MS)
    scene.rest(BOB, BID, MARK - 50, 2)
    stopped(scene)
    scene.time_ms += 1
    steps = scene.do(STOP)
    assert steps[:2] == (fired(ANN), Dropped(0, OrderName(CAT, 0, 1), RejectReason.EXPIRED))
    assert isinstance(steps[2], Filled)


def test_funding_that_is_due_refuses_the_firing_and_drops_nothing() -> None:
    scene = stopped(Scene())
    scene.set_prices(next_sample_ms=START_MS)
    assert scene.reason(STOP) is RejectReason.FUNDING_DUE
    assert scene.header(ANN).triggers == 1


def test_a_stop_that_only_reduces_closes_what_is_left() -> None:
    scene = Scene()
    scene.trade(ANN, CAT, 9)
    scene.rest(BOB, BID, MARK - 50, 100)
    stopped(scene, size=100, reduce_only=1)
    steps = scene.do(STOP)
    assert isinstance(steps[1], Filled)
    assert (steps[1].size, scene.size(ANN)) == (9, 0)


def test_a_bankrupt_account_does_not_grow_by_a_trigger() -> None:
    scene = Scene()
    scene.trade(CAT, ANN, 100)
    scene.rest(BOB, BID, MARK, 100)
    stopped(scene, size=50)
    scene.set_cash(ANN, 100 * LOT_UNITS - 10**6)
    assert scene.do(STOP) == (dropped(ANN, RejectReason.INSUFFICIENT_MARGIN, 2),)


def test_an_agents_trigger_fires_after_the_agent_is_gone() -> None:
    scene = Scene()
    scene.set_agent(ANN, 1, scope=1, expiry_ms=START_MS)
    stopped(scene, key_slot=2)
    scene.time_ms += 1
    assert scene.do(STOP)[0] == TriggerFired(0, OrderName(ANN, 2, 1))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (FireTrigger(1, 0, 1), RejectReason.UNKNOWN_MARKET),
        (FireTrigger(2**16 - 1, 0, 1), RejectReason.UNKNOWN_MARKET),
        (FireTrigger(0, 2, 1), RejectReason.BAD_ENUM),
        (FireTrigger(0, 0, 2), RejectReason.BAD_ENUM),
        (FireTrigger(0, 0, 0), RejectReason.NOTHING_DUE),
    ],
)
def test_what_does_not_fire(body: FireTrigger, reason: RejectReason) -> None:
    scene = stopped(Scene())
    assert scene.reason(body) is reason


def test_the_fee_account_is_no_trader_even_by_trigger() -> None:
    scene = Scene()
    assert scene.reason(scene.trigger(FEE, MARK - 1)) is RejectReason.ACCOUNT_KIND
