"""Agents trade and cancel under nonces of their own, as far as their scope goes."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import agent_address
from circuits.exchange.bodies import Body
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import AgentKey
from circuits.exchange.steps import Filled, OrderName
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    IOC,
    MARK,
    START_MS,
    Scene,
)


def test_an_agent_trades_under_its_own_nonces() -> None:
    scene = Scene()
    scene.set_agent(ANN, 0, scope=1)
    scene.set_agent(ANN, 7, scope=3)
    scene.do(scene.place(ANN, BID, MARK - 2, 5))
    scene.do(scene.place(ANN, BID, MARK - 1, 5, key_slot=1))
    scene.do(scene.place(ANN, BID, MARK, 5, key_slot=8))
    assert [(order.key_slot, order.nonce) for order in scene.orders(BID)] == [
        (8, 1),
        (1, 1),
        (0, 1),
    ]
    assert scene.header(ANN).nonce == 1
    agent = scene.state.leaves.get(agent_address(ANN, 7))
    assert isinstance(agent, AgentKey)
    assert agent.nonce == 1
    again = scene.place(ANN, BID, MARK, 5, key_slot=8, nonce=1)
    assert scene.reason(again) is RejectReason.NONCE_NOT_INCREASING
    scene.do(scene.cancel(ANN, 1, order_key_slot=8, key_slot=1))
    scene.do(scene.modify(ANN, (0, 1), BID, MARK, 5, key_slot=1))
    assert [(order.key_slot, order.nonce) for order in scene.orders(BID)] == [(1, 3), (1, 1)]


@pytest.mark.parametrize(("scope", "may_trade"), [(1, True), (2, False), (3, True)])
def test_scopes(scope: int, may_trade: bool) -> None:
    scene = Scene()
    scene.rest(ANN, BID, MARK - 1, 5)
    scene.rest(ANN, BID, MARK - 1, 5)
    scene.set_agent(ANN, 0, scope)
    trading: list[Body] = [
        scene.place(ANN, BID, MARK - 1, 5, key_slot=1),
        scene.modify(ANN, (0, 1), BID, MARK - 2, 5, key_slot=1),
        scene.trigger(ANN, MARK - 1, key_slot=1),
    ]
    for body in trading:
        assert scene.reason(body) is (None if may_trade else RejectReason.AGENT_SCOPE)
    assert scene.reason(scene.cancel(ANN, 2, key_slot=1)) is None
    assert scene.reason(scene.cancel_all(ANN, key_slot=1)) is None


@pytest.mark.parametrize("key_slot", [1, 2, 9, 15])
def test_agents_that_are_not_there(key_slot: int) -> None:
    scene = Scene()
    scene.set_leaves({agent_address(ANN, 1): AgentKey(0, 0, 0, 0, 5)})
    order = scene.place(ANN, BID, MARK, 5, key_slot=key_slot)
    assert scene.reason(order) is RejectReason.UNKNOWN_AGENT


def test_an_agent_trades_until_it_expires() -> None:
    scene = Scene()
    scene.set_agent(ANN, 0, scope=1, expiry_ms=START_MS + 5)
    scene.time_ms = START_MS + 5
    assert scene.reason(scene.place(ANN, BID, MARK, 5, key_slot=1)) is None
    scene.time_ms += 1
    order = scene.place(ANN, BID, MARK, 5, key_slot=1)
    assert scene.reason(order) is RejectReason.AGENT_EXPIRED


def test_a_fill_names_the_keys_of_both_sides() -> None:
    scene = Scene()
    scene.set_agent(ANN, 2, scope=1)
    scene.do(scene.place(BOB, ASK, MARK, 5))
    (fill,) = scene.do(scene.place(ANN, BID, MARK, 5, key_slot=3, time_in_force=IOC))
    assert isinstance(fill, Filled)
    assert (fill.taker, fill.maker) == (OrderName(ANN, 3, 1), OrderName(BOB, 0, 1))
