"""Batches: operations in their order, each undone alone when it is refused."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import agent_address
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import AgentKey, Mode
from circuits.exchange.limits import BATCH_OPERATIONS_MAX, ORDERS_MAX
from circuits.exchange.steps import (
    Cancelled,
    Dropped,
    Filled,
    OperationRefused,
    OrderName,
    Rested,
)
from circuits.exchange.transactions.batch import Batch
from sequencer.book_index import BookIndex
from tests.support.guides import FollowingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    FOK,
    MARK,
    POST_ONLY,
    START_MS,
    Scene,
    cancelling,
    operation,
    signed,
)


def test_operations_are_applied_in_their_order_under_nonces_of_their_own() -> None:
    scene = Scene()
    steps = scene.do(
        scene.batch(
            ANN,
            operation(BID, MARK - 1, 5),
            operation(ASK, MARK + 1, 5),
            cancelling(1),
            operation(BID, MARK, 5),
        )
    )
    assert steps == (
        Rested(0, 1, OrderName(ANN, 0, 1), BID, MARK - 1, 5),
        Rested(0, 2, OrderName(ANN, 0, 2), ASK, MARK + 1, 5),
        Cancelled(0, OrderName(ANN, 0, 1)),
        Rested(0, 1, OrderName(ANN, 0, 4), BID, MARK, 5),
    )
    assert scene.header(ANN).nonce == 4
    assert scene.header(ANN).orders == 2


def test_a_refused_operation_leaves_the_others_alone() -> None:
    guide = FollowingGuide()
    scene = Scene(guide=guide)
    scene.rest(BOB, ASK, MARK, 5, good_until_ms=START_MS)
    scene.rest(CAT, ASK, MARK + 1, 5)
    scene.time_ms += 1
    body = scene.batch(
        ANN,
        operation(BID, MARK - 1, 5),
        # Fills five of six lots after a drop, then all of that is undone.
        operation(BID, MARK + 1, 6, time_in_force=FOK),
        cancelling(77),
        operation(BID, MARK, 0),
        operation(BID, MARK + 1, 5, time_in_force=POST_ONLY),
        operation(BID, MARK + 1, 5),
    )
    steps = scene.do(body)
    assert steps[:5] == (
        Rested(0, 3, OrderName(ANN, 0, 1), BID, MARK - 1, 5),
        OperationRefused(1, RejectReason.FOK_UNFILLED),
        OperationRefused(2, RejectReason.UNKNOWN_ORDER),
        OperationRefused(3, RejectReason.SIZE_TOO_SMALL),
        OperationRefused(4, RejectReason.POST_ONLY_CROSSES),
    )
    assert steps[5] == Dropped(0, OrderName(BOB, 0, 1), RejectReason.EXPIRED)
    assert isinstance(steps[6], Filled)
    assert steps[6].taker == OrderName(ANN, 0, 6)
    assert guide.undone_count
    assert guide.is_up_to_date(scene.state.leaves.items())


def test_the_index_of_a_venue_follows_what_is_undone() -> None:
    scene = Scene()
    index = BookIndex.of(scene.state)
    scene.guide = index
    for price in (MARK, MARK + 1, MARK + 1, MARK + 2):
        scene.rest(BOB, ASK, price, 5)
    scene.do(scene.batch(ANN, operation(BID, MARK + 2, 21, time_in_force=FOK), cancelling(1)))
    fresh = BookIndex.of(scene.state)
    for price in range(MARK - 1, MARK + 4):
        for side in (BID, ASK):
            question = (None, 0, side, price)
            assert index.order_before(*question) == fresh.order_before(*question)
    scene.do(scene.batch(ANN, operation(BID, MARK + 2, 20, time_in_force=FOK)))
    assert scene.orders(ASK) == []


def test_a_batch_of_refused_operations_is_accepted() -> None:
    scene = Scene()
    steps = scene.do(scene.batch(ANN, cancelling(5), cancelling(6)))
    assert steps == tuple(OperationRefused(i, RejectReason.UNKNOWN_ORDER) for i in (0, 1))
    assert scene.header(ANN).nonce == 2


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (0, RejectReason.BATCH_SIZE),
        (1, None),
        (BATCH_OPERATIONS_MAX, None),
        (BATCH_OPERATIONS_MAX + 1, RejectReason.BATCH_SIZE),
    ],
)
def test_sizes(count: int, reason: RejectReason | None) -> None:
    scene = Scene()
    assert scene.reason(scene.batch(ANN, *[cancelling(5)] * count)) is reason


def test_nonces_fit_their_width() -> None:
    scene = Scene()
    operations = (cancelling(1),) * 3
    wide = signed(Batch(ANN, 2**48 - 2, 2**48 - 1, 0, operations))
    assert scene.reason(wide) is RejectReason.FIELD_OUT_OF_RANGE
    last = signed(Batch(ANN, 2**48 - 3, 2**48 - 1, 0, operations))
    assert scene.reason(last) is None
    assert scene.header(ANN).nonce == 2**48 - 1


def test_the_size_comes_before_the_nonces_and_authority_before_both() -> None:
    scene = Scene()
    many = (cancelling(1),) * (BATCH_OPERATIONS_MAX + 1)
    last = 2**48 - 1
    assert scene.reason(signed(Batch(ANN, last, last, 0, many))) is RejectReason.BATCH_SIZE
    unknown = signed(Batch(99, last, last, 0, many))
    assert scene.reason(unknown) is RejectReason.UNKNOWN_ACCOUNT


def test_a_field_that_is_too_wide_refuses_the_whole_batch() -> None:
    scene = Scene()
    body = scene.batch(ANN, operation(BID, MARK, 5), operation(BID, 2**32, 5))
    assert scene.reason(body) is RejectReason.FIELD_OUT_OF_RANGE


def test_an_agents_batch_uses_up_the_agents_nonces() -> None:
    scene = Scene()
    scene.set_agent(ANN, 3, scope=1)
    steps = scene.do(scene.batch(ANN, cancelling(9), operation(BID, MARK, 5), key_slot=4))
    assert steps[1] == Rested(0, 1, OrderName(ANN, 4, 2), BID, MARK, 5)
    agent = scene.state.leaves.get(agent_address(ANN, 3))
    assert isinstance(agent, AgentKey)
    assert (agent.nonce, scene.header(ANN).nonce) == (2, 0)
    scene.set_agent(ANN, 3, scope=2)
    body = scene.batch(ANN, cancelling(2, 4), key_slot=4)
    assert scene.reason(body) is RejectReason.AGENT_SCOPE


def test_an_own_trade_may_arm_a_trigger_that_holds_up_the_next_place_alone() -> None:
    scene = Scene()
    scene.trade(BOB, CAT, 2)
    scene.do(scene.trigger(CAT, MARK - 1, source=1))
    scene.rest(BOB, BID, MARK - 1, 5)
    steps = scene.do(
        scene.batch(ANN, operation(ASK, MARK - 1, 2), operation(ASK, MARK - 1, 2), cancelling(1))
    )
    assert isinstance(steps[0], Filled)
    assert steps[1:] == (
        OperationRefused(1, RejectReason.TRIGGER_DUE),
        OperationRefused(2, RejectReason.UNKNOWN_ORDER),
    )


def test_places_fail_one_by_one_and_cancels_go_on_in_a_frozen_exchange() -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK, 5)
    scene.set_controls(mode=Mode.FROZEN)
    steps = scene.do(scene.batch(ANN, operation(BID, MARK, 5), cancelling(1)))
    assert steps == (
        OperationRefused(0, RejectReason.MODE_FORBIDS),
        Cancelled(0, OrderName(ANN, 0, 1)),
    )


def test_the_count_of_orders_is_kept_between_operations() -> None:
    scene = Scene(check=False)
    scene.rest(ANN, BID, MARK, 5)
    scene.set_header(ANN, orders=ORDERS_MAX)
    steps = scene.do(
        scene.batch(
            ANN,
            operation(BID, MARK, 5),
            cancelling(1),
            operation(BID, MARK, 5),
            operation(BID, MARK, 5),
        )
    )
    assert steps == (
        OperationRefused(0, RejectReason.TOO_MANY_ORDERS),
        Cancelled(0, OrderName(ANN, 0, 1)),
        Rested(0, 1, OrderName(ANN, 0, 4), BID, MARK, 5),
        OperationRefused(3, RejectReason.TOO_MANY_ORDERS),
    )
