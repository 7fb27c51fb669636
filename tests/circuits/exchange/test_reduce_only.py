"""Orders that only reduce never turn a position around, as taker or maker."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import RejectReason
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    FOK,
    IOC,
    LOT_UNITS,
    MARK,
    Scene,
)
from tests.support.trading import drops, ending, fills, positioned


@pytest.mark.parametrize("sign", [1, -1])
def test_a_taker_that_reduces_never_turns_around(sign: int) -> None:
    scene = Scene()
    positioned(scene, ANN, 5 * sign, 10**9)
    side = ASK if sign > 0 else BID
    scene.rest(BOB, 1 - side, MARK, 100)
    steps = scene.do(scene.place(ANN, side, MARK, 50, reduce_only=1))
    assert fills(steps) == [(BOB, MARK, 5)]
    assert len(steps) == 1
    assert scene.size(ANN) == 0
    again = scene.place(ANN, side, MARK, 50, reduce_only=1)
    assert scene.reason(again) is RejectReason.REDUCE_ONLY


def test_an_order_that_only_reduces_needs_a_position_of_the_other_side() -> None:
    scene = Scene()
    positioned(scene, ANN, 5, 10**9)
    order = scene.place(ANN, BID, MARK, 5, reduce_only=1)
    assert scene.reason(order) is RejectReason.REDUCE_ONLY


def test_an_order_that_only_reduces_rests_with_no_more_than_the_position_and_no_margin() -> None:
    scene = Scene()
    positioned(scene, ANN, 5, -5 * LOT_UNITS)
    scene.do(scene.place(ANN, ASK, MARK, 50, reduce_only=1))
    (order,) = scene.orders(ASK)
    assert (order.remaining, order.reduce_only) == (5, 1)


def test_fill_or_kill_of_what_can_be_reduced() -> None:
    scene = Scene()
    positioned(scene, ANN, 5, 10**9)
    scene.rest(BOB, BID, MARK, 5)
    steps = scene.do(scene.place(ANN, ASK, MARK, 50, reduce_only=1, time_in_force=FOK))
    assert fills(steps) == [(BOB, MARK, 5)]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_maker_that_reduces_never_turns_around(sign: int) -> None:
    scene = Scene()
    positioned(scene, ANN, 9 * sign, 10**9)
    side = ASK if sign > 0 else BID
    scene.do(scene.place(ANN, side, MARK + sign, 9, reduce_only=1))
    positioned(scene, BOB, 4 * sign, 10**9, ANN)
    assert scene.size(ANN) == 5 * sign
    steps = scene.do(scene.place(CAT, 1 - side, MARK + sign, 9, time_in_force=IOC))
    assert fills(steps) == [(ANN, MARK + sign, 5)]
    assert drops(steps) == []
    assert ending(steps) == (4, None)
    assert scene.size(ANN) == 0
    assert scene.header(ANN).orders == 0


def test_a_maker_that_reduces_shrinks_while_its_position_lasts() -> None:
    scene = Scene()
    positioned(scene, ANN, 9, 10**9)
    scene.do(scene.place(ANN, ASK, MARK, 9, reduce_only=1))
    scene.do(scene.place(CAT, BID, MARK, 4))
    (order,) = scene.orders(ASK)
    assert order.remaining == scene.size(ANN) == 5


@pytest.mark.parametrize("turned", [False, True])
def test_a_maker_that_has_nothing_to_reduce_is_dropped(turned: bool) -> None:
    scene = Scene()
    positioned(scene, ANN, 9, 10**9)
    scene.do(scene.place(ANN, ASK, MARK + 1, 9, reduce_only=1))
    scene.trade(BOB, ANN, 12 if turned else 9)
    steps = scene.do(scene.place(CAT, BID, MARK + 1, 9, time_in_force=IOC))
    assert drops(steps) == [(ANN, RejectReason.REDUCE_ONLY)]
    assert ending(steps) == (9, None)


@pytest.mark.parametrize("sign", [1, -1])
def test_in_a_halted_market_resting_orders_only_reduce(sign: int) -> None:
    scene = Scene()
    positioned(scene, ANN, 9 * sign, 10**9, BOB)
    side = ASK if sign > 0 else BID
    # Cat would open, Bob can close nine of his twenty lots.
    scene.rest(CAT, 1 - side, MARK, 5)
    scene.rest(BOB, 1 - side, MARK, 20)
    scene.set_prices(halted=1)
    steps = scene.do(scene.place(ANN, side, MARK, 9, reduce_only=1, time_in_force=IOC))
    assert drops(steps) == [(CAT, RejectReason.REDUCE_ONLY)]
    assert fills(steps) == [(BOB, MARK, 9)]
    assert (scene.size(ANN), scene.size(BOB)) == (0, 0)
    assert scene.orders(1 - side) == []
