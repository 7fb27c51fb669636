"""Closes and cancels that the venue cannot leave out: never refused, and what their outcome is."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.exchange.errors import QueueGuaranteeBroken, RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import AccountKind, MarketStatus, Mode
from circuits.exchange.limits import MATCH_STEPS_MAX
from circuits.exchange.steps import Cancelled, Dropped, Ended, Filled, OrderName
from circuits.exchange.transactions.forced_cancel_all import ForcedCancelAll
from circuits.exchange.transactions.forced_close import ForcedClose, worst_price
from tests.support.exchange import owner_of
from tests.support.guides import FollowingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    LOT_UNITS,
    LP_VAULT,
    MARK,
    START_MS,
    Scene,
)


def close(account: int = ANN, market: int = 0) -> ForcedClose:
    return ForcedClose(account, owner_of(account), market)


def holding(size: int, **scene_fields: Any) -> Scene:
    """Ann has a position against Cat."""
    scene = Scene(**scene_fields)
    buyer, seller = (ANN, CAT) if size > 0 else (CAT, ANN)
    scene.trade(buyer, seller, abs(size))
    return scene


@pytest.mark.parametrize("sign", [1, -1])
def test_the_whole_position_is_closed_within_the_band(sign: int) -> None:
    scene = holding(10 * sign)
    side = BID if sign > 0 else ASK
    scene.rest(BOB, side, MARK - 20 * sign, 10)
    receipt = scene.run(close())
    assert receipt.outcome is Outcome.APPLIED
    (fill,) = receipt.event.steps
    assert isinstance(fill, Filled)
    assert (fill.taker, fill.price, fill.size) == (OrderName(ANN, 0, 0), MARK - 20 * sign, 10)
    assert fill.taker_fee == 10 * fill.price * 10 * 500 * 10**6
    assert scene.size(ANN) == 0
    assert scene.header(ANN).nonce == 1


@pytest.mark.parametrize("sign", [1, -1])
def test_beyond_the_band_nothing_is_closed(sign: int) -> None:
    scene = holding(10 * sign)
    side = BID if sign > 0 else ASK
    scene.rest(BOB, side, MARK - 21 * sign, 10)
    before = scene.state.leaves
    assert scene.outcome(close()) is Outcome.NO_LIQUIDITY
    assert scene.state.leaves == before


def test_a_part_is_better_than_nothing() -> None:
    scene = holding(10)
    scene.rest(BOB, BID, MARK, 4)
    receipt = scene.run(close())
    assert receipt.outcome is Outcome.PARTIAL
    assert receipt.event.steps[-1] == Ended(0, OrderName(ANN, 0, 0), 6, None)
    assert scene.size(ANN) == 6
    assert scene.orders(ASK) == []


@pytest.mark.parametrize(
    ("side", "mark_price", "band_ppm", "price"),
    [
        (ASK, 1000, 20_000, 980),
        (BID, 1000, 20_000, 1020),
        (ASK, 999, 20_000, 980),
        (BID, 999, 20_000, 1018),
        (ASK, 1, 999_999, 1),
        (ASK, 1, 0, 1),
        (BID, 1, 999_999, 1),
        (BID, 2**32 - 1, 20_000, 2**32 - 1),
        (ASK, 2**32 - 1, 1, 2**32 - 1 - 4294),
    ],
)
def test_the_worst_price(side: int, mark_price: int, band_ppm: int, price: int) -> None:
    assert worst_price(side, mark_price, band_ppm) == price


OUTCOMES: list[tuple[Outcome, str, dict[str, Any]]] = [
    (Outcome.ACCOUNT_KIND, "header", {"kind": AccountKind.INSURANCE}),
    (Outcome.MARKET_STATUS, "prices", {"status": MarketStatus.DELISTED}),
    (Outcome.PRICE_STALE, "prices", {"valid_until_ms": START_MS}),
]


@pytest.mark.parametrize(("outcome", "what", "changes"), OUTCOMES)
def test_outcomes(outcome: Outcome, what: str, changes: dict[str, Any]) -> None:
    scene = holding(10, check=False)
    scene.rest(BOB, BID, MARK, 10)
    if what == "header":
        scene.set_header(ANN, **changes)
    else:
        scene.set_prices(**changes)
    before = scene.state.leaves
    receipt = scene.run(close())
    assert receipt.outcome is outcome
    assert receipt.event.steps == ()
    assert scene.state.leaves == before


def test_what_cannot_be_closed() -> None:
    scene = Scene()
    assert scene.outcome(close(99)) is Outcome.UNKNOWN_ACCOUNT
    assert scene.outcome(close(ANN, 5)) is Outcome.UNKNOWN_MARKET
    assert scene.outcome(close(ANN, 2**16 - 1)) is Outcome.UNKNOWN_MARKET
    assert scene.outcome(close(ANN)) is Outcome.NO_POSITION


@pytest.mark.parametrize(
    ("controls", "prices"),
    [
        ({"mode": Mode.CONSERVATIVE}, {}),
        ({"mode": Mode.FROZEN}, {}),
        ({}, {"halted": 1}),
        ({}, {"status": MarketStatus.REDUCE_ONLY}),
        ({"mode": Mode.FROZEN}, {"halted": 1, "status": MarketStatus.REDUCE_ONLY}),
    ],
)
def test_every_mode_and_status_but_delisted(
    controls: dict[str, int], prices: dict[str, int]
) -> None:
    scene = holding(10)
    scene.rest(CAT, BID, MARK, 10)
    scene.set_controls(**controls)
    scene.set_prices(**prices)
    assert scene.outcome(close()) is Outcome.APPLIED


def test_what_is_due_must_come_first() -> None:
    scene = holding(10)
    scene.rest(BOB, BID, MARK, 10)
    scene.do(scene.trigger(BOB, MARK - 5))
    scene.set_prices(mark_price=MARK - 5)
    assert scene.reason(close()) is RejectReason.TRIGGER_DUE
    scene.set_prices(next_sample_ms=START_MS)
    assert scene.reason(close()) is RejectReason.FUNDING_DUE
    # What does not need the market has its outcome at once.
    assert scene.outcome(close(ANN, 5)) is Outcome.UNKNOWN_MARKET
    scene.set_prices(mark_price=MARK, next_sample_ms=START_MS + 1)
    assert scene.outcome(close()) is Outcome.APPLIED


def test_an_account_without_margin_keeps_its_position_rather_than_pay_for_the_close() -> None:
    scene = holding(10)
    scene.set_cash(ANN, -10 * LOT_UNITS - 1)
    scene.rest(BOB, BID, MARK, 10, good_until_ms=START_MS)
    scene.rest(BOB, BID, MARK, 10)
    scene.time_ms += 1
    before = scene.state.leaves
    receipt = scene.run(close())
    assert receipt.outcome is Outcome.INSUFFICIENT_MARGIN
    assert receipt.event.steps == ()
    assert scene.state.leaves == before


def test_an_account_that_is_stopped_half_way_keeps_the_rest() -> None:
    scene = holding(100)
    scene.set_fees(taker_ppm=0)
    # At 1001 the account gains; at 980 a lot costs more than its share of what equity there is.
    scene.set_cash(ANN, -100 * LOT_UNITS + 100 * 150)
    scene.rest(BOB, BID, 1001, 10)
    scene.rest(BOB, BID, 980, 90)
    receipt = scene.run(close())
    assert receipt.outcome is Outcome.PARTIAL
    ended = Ended(0, OrderName(ANN, 0, 0), 90, RejectReason.INSUFFICIENT_MARGIN)
    assert receipt.event.steps[-1] == ended


def test_own_orders_leave_the_way() -> None:
    scene = holding(10)
    scene.rest(ANN, BID, MARK, 10)
    scene.rest(BOB, BID, MARK, 10)
    receipt = scene.run(close())
    assert receipt.outcome is Outcome.APPLIED
    steps = receipt.event.steps
    assert steps[0] == Dropped(0, OrderName(ANN, 0, 2), RejectReason.SELF_TRADE)


def test_fifty_drops_and_no_fill() -> None:
    guide = FollowingGuide()
    scene = holding(10, check=False, guide=guide)
    for _ in range(MATCH_STEPS_MAX):
        scene.rest(BOB, BID, MARK, 2, good_until_ms=START_MS)
    scene.rest(BOB, BID, MARK, 10)
    scene.time_ms += 1
    assert scene.outcome(close()) is Outcome.MATCH_STEPS
    assert len(scene.orders(BID)) == 1
    assert guide.is_up_to_date(scene.state.leaves.items())


def test_less_than_the_smallest_order_may_be_closed() -> None:
    scene = holding(10)
    scene.rest(BOB, BID, MARK, 10)
    scene.set_terms(size_min=100)
    assert scene.outcome(close()) is Outcome.APPLIED


def test_a_vaults_owner_may_close_too() -> None:
    scene = Scene()
    scene.trade(LP_VAULT, CAT, 10)
    scene.rest(BOB, BID, MARK, 10)
    assert scene.outcome(close(LP_VAULT)) is Outcome.APPLIED


def test_a_close_that_the_contracts_cannot_have_queued() -> None:
    scene = holding(10)
    with pytest.raises(QueueGuaranteeBroken, match="owner of account 11"):
        scene.run(ForcedClose(ANN, 5, 0))


# Cancels


def test_all_orders_and_triggers_are_cancelled_in_any_mode() -> None:
    scene = Scene(market_count=2)
    scene.rest(ANN, BID, MARK, 5)
    scene.rest(ANN, ASK, MARK + 1, 5, market=1)
    scene.do(scene.trigger(ANN, MARK - 1))
    scene.rest(BOB, BID, MARK, 5)
    scene.set_controls(mode=Mode.FROZEN)
    scene.set_prices(status=MarketStatus.DELISTED, mark_price=1)
    receipt = scene.run(ForcedCancelAll(ANN, owner_of(ANN)))
    assert receipt.outcome is Outcome.APPLIED
    steps = receipt.event.steps
    assert [step.order.nonce for step in steps if isinstance(step, Cancelled)] == [3, 1, 2]
    assert scene.header(ANN)[6:8] == (0, 0)
    assert scene.header(BOB).orders == 1
    assert scene.outcome(ForcedCancelAll(ANN, owner_of(ANN))) is Outcome.APPLIED


def test_nothing_is_cancelled_for_an_account_that_is_not_there() -> None:
    scene = Scene()
    assert scene.outcome(ForcedCancelAll(99, owner_of(99))) is Outcome.UNKNOWN_ACCOUNT
    with pytest.raises(QueueGuaranteeBroken, match="owner of account 11"):
        scene.run(ForcedCancelAll(ANN, 5))
