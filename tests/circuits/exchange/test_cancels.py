"""Cancel, cancel_all and expire: what leaves the book, in every mode and market."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import order_address
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import MarketStatus, Mode
from circuits.exchange.steps import Cancelled, Dropped, OrderName
from circuits.exchange.transactions.expire import Expire
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    MARK,
    START_MS,
    Scene,
    listed_leaves,
)

# Cancel


def test_a_cancel_takes_the_own_order_out() -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK, 5)
    scene.rest(ANN, BID, MARK, 6)
    assert scene.do(scene.cancel(ANN, 1)) == (Cancelled(0, OrderName(ANN, 0, 1)),)
    assert [order.nonce for order in scene.orders(BID)] == [2]
    assert scene.header(ANN).nonce == 3
    assert scene.reason(scene.cancel(ANN, 1)) is RejectReason.UNKNOWN_ORDER


def test_nobody_cancels_what_is_not_his() -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK, 5)
    assert scene.reason(scene.cancel(BOB, 1)) is RejectReason.UNKNOWN_ORDER
    assert scene.reason(scene.cancel(ANN, 1, order_key_slot=1)) is RejectReason.UNKNOWN_ORDER


def test_a_filled_order_cannot_be_cancelled() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, 5)
    for account in (ANN, BOB):
        assert scene.reason(scene.cancel(account, 1)) is RejectReason.UNKNOWN_ORDER


def test_cancels_go_on_whatever_the_market_and_the_mode() -> None:
    scene = Scene()
    for _ in range(2):
        scene.rest(ANN, BID, MARK, 5)
    scene.do(scene.trigger(ANN, MARK - 1))
    scene.set_controls(mode=Mode.FROZEN)
    scene.set_prices(status=MarketStatus.DELISTED, halted=1, mark_price=1, valid_until_ms=0)
    scene.time_ms += 10**9
    scene.do(scene.cancel(ANN, 1))
    scene.do(scene.cancel(ANN, 3))
    scene.do(scene.cancel_all(ANN))
    assert scene.header(ANN)[6:8] == (0, 0)


def test_cancel_all_takes_orders_and_triggers_of_every_market() -> None:
    scene = Scene(market_count=2)
    scene.rest(ANN, BID, MARK, 5)
    scene.rest(ANN, ASK, MARK + 1, 5, market=1)
    scene.rest(BOB, BID, MARK, 5)
    scene.do(scene.trigger(ANN, MARK - 1, market=1))
    steps = scene.do(scene.cancel_all(ANN))
    assert steps == (
        Cancelled(1, OrderName(ANN, 0, 3)),
        Cancelled(0, OrderName(ANN, 0, 1)),
        Cancelled(1, OrderName(ANN, 0, 2)),
    )
    assert [order.account for order in scene.orders(BID)] == [BOB]


def test_cancel_all_of_nothing_is_accepted_and_uses_up_the_nonce() -> None:
    scene = Scene()
    assert scene.do(scene.cancel_all(ANN)) == ()
    assert scene.header(ANN).nonce == 1


# Expire


def test_an_order_expires_after_its_last_millisecond() -> None:
    scene = Scene()
    slot = scene.rest(ANN, BID, MARK, 5, good_until_ms=START_MS + 5)
    scene.time_ms = START_MS + 5
    assert scene.reason(Expire(0, slot)) is RejectReason.NOT_DUE
    scene.time_ms += 1
    dropped = Dropped(0, OrderName(ANN, 0, 1), RejectReason.EXPIRED)
    assert scene.do(Expire(0, slot)) == (dropped,)
    assert scene.reason(Expire(0, slot)) is RejectReason.UNKNOWN_ORDER


@pytest.mark.parametrize(
    ("market", "slot"),
    [(0, 0), (0, 2), (1, 1), (0, 2**20 + 1), (2**10, 1), (2**10 - 1, 2**20 - 1), (0, 2**24 - 1)],
)
def test_only_orders_expire(market: int, slot: int) -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK, 5, good_until_ms=START_MS)
    scene.do(scene.trigger(ANN, MARK - 1, good_until_ms=START_MS))
    scene.time_ms += 1
    assert scene.reason(Expire(market, slot)) is RejectReason.UNKNOWN_ORDER


def test_no_slot_of_one_market_reaches_another() -> None:
    scene = Scene(market_count=2)
    slot = scene.rest(ANN, BID, MARK, 5, market=1, good_until_ms=START_MS)
    scene.time_ms += 1
    assert order_address(0, 2**20 + slot) == order_address(1, slot)
    assert scene.reason(Expire(0, 2**20 + slot)) is RejectReason.UNKNOWN_ORDER


def test_the_last_market_is_one_too() -> None:
    scene = Scene()
    scene.set_leaves(dict(listed_leaves(1023)))
    slot = scene.rest(ANN, BID, MARK, 5, market=1023, good_until_ms=START_MS)
    scene.time_ms += 1
    assert scene.reason(Expire(1023, slot)) is None


def test_an_order_expires_in_every_mode_and_status() -> None:
    scene = Scene()
    slot = scene.rest(ANN, BID, MARK, 5, good_until_ms=START_MS)
    scene.set_controls(mode=Mode.FROZEN)
    scene.set_prices(status=MarketStatus.DELISTED, next_sample_ms=0, valid_until_ms=0)
    scene.time_ms += 1
    assert scene.reason(Expire(0, slot)) is None
