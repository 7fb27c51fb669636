"""What is named about an account that is below maintenance, in which order, and when again."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import CONTROLS_ADDRESS
from circuits.exchange.bodies import Derived
from circuits.exchange.events import Executed
from circuits.exchange.leaves import Controls, Mode, Side
from circuits.exchange.liquidation import examine
from circuits.exchange.state import State
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.clear_orders import ClearOrders
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.take_over import TakeOver
from sequencer.liquidation_plan import backstop_size, next_action, sold_size, top_ranked
from sequencer.looking import looking_at
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    OTHER,
    UNIT,
    VAULT,
    cash_of,
    exchange,
    facing,
    holding,
    order,
    placed,
    size_of,
)
from tests.support.due import Venue
from tests.support.exchange import deposit
from tests.support.listed import (
    ALICE,
    BOB,
    INSURANCE,
    MARKET,
    account_of,
    with_account,
    with_leaves,
    with_prices,
)

WEAK, WEAKER = 8_000 * UNIT, 5_000 * UNIT
"""Below the maintenance of 9,000 of 100 lots; the second below the close-out of 5,400 too."""

DEBT = 1_000 * UNIT


def planned(state: State, account: int = ALICE, *refused: Derived) -> Derived | None:
    with looking_at(state) as draft:
        return next_action(draft, state.time_ms, account, refused)


def broke(state: State, *accounts: int) -> State:
    """The accounts without any cash."""
    for account in accounts:
        state = with_account(state, account, cash=0)
    return state


def test_orders_leave_first() -> None:
    state = placed(facing(ALICE, 100_000 * UNIT), ALICE, Side.BID, 500, 1)
    state = with_account(state, ALICE, cash=cash_of(state, ALICE) - 92_000 * UNIT)
    assert planned(state) == ClearOrders(ALICE)
    assert planned(state, ALICE, ClearOrders(ALICE)) is None


@pytest.mark.parametrize("sign", [1, -1])
def test_then_about_as_much_is_sold_as_brings_the_account_back(sign: int) -> None:
    maker = Side.BID if sign > 0 else Side.ASK
    state = placed(facing(ALICE, WEAK, size=100 * sign), DAVE, maker, 1000, 90)
    # A lot frees 90 of requirement less a fee of 30, and 1,000 are missing.
    assert planned(state) == Liquidate(ALICE, MARKET, 25)
    deeper = placed(facing(ALICE, 6_000 * UNIT, size=100 * sign), DAVE, maker, 1000, 90)
    assert planned(deeper) == Liquidate(ALICE, MARKET, 50)
    venue = Venue(deeper)
    assert venue.give(Liquidate(ALICE, MARKET, 50)).is_accepted
    assert size_of(venue.state, ALICE) == 50 * sign
    assert venue.next() is None


def test_all_is_sold_where_a_sale_frees_nothing() -> None:
    state = placed(facing(ALICE, WEAK), DAVE, Side.BID, 980, 100)
    with looking_at(state) as draft:
        victim = examine(draft, state.time_ms, ALICE, MARKET)
        assert sold_size(draft, victim, 980) == 100
        assert sold_size(draft, victim, 1000) == 25


def test_without_a_buyer_a_backstop_takes_over() -> None:
    state = facing(ALICE, WEAK)
    assert planned(state) == TakeOver(ALICE, MARKET, 100, INSURANCE)
    rich_vault = with_account(state, VAULT, cash=10**6 * UNIT)
    assert planned(broke(rich_vault, INSURANCE)) == TakeOver(ALICE, MARKET, 100, VAULT)
    assert planned(broke(state, INSURANCE, VAULT)) is None


def test_above_the_close_out_a_buyer_keeps_the_backstops_away() -> None:
    sale = Liquidate(ALICE, MARKET, 25)
    state = placed(facing(ALICE, WEAK), DAVE, Side.BID, 1000, 90)
    assert planned(state, ALICE, sale) is None
    state = placed(facing(ALICE, WEAKER), DAVE, Side.BID, 1000, 90)
    taken = planned(state, ALICE, *(Liquidate(ALICE, MARKET, size) for size in range(1, 101)))
    assert taken == TakeOver(ALICE, MARKET, 100, INSURANCE)


def test_a_backstop_takes_as_much_as_it_has_the_margin_for() -> None:
    state = with_account(facing(ALICE, WEAK), INSURANCE, cash=5_000 * UNIT)
    with looking_at(state) as draft:
        victim = examine(draft, state.time_ms, ALICE, MARKET)
        size = backstop_size(draft, state.time_ms, victim, INSURANCE)
    assert 0 < size < 100
    venue = Venue(state)
    assert not venue.give(TakeOver(ALICE, MARKET, size + 1, INSURANCE)).is_accepted
    assert venue.next() == TakeOver(ALICE, MARKET, size, INSURANCE)
    assert venue.give(TakeOver(ALICE, MARKET, size, INSURANCE)).is_accepted
    assert venue.next() is None
    assert size_of(venue.state, ALICE) == 100 - size


def test_the_top_ranked_meets_a_bankrupt_position_that_nobody_takes() -> None:
    state = holding(exchange(), ALICE, -DEBT, size=100)
    state = holding(state, CAROL, 50_000 * UNIT, entry=1200, size=-50)
    state = holding(state, DAVE, 50_000 * UNIT, entry=1400, size=-25)
    state = holding(state, EVE, 50_000 * UNIT, entry=1000, size=-25)
    assert isinstance(planned(state), TakeOver)
    state = broke(state, INSURANCE, VAULT)
    with looking_at(state) as draft:
        victim = examine(draft, state.time_ms, ALICE, MARKET)
        assert top_ranked(draft, state.time_ms, victim) == CAROL
    venue, met = Venue(state), []
    while (body := venue.next()) is not None:
        met.append(body)
        assert venue.give(body).is_accepted
    assert met == [AutoDeleverage(ALICE, MARKET, each) for each in (CAROL, DAVE, EVE)]
    assert size_of(venue.state, ALICE) == 0


def test_nobody_is_deleveraged_where_nobody_can_bear_it() -> None:
    state = holding(exchange(), ALICE, -DEBT, size=100)
    state = holding(state, CAROL, -DEBT, size=-100)
    assert planned(broke(state, INSURANCE, VAULT)) is None


def test_every_position_is_looked_at() -> None:
    state = holding(exchange(), ALICE, WEAK, size=50, other=50)
    state = holding(state, CAROL, 10**6 * UNIT, size=-50, other=-50)
    state = broke(state, INSURANCE, VAULT)
    assert planned(state) is None
    state = placed(state, DAVE, Side.BID, 1000, 90, market=OTHER)
    action = planned(state)
    assert isinstance(action, Liquidate)
    assert action.market == OTHER


def test_a_debt_waits_for_the_insurance() -> None:
    state = with_account(broke(exchange(), INSURANCE), ALICE, cash=-DEBT)
    venue = Venue(state)
    assert venue.next() is None
    venue.give(deposit(INSURANCE, 999))
    assert venue.next() is None
    venue.give(deposit(INSURANCE, 1))
    assert venue.next() == CoverDeficit(ALICE)
    assert venue.give(CoverDeficit(ALICE)).is_accepted
    assert venue.next() is None
    assert cash_of(venue.state, ALICE) == cash_of(venue.state, INSURANCE) == 0


def test_a_debt_that_is_paid_in_is_forgotten() -> None:
    venue = Venue(with_account(broke(exchange(), INSURANCE), ALICE, cash=-DEBT))
    assert venue.next() is None
    venue.give(deposit(ALICE, 1_000))
    venue.give(deposit(INSURANCE, 5_000))
    assert venue.next() is None


def test_the_insurance_does_not_pay_its_own_debt() -> None:
    assert Venue(with_account(exchange(), INSURANCE, cash=-DEBT)).next() is None


def test_a_debt_that_the_insurance_has_no_margin_for_waits_for_a_price() -> None:
    state = holding(
        with_account(exchange(), ALICE, cash=-DEBT), INSURANCE, 15_000 * UNIT, size=-100
    )
    state = holding(state, CAROL, 10**6 * UNIT, size=100)
    venue = Venue(state)
    assert venue.next() == CoverDeficit(ALICE)
    assert not venue.give(CoverDeficit(ALICE)).is_accepted
    assert venue.next() is None
    venue.give(deposit(BOB, 5))
    assert venue.next() is None
    venue.tick(990)
    assert venue.next() == CoverDeficit(ALICE)
    assert venue.give(CoverDeficit(ALICE)).is_accepted


def test_what_was_refused_is_named_again_only_after_a_change() -> None:
    venue = Venue(facing(ALICE, WEAK))
    take_over = TakeOver(ALICE, MARKET, 100, INSURANCE)
    assert venue.next() == venue.next() == take_over
    venue.refuse(take_over)
    assert venue.next() is None
    venue.give(deposit(BOB, 5))
    venue.tick(market=OTHER)
    assert venue.next() is None
    venue.tick()
    assert venue.next() == take_over
    venue.refuse(take_over)
    assert venue.next() is None
    venue.give(deposit(ALICE, 1))
    assert venue.next() == take_over


def test_a_buyer_ends_the_wait() -> None:
    venue = Venue(broke(facing(ALICE, WEAK), INSURANCE, VAULT))
    assert venue.next() is None
    venue.give(order(venue.state, DAVE, Side.BID, 900, 90))
    assert venue.next() is None
    venue.give(order(venue.state, DAVE, Side.BID, 990, 90))
    assert isinstance(venue.next(), Liquidate)


def test_a_seller_ends_the_wait_of_a_short() -> None:
    venue = Venue(broke(facing(ALICE, WEAK, size=-100), INSURANCE, VAULT))
    assert venue.next() is None
    venue.give(order(venue.state, DAVE, Side.ASK, 1100, 90))
    assert venue.next() is None
    venue.give(order(venue.state, DAVE, Side.ASK, 1010, 90))
    assert isinstance(venue.next(), Liquidate)


def test_nothing_is_named_in_a_frozen_exchange_or_a_halted_market() -> None:
    state = facing(ALICE, WEAK)
    controls = state.leaves.get(CONTROLS_ADDRESS)
    assert isinstance(controls, Controls)
    venue = Venue(with_leaves(state, {CONTROLS_ADDRESS: controls._replace(mode=Mode.FROZEN)}))
    assert venue.next() is None
    venue.give(SetMode(Mode.NORMAL))
    assert isinstance(venue.next(), TakeOver)
    assert Venue(with_prices(state, halted=1)).next() is None


def test_the_way_down_needs_no_search() -> None:
    """Prices fall until the account has lost its position; a search would find the same."""
    venue = Venue(facing(ALICE, 30_000 * UNIT))
    assert venue.next() is None
    names = []
    for price in range(990, 800, -10):
        venue.tick(price)
        while (body := venue.next()) is not None:
            receipt = venue.give(body)
            assert isinstance(receipt.event, Executed)
            names.append(body)
    assert names == [TakeOver(ALICE, MARKET, 100, INSURANCE)]
    assert account_of(venue.state, ALICE).positions == 0
    assert cash_of(venue.state, ALICE) >= 0
