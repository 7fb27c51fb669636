"""What liquidation refuses and in which order; cleared orders; liquidations asked for on L1."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.exchange.bodies import Body
from circuits.exchange.errors import QueueGuaranteeBroken, RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import Side
from circuits.exchange.state import State
from circuits.exchange.steps import Cancelled, Filled, OrderName
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.request_liquidation import RequestLiquidation
from circuits.exchange.transactions.take_over import TakeOver
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    OTHER,
    UNIT,
    cash_of,
    done,
    exchange,
    facing,
    frozen,
    holding,
    orders_of,
    outcome,
    placed,
    refused,
    size_of,
    with_trigger,
)
from tests.support.exchange import owner_of
from tests.support.listed import (
    ALICE,
    BOB,
    INSURANCE,
    MARKET,
    TERMS,
    prices_of,
    steps_of,
    with_account,
    with_prices,
)

BID, ASK = Side.BID, Side.ASK
NAME = OrderName(ALICE, 0, 0)
Q = TERMS.quote_per_tick_lot
WEAK = 8_000 * UNIT
"""Equity of 8,000 USDC-millionths where 100 lots at 1000 ticks need 9,000."""

liquidate_all = Liquidate(ALICE, MARKET, 100)


def with_stale_other(state: State) -> State:
    state = holding(state, ALICE, WEAK, size=0, other=1)
    state = holding(state, CAROL, 10**7 * UNIT, size=0, other=-1)
    return with_prices(state, OTHER, valid_until_ms=state.time_ms)


COMMANDS: list[Callable[[int, int, int], Body]] = [
    Liquidate,
    lambda account, market, size: TakeOver(account, market, size, INSURANCE),
    lambda account, market, size: AutoDeleverage(account, market, CAROL),
]
"""All take a position; a deleverage has no size."""


@pytest.mark.parametrize("command", COMMANDS)
def test_what_all_that_take_a_position_refuse_and_in_which_order(
    command: Callable[[int, int, int], Body],
) -> None:
    state = facing(ALICE, WEAK)
    body = command(ALICE, MARKET, 100)
    due_ms = prices_of(state).next_sample_ms
    assert refused(frozen(state), command(99, MARKET, 100)) is RejectReason.MODE_FORBIDS
    assert refused(state, command(99, 1023, 100)) is RejectReason.UNKNOWN_ACCOUNT
    assert refused(state, command(ALICE, 1023, 100)) is RejectReason.UNKNOWN_MARKET
    halted = with_prices(state, halted=1)
    assert refused(halted, body, due_ms) is RejectReason.MARKET_STATUS
    armed = with_trigger(state, BOB, 1000)
    assert refused(armed, body, due_ms) is RejectReason.FUNDING_DUE
    stale_ms = prices_of(state).valid_until_ms
    assert refused(armed, body, stale_ms) is RejectReason.TRIGGER_DUE
    busy = with_account(state, ALICE, orders=1)
    assert refused(busy, body, stale_ms) is RejectReason.PRICE_STALE
    assert refused(with_stale_other(state), body) is RejectReason.PRICE_STALE
    idle = command(BOB, MARKET, 100)
    assert refused(with_account(state, BOB, orders=1), idle) is RejectReason.OPEN_ORDERS
    assert refused(with_trigger(state, BOB, 1001), idle) is RejectReason.OPEN_ORDERS
    assert refused(state, idle) is RejectReason.NO_POSITION
    safe = facing(ALICE, 9_000 * UNIT)
    assert refused(safe, command(ALICE, MARKET, 101)) is RejectReason.NOT_LIQUIDATABLE


@pytest.mark.parametrize("command", COMMANDS[:2])
def test_a_part_is_some_and_not_more_than_all(command: Callable[[int, int, int], Body]) -> None:
    state = facing(ALICE, WEAK)
    assert refused(state, command(ALICE, MARKET, 101)) is RejectReason.SIZE_TOO_LARGE
    assert refused(state, command(ALICE, MARKET, 0)) is RejectReason.SIZE_TOO_SMALL


def test_a_halted_market_elsewhere_gives_no_price() -> None:
    state = with_prices(with_stale_other(facing(ALICE, WEAK)), OTHER, halted=1)
    fresh = with_prices(state, OTHER, valid_until_ms=state.time_ms + 1)
    assert refused(fresh, liquidate_all) is RejectReason.PRICE_STALE


def test_a_book_below_the_zero_price_is_no_liquidity() -> None:
    state = placed(facing(ALICE, WEAK), DAVE, BID, 973, 100)
    assert refused(state, liquidate_all) is RejectReason.NO_LIQUIDITY
    assert refused(facing(ALICE, WEAK), liquidate_all) is RejectReason.NO_LIQUIDITY


def resting(equity: int) -> State:
    """Alice, once well off, has two orders, a trigger and a position; now this is her equity."""
    state = facing(ALICE, 10**6 * UNIT)
    state = placed(state, ALICE, ASK, 1010, 5)
    state = placed(state, ALICE, BID, 900, 5)
    state = with_trigger(state, ALICE, 2000)
    return with_account(state, ALICE, cash=cash_of(state, ALICE) - 10**6 * UNIT + equity)


def test_clearing_takes_out_orders_and_triggers_of_a_liquidatable_account() -> None:
    state = resting(WEAK)
    receipt = done(state, ClearOrders(ALICE))
    assert [type(step) for step in steps_of(receipt)] == [Cancelled] * 3
    header = receipt.state.accounts.get(ALICE)
    assert header is not None
    assert (header.orders, header.triggers) == (0, 0)
    assert orders_of(receipt.state, ALICE) == []
    assert refused(receipt.state, ClearOrders(ALICE)) is RejectReason.NOTHING_DUE


def test_what_clearing_refuses() -> None:
    state = resting(9_000 * UNIT)
    assert refused(frozen(state), ClearOrders(99)) is RejectReason.MODE_FORBIDS
    assert refused(state, ClearOrders(99)) is RejectReason.UNKNOWN_ACCOUNT
    stale_ms = prices_of(state).valid_until_ms
    assert refused(state, ClearOrders(ALICE), stale_ms) is RejectReason.PRICE_STALE
    assert refused(state, ClearOrders(ALICE)) is RejectReason.NOT_LIQUIDATABLE
    assert refused(state, ClearOrders(CAROL)) is RejectReason.NOT_LIQUIDATABLE


def test_an_account_that_owes_without_a_position_is_cleared_too() -> None:
    state = placed(exchange(), ALICE, BID, 900, 5)
    state = with_account(state, ALICE, cash=-1)
    done(state, ClearOrders(ALICE))


def request(market: int = MARKET, target: int = ALICE) -> RequestLiquidation:
    return RequestLiquidation(EVE, owner_of(EVE), target, market)


def test_a_requested_liquidation_clears_and_closes() -> None:
    state = placed(resting(WEAK), DAVE, BID, 980, 100)
    receipt = done(state, request())
    assert receipt.outcome is Outcome.APPLIED
    assert [type(step) for step in steps_of(receipt)] == [Cancelled] * 3 + [Filled]
    assert size_of(receipt.state, ALICE) == 0


def test_a_requested_liquidation_clears_orders_or_triggers_alone() -> None:
    state = placed(facing(ALICE, 10**5 * UNIT), ALICE, ASK, 1010, 5)
    state = with_account(state, ALICE, cash=cash_of(state, ALICE) - 92_000 * UNIT)
    for busy in (state, with_trigger(facing(ALICE, WEAK), ALICE, 2000)):
        receipt = done(placed(busy, DAVE, BID, 980, 100), request())
        assert [type(step) for step in steps_of(receipt)] == [Cancelled, Filled]


def test_a_requested_liquidation_may_be_partial() -> None:
    state = placed(facing(ALICE, WEAK), DAVE, BID, 980, 10)
    receipt = done(state, request())
    assert (receipt.outcome, size_of(receipt.state, ALICE)) == (Outcome.PARTIAL, 90)
    # What is left is safe, though the book would have taken no more.
    state = placed(facing(ALICE, WEAK), DAVE, BID, 980, 99)
    receipt = done(state, request())
    assert (receipt.outcome, size_of(receipt.state, ALICE)) == (Outcome.APPLIED, 1)
    state = placed(facing(ALICE, 8_990 * UNIT), DAVE, BID, 1000, 10)
    state = placed(state, DAVE, BID, 999, 10)
    receipt = done(state, request())
    assert (receipt.outcome, size_of(receipt.state, ALICE)) == (Outcome.APPLIED, 90)


def test_a_requested_liquidation_is_never_refused_and_then_changes_nothing() -> None:
    state = resting(WEAK)
    assert outcome(state, request()) is Outcome.NO_LIQUIDITY
    assert outcome(frozen(state), request()) is Outcome.MODE_FORBIDS
    assert outcome(state, request(target=99)) is Outcome.UNKNOWN_ACCOUNT
    assert outcome(state, request(market=1023)) is Outcome.UNKNOWN_MARKET
    assert outcome(state, request(market=OTHER)) is Outcome.NO_POSITION
    assert outcome(with_prices(state, halted=1), request()) is Outcome.MARKET_STATUS
    stale_ms = prices_of(state).valid_until_ms
    assert outcome(state, request(), stale_ms) is Outcome.PRICE_STALE
    assert outcome(resting(9_000 * UNIT), request()) is Outcome.NOT_LIQUIDATABLE
    assert outcome(state, request(target=CAROL)) is Outcome.NOT_LIQUIDATABLE


def test_a_requested_liquidation_waits_for_what_is_due() -> None:
    state = resting(WEAK)
    due_ms = prices_of(state).next_sample_ms
    assert refused(state, request(), due_ms) is RejectReason.FUNDING_DUE
    armed = with_trigger(facing(ALICE, WEAK), BOB, 1000)
    assert refused(armed, request()) is RejectReason.TRIGGER_DUE


def test_only_the_owner_of_an_account_asks() -> None:
    with pytest.raises(QueueGuaranteeBroken):
        done(facing(ALICE, WEAK), RequestLiquidation(EVE, owner_of(DAVE), ALICE, MARKET))
    unknown = RequestLiquidation(4_000, owner_of(4_000), ALICE, MARKET)
    assert done(facing(ALICE, WEAK), unknown).outcome is Outcome.NO_LIQUIDITY
