"""Place and modify: every check in its order, and every bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from circuits.exchange.addresses import header_address, order_address
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import AccountKind, MarketStatus, Mode
from circuits.exchange.limits import ORDERS_MAX
from circuits.exchange.steps import Cancelled, Filled, OrderName, Rested
from circuits.exchange.transactions.place import Place
from tests.support.guides import FollowingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    FEE,
    FOK,
    INSURANCE,
    LATER_MS,
    LP_VAULT,
    MARK,
    POST_ONLY,
    START_MS,
    Scene,
    signed,
)

Breaker = tuple[RejectReason, Callable[[Scene], None] | None, dict[str, Any]]
"""A reason, what the state must be for it, and what the order must be."""


def arm(scene: Scene) -> None:
    """Let the mark reach the trigger that waits in each of these scenes."""
    scene.set_prices(mark_price=MARK - 1)


def waiting() -> Scene:
    """A scene in which an ask rests and a trigger waits."""
    scene = Scene(check=False)
    scene.rest(BOB, ASK, MARK, 5)
    scene.do(scene.trigger(CAT, MARK - 1))
    return scene


COMMON: list[Breaker] = [
    (RejectReason.MODE_FORBIDS, lambda scene: scene.set_controls(mode=Mode.FROZEN), {}),
    (RejectReason.ACCOUNT_KIND, lambda scene: scene.set_header(ANN, kind=AccountKind.FEE), {}),
    (RejectReason.UNKNOWN_MARKET, None, {"market": 5}),
    (
        RejectReason.MARKET_STATUS,
        lambda scene: scene.set_prices(status=MarketStatus.DELISTED),
        {},
    ),
    (RejectReason.FUNDING_DUE, lambda scene: scene.set_prices(next_sample_ms=START_MS), {}),
    (RejectReason.TRIGGER_DUE, arm, {}),
]
FIELDS: list[Breaker] = [
    (RejectReason.PRICE_ZERO, None, {"price": 0}),
    (RejectReason.SIZE_TOO_SMALL, None, {"size": 1}),
    (RejectReason.SIZE_TOO_LARGE, lambda scene: scene.set_terms(open_interest_max=0), {}),
    (RejectReason.ORDER_EXPIRED, None, {"good_until_ms": START_MS - 1}),
]
PLACE: list[Breaker] = [
    *COMMON,
    (RejectReason.PRICE_STALE, lambda scene: scene.set_prices(valid_until_ms=START_MS), {}),
    (RejectReason.BAD_ENUM, None, {"side": 2}),
    *FIELDS,
    (RejectReason.TOO_MANY_ORDERS, lambda scene: scene.set_header(ANN, orders=ORDERS_MAX), {}),
    (RejectReason.REDUCE_ONLY, None, {"reduce_only": 1}),
    (RejectReason.POST_ONLY_CROSSES, None, {"time_in_force": POST_ONLY}),
    (RejectReason.INSUFFICIENT_MARGIN, lambda scene: scene.set_header(ANN, cash=0), {}),
]


def broken(breakers: list[Breaker], first: int) -> tuple[Scene, dict[str, Any]]:
    """A scene and fields that break every rule from `first` on."""
    scene = waiting()
    fields: dict[str, Any] = {"side": BID, "price": MARK, "size": 5}
    for _, change, values in reversed(breakers[first:]):
        if change is not None:
            change(scene)
        fields |= values
    return scene, fields


@pytest.mark.parametrize("first", range(len(PLACE)), ids=[each[0] for each in PLACE])
def test_the_first_rule_that_fails_is_the_reason(first: int) -> None:
    scene, fields = broken(PLACE, first)
    assert scene.reason(scene.place(ANN, **fields)) is PLACE[first][0]


@pytest.mark.parametrize("first", range(len(PLACE)), ids=[each[0] for each in PLACE])
def test_each_rule_alone_refuses(first: int) -> None:
    scene, fields = broken(PLACE[: first + 1], first)
    assert scene.reason(scene.place(ANN, **fields)) is PLACE[first][0]


def test_authority_comes_before_everything() -> None:
    scene, fields = broken(PLACE, 0)
    assert scene.reason(scene.place(99, **fields)) is RejectReason.UNKNOWN_ACCOUNT
    late = scene.place(ANN, **fields, expiry_ms=START_MS - 1)
    assert scene.reason(late) is RejectReason.EXPIRED
    wide = scene.place(ANN, **fields | {"price": 2**32})
    assert scene.reason(wide) is RejectReason.FIELD_OUT_OF_RANGE


@pytest.mark.parametrize(
    "fields", [{"side": 2}, {"time_in_force": 4}, {"reduce_only": 2}, {"side": 255}]
)
def test_cases_that_do_not_exist(fields: dict[str, int]) -> None:
    scene = Scene()
    order = scene.place(ANN, **{"side": BID, "price": MARK, "size": 5} | fields)
    assert scene.reason(order) is RejectReason.BAD_ENUM


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        (0, RejectReason.SIZE_TOO_SMALL),
        (1, RejectReason.SIZE_TOO_SMALL),
        (2, None),
        (9, None),
        (10, None),
        (11, RejectReason.SIZE_TOO_LARGE),
        (2**48 - 1, RejectReason.SIZE_TOO_LARGE),
    ],
)
def test_sizes(size: int, reason: RejectReason | None) -> None:
    scene = Scene()
    scene.set_terms(open_interest_max=10)
    assert scene.reason(scene.place(ANN, BID, MARK, size)) is reason


@pytest.mark.parametrize(("price", "reason"), [(1, None), (2**32 - 1, None)])
def test_prices(price: int, reason: RejectReason | None) -> None:
    scene = Scene()
    scene.set_cash(ANN, 2**60)
    scene.set_terms(open_interest_max=10)
    assert scene.reason(scene.place(ANN, ASK, price, 5)) is reason


def test_times() -> None:
    scene = Scene()
    assert scene.reason(scene.place(ANN, BID, MARK, 5, good_until_ms=START_MS)) is None
    scene.time_ms = START_MS + LATER_MS - 1
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is None
    scene.time_ms += 1
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is RejectReason.PRICE_STALE
    scene.set_prices(valid_until_ms=2**48 - 1)
    scene.time_ms = START_MS + 59_998
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is None
    scene.time_ms += 1
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is RejectReason.FUNDING_DUE
    scene.set_prices(next_sample_ms=2**48 - 1, next_settlement_ms=scene.time_ms + 1)
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is None
    scene.time_ms += 1
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is RejectReason.FUNDING_DUE


@pytest.mark.parametrize("time_in_force", range(4))
def test_two_hundred_resting_orders(time_in_force: int) -> None:
    scene = Scene(check=False)
    scene.set_header(ANN, orders=ORDERS_MAX - 1)
    scene.rest(ANN, BID, MARK - 1, 2)
    order = scene.place(ANN, BID, MARK - 1, 2, time_in_force=time_in_force)
    expected = {0: RejectReason.TOO_MANY_ORDERS, 3: RejectReason.TOO_MANY_ORDERS}
    expected |= {2: RejectReason.FOK_UNFILLED}
    assert scene.reason(order) is expected.get(time_in_force)


@pytest.mark.parametrize("kind", list(AccountKind))
def test_who_may_trade(kind: AccountKind) -> None:
    scene = Scene()
    account = {
        AccountKind.USER: ANN,
        AccountKind.VAULT: LP_VAULT,
        AccountKind.INSURANCE: INSURANCE,
        AccountKind.FEE: FEE,
    }[kind]
    refused = kind in (AccountKind.INSURANCE, AccountKind.FEE)
    reason = scene.reason(scene.place(account, BID, MARK, 5))
    assert reason is (RejectReason.ACCOUNT_KIND if refused else None)


def long_of(scene: Scene, account: int) -> Scene:
    scene.trade(account, CAT, 10)
    return scene


REDUCING = {"reduce_only": 1}


@pytest.mark.parametrize(
    ("mode", "fields", "reason"),
    [
        (Mode.NORMAL, {}, None),
        (Mode.CONSERVATIVE, {}, RejectReason.MODE_FORBIDS),
        (Mode.CONSERVATIVE, REDUCING, None),
        (Mode.FROZEN, {}, RejectReason.MODE_FORBIDS),
        (Mode.FROZEN, REDUCING, RejectReason.MODE_FORBIDS),
    ],
)
def test_modes(mode: Mode, fields: dict[str, int], reason: RejectReason | None) -> None:
    scene = long_of(Scene(), ANN)
    scene.set_controls(mode=mode)
    assert scene.reason(scene.place(ANN, ASK, MARK, 5, **fields)) is reason


@pytest.mark.parametrize(
    ("prices", "fields", "reason"),
    [
        ({"status": MarketStatus.REDUCE_ONLY}, {}, RejectReason.MARKET_STATUS),
        ({"status": MarketStatus.REDUCE_ONLY}, REDUCING, None),
        ({"halted": 1}, {}, RejectReason.MARKET_STATUS),
        ({"halted": 1}, REDUCING, None),
        ({"status": MarketStatus.DELISTED}, {}, RejectReason.MARKET_STATUS),
        ({"status": MarketStatus.DELISTED}, REDUCING, RejectReason.MARKET_STATUS),
    ],
)
def test_statuses(
    prices: dict[str, int], fields: dict[str, int], reason: RejectReason | None
) -> None:
    scene = long_of(Scene(), ANN)
    scene.set_prices(**prices)
    assert scene.reason(scene.place(ANN, ASK, MARK, 5, **fields)) is reason


def test_an_armed_trigger_comes_first() -> None:
    scene = waiting()
    arm(scene)
    assert scene.reason(scene.place(ANN, BID, 1, 5)) is RejectReason.TRIGGER_DUE
    scene.set_prices(mark_price=MARK)
    assert scene.reason(scene.place(ANN, BID, 1, 5)) is None


def test_a_refusal_says_what_was_expected() -> None:
    scene = Scene()
    scene.set_cash(ANN, 0)
    margin = (
        "insufficient_margin: expected an order that may fill or rest in market 0, "
        "got 5 lots at 1000 ticks"
    )
    texts = [
        (scene.place(ANN, BID, 0, 5), "price_zero: expected a price above 0, got 0"),
        (scene.place(ANN, BID, MARK, 5), margin),
        (
            scene.place(ANN, BID, MARK, 5, reduce_only=1),
            "reduce_only: expected a short position in market 0, got none",
        ),
        (
            scene.cancel(ANN, 77),
            "unknown_order: expected an order or trigger of account 11, got key slot 0, nonce 77",
        ),
    ]
    for body, text in texts:
        assert str(scene.run(body).rejected) == text


# Modify


def test_a_modified_order_is_a_new_one() -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK, 5)
    scene.rest(BOB, BID, MARK, 5)
    steps = scene.do(scene.modify(ANN, (0, 1), BID, MARK, 4))
    assert steps == (
        Cancelled(0, OrderName(ANN, 0, 1)),
        Rested(0, 1, OrderName(ANN, 0, 2), BID, MARK, 4),
    )
    assert [order.account for order in scene.orders(BID)] == [BOB, ANN]


def test_a_modified_order_may_fill() -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK - 1, 5)
    scene.rest(BOB, ASK, MARK, 5)
    steps = scene.do(scene.modify(ANN, (0, 1), BID, MARK, 5))
    assert [type(step) for step in steps] == [Cancelled, Filled]


def test_a_refused_modify_leaves_the_old_order() -> None:
    guide = FollowingGuide()
    scene = Scene(guide=guide)
    scene.rest(ANN, BID, MARK - 1, 5)
    scene.rest(BOB, ASK, MARK, 5)
    before = scene.state
    order = scene.modify(ANN, (0, 1), BID, MARK, 6, time_in_force=FOK)
    assert scene.reason(order) is RejectReason.FOK_UNFILLED
    assert scene.state is before
    assert [order.nonce for order in scene.orders(BID)] == [1]
    assert guide.undone_count
    assert guide.is_up_to_date(scene.state.leaves.items())


def test_a_modify_may_change_market_and_side() -> None:
    scene = Scene(market_count=2)
    scene.rest(ANN, BID, MARK, 5)
    scene.do(scene.modify(ANN, (0, 1), ASK, MARK, 5, market=1))
    assert scene.orders(BID) == []
    assert [order.price for order in scene.orders(ASK, market=1)] == [MARK]


def test_an_unknown_order_comes_before_the_rules_of_the_new_one() -> None:
    scene = Scene()
    scene.do(scene.trigger(ANN, MARK - 1))
    for name in ((0, 1), (0, 7), (1, 1)):
        order = scene.modify(ANN, name, BID, 0, 0, market=9)
        assert scene.reason(order) is RejectReason.UNKNOWN_ORDER


def test_two_hundred_orders_may_be_modified() -> None:
    scene = Scene(check=False)
    scene.rest(ANN, BID, MARK, 5)
    scene.set_header(ANN, orders=ORDERS_MAX)
    assert scene.reason(scene.modify(ANN, (0, 1), BID, MARK, 4)) is None


@pytest.mark.parametrize("first", range(len(PLACE)), ids=[each[0] for each in PLACE])
def test_a_modify_has_the_checks_of_a_place(first: int) -> None:
    scene = waiting()
    scene.rest(ANN, BID, MARK - 100, 5)
    fields: dict[str, Any] = {"side": BID, "price": MARK, "size": 5}
    for reason, change, values in reversed(PLACE[first:]):
        if reason is RejectReason.TOO_MANY_ORDERS:
            scene.set_header(ANN, orders=ORDERS_MAX + 1)
        elif change is not None:
            change(scene)
        fields |= values
    assert scene.reason(scene.modify(ANN, (0, 1), **fields)) is PLACE[first][0]


def test_a_place_writes_the_leaves_that_it_must_and_says_what_they_were() -> None:
    scene = Scene()
    receipt = scene.run(signed(Place(ANN, 7, 2**48 - 1, 0, 0, BID, 0, 0, MARK, 5, 2**48 - 1)))
    before = receipt.event.before
    assert before[order_address(0, 1)] is None
    assert before[header_address(ANN)].nonce == 0
    assert len(before) == 3
