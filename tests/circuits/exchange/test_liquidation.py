"""Liquidation: the zero price and its rounding, when it stops, what it costs, and every refusal."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import Side
from circuits.exchange.limits import PRICE_MAX
from circuits.exchange.liquidation import is_below_close_out, liquidation_fee, zero_price
from circuits.exchange.risk import Health, Totals
from circuits.exchange.steps import Dropped, Ended, Filled, OrderName
from circuits.exchange.transactions.liquidate import Liquidate
from circuits.exchange.transactions.take_over import TakeOver
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    UNIT,
    cash_of,
    done,
    exchange,
    facing,
    holding,
    placed,
    refused,
    size_of,
    sums,
    total_cash,
)
from tests.support.listed import ALICE, INSURANCE, MARKET, TERMS, played, steps_of

BID, ASK = Side.BID, Side.ASK
NAME = OrderName(ALICE, 0, 0)
Q = TERMS.quote_per_tick_lot
WEAK = 8_000 * UNIT
"""Equity of 8,000 USDC-millionths where 100 lots at 1000 ticks need 9,000."""

liquidate_all = Liquidate(ALICE, MARKET, 100)


def only_equity(equity: int, maintenance: int) -> Totals:
    return Totals(equity, maintenance, maintenance, 0, 0, 0)


@pytest.mark.parametrize(
    ("size", "equity", "price"),
    [
        (100, 8_000, 974),  # 1000 - 26.67, up
        (-100, 8_000, 1026),  # 1000 + 26.67, down
        (100, 0, 1000),
        (100, -3_000, 1010),
        (100, -3_001, 1011),  # 1010.003, up
        (-100, -3_001, 989),
    ],
)
def test_the_zero_price_by_hand(size: int, equity: int, price: int) -> None:
    maintenance = 9_000 * UNIT
    sums = only_equity(equity * UNIT, maintenance)
    assert zero_price(size, 1000, Q, maintenance, sums) == price


def test_the_zero_price_is_a_price() -> None:
    rich, poor = only_equity(10**6 * UNIT, UNIT), only_equity(-(10**13) * UNIT, UNIT)
    assert zero_price(1, 1000, 1, UNIT, rich) == 1
    assert zero_price(-1, 1000, 1, UNIT, poor) == 1
    assert zero_price(1, 1000, 1, UNIT, poor) == PRICE_MAX
    assert zero_price(-1, PRICE_MAX, 1, UNIT, rich) == PRICE_MAX


@given(
    size=st.integers(1, 2**31),
    is_long=st.booleans(),
    mark=st.integers(1, PRICE_MAX),
    quote=st.integers(1, 2**31),
    ppm=st.integers(1, 10**6),
    others=st.integers(0, 2**100),
    equity_ppm=st.integers(-(10**6), 10**6 - 1),
    part=st.integers(1, 2**31),
)
@example(100, True, 1000, 3, 30_000, 0, 888_888, 33)
@settings(max_examples=300)
def test_losing_any_part_at_the_zero_price_never_lowers_equity_over_requirement(
    size: int,
    is_long: bool,
    mark: int,
    quote: int,
    ppm: int,
    others: int,
    equity_ppm: int,
    part: int,
) -> None:
    requirement = size * mark * quote * ppm * 10**6
    maintenance = requirement + others
    equity = maintenance * equity_ppm // 10**6
    sign = 1 if is_long else -1
    price = zero_price(sign * size, mark, quote, requirement, only_equity(equity, maintenance))
    part = min(part, size)

    def ratio_kept(at: int) -> bool:
        left = equity - sign * part * (mark - at) * quote * UNIT
        needed = maintenance - Fraction(requirement * part, size)
        return left * maintenance >= equity * needed

    # A debt so large that it needs a price that cannot be: the mark is bettered all the same.
    if equity < 0 and price in (1, PRICE_MAX):
        assert sign * price >= sign * mark
    else:
        assert ratio_kept(price)
    if 1 < price < PRICE_MAX:
        assert not ratio_kept(price - sign)


@given(
    st.integers(1, PRICE_MAX),
    st.integers(1, PRICE_MAX),
    st.integers(1, 2**31),
    st.integers(0, 10**6),
)
def test_the_fee_is_below_the_cap_and_below_the_improvement(
    price: int, limit: int, size: int, ppm: int
) -> None:
    fee = liquidation_fee(price, limit, size, Q, ppm)
    assert 0 <= fee <= Fraction(ppm, 10**6) * size * price * Q * UNIT
    assert fee <= abs(price - limit) * size * Q * UNIT


@pytest.mark.parametrize(("equity", "is_below"), [(5_400, False), (5_399, True), (-1, True)])
def test_the_close_out_fraction_is_exact(equity: int, is_below: bool) -> None:
    assert is_below_close_out(only_equity(equity, 9_000), 600_000) is is_below


def test_a_position_is_sold_to_the_best_bids_first() -> None:
    state = facing(ALICE, WEAK)
    for account, price, size in ((DAVE, 980, 60), (EVE, 990, 30)):
        state = placed(state, account, BID, price, size)
    insured = cash_of(state, INSURANCE)
    receipt = done(state, Liquidate(ALICE, MARKET, 70))
    best, next_best = steps_of(receipt)
    assert isinstance(best, Filled)
    assert isinstance(next_best, Filled)
    assert (best.taker, best.price, best.size, best.side) == (NAME, 990, 30, ASK)
    assert (next_best.price, next_best.size) == (980, 40)
    # One percent of 89,100, and of 117,600 the improvement of 6 ticks is less: 720 against 1,176.
    assert (best.taker_fee, next_best.taker_fee) == (891 * UNIT, 720 * UNIT)
    maker_fees = (best.maker_fee + next_best.maker_fee) * 3 // 10
    assert cash_of(receipt.state, INSURANCE) == insured + (891 + 720) * UNIT + maker_fees
    assert size_of(receipt.state, ALICE) == 30


def test_a_short_is_bought_back_no_dearer_than_the_zero_price() -> None:
    state = facing(ALICE, WEAK, size=-100)
    for price in (1026, 1027):
        state = placed(state, DAVE, ASK, price, 40)
    receipt = done(state, liquidate_all)
    fill, end = steps_of(receipt)
    assert isinstance(fill, Filled)
    assert (fill.price, fill.size, fill.side, fill.taker_fee) == (1026, 40, BID, 0)
    assert end == Ended(MARKET, NAME, 60, None)
    assert size_of(receipt.state, ALICE) == -60


def test_a_sale_at_the_zero_price_costs_nothing_and_keeps_the_ratio() -> None:
    state = placed(facing(ALICE, WEAK), DAVE, BID, 974, 50)
    before = sums(state, ALICE)
    receipt = done(state, liquidate_all)
    after = sums(receipt.state, ALICE)
    assert steps_of(receipt)[0][6] == 0
    assert after.equity * before.maintenance >= before.equity * after.maintenance
    assert after.equity == WEAK - 50 * 26 * Q * UNIT


def test_it_stops_when_the_account_is_safe_again() -> None:
    state = facing(ALICE, 8_990 * UNIT)
    state = placed(state, DAVE, BID, 1000, 10)
    state = placed(state, EVE, BID, 999, 90)
    receipt = done(state, liquidate_all)
    assert [type(step) for step in steps_of(receipt)] == [Filled, Ended]
    assert steps_of(receipt)[1] == Ended(MARKET, NAME, 90, RejectReason.NOT_LIQUIDATABLE)
    assert sums(receipt.state, ALICE).health is Health.TIGHT
    assert size_of(receipt.state, ALICE) == 90
    assert refused(receipt.state, Liquidate(ALICE, MARKET, 90)) is RejectReason.NOT_LIQUIDATABLE


def test_a_bankrupt_account_is_sold_beyond_the_mark_and_owes_nothing_then() -> None:
    state = placed(facing(ALICE, -3_000 * UNIT), DAVE, BID, 1010, 100)
    state = done(state, liquidate_all).state
    assert (cash_of(state, ALICE), size_of(state, ALICE)) == (0, 0)


def test_the_zero_price_covers_the_share_of_one_position_among_two() -> None:
    """With the same requirement in both markets each position bears half of what equity is."""
    state = holding(exchange(), ALICE, 16_000 * UNIT, size=100, other=-100)
    state = holding(state, CAROL, 10**7 * UNIT, size=-100, other=100)
    state = placed(state, DAVE, BID, 973, 100)
    assert refused(state, liquidate_all) is RejectReason.NO_LIQUIDITY
    state = placed(state, DAVE, BID, 974, 100)
    state = done(state, liquidate_all).state
    left = sums(state, ALICE)
    assert left.equity * 18_000 >= 16_000 * left.maintenance


@given(
    equity=st.integers(-4_000, 8_999),
    is_long=st.booleans(),
    other=st.integers(-60, 60),
    offers=st.lists(st.tuples(st.integers(-40, 40), st.integers(1, 60)), min_size=1, max_size=6),
    size=st.integers(1, 100),
)
@settings(max_examples=60, deadline=None)
def test_no_liquidation_makes_an_account_worse(
    equity: int, is_long: bool, other: int, offers: list[tuple[int, int]], size: int
) -> None:
    sign = 1 if is_long else -1
    state = holding(exchange(), ALICE, equity * UNIT, size=100 * sign, other=other)
    state = holding(state, CAROL, 10**7 * UNIT, size=-100 * sign, other=-other)
    for offset, lots in offers:
        side = BID if is_long else ASK
        state = placed(state, DAVE, side, 1000 + offset, lots)
    before, insured = sums(state, ALICE), cash_of(state, INSURANCE)
    receipt = played(state, Liquidate(ALICE, MARKET, size), state.time_ms)
    if receipt.rejected is not None:
        assert receipt.rejected.reason is RejectReason.NO_LIQUIDITY
        return
    done(state, Liquidate(ALICE, MARKET, size))
    after = sums(receipt.state, ALICE)
    assert after.maintenance <= before.maintenance
    assert after.equity * before.maintenance >= before.equity * after.maintenance
    assert cash_of(receipt.state, INSURANCE) >= insured
    assert 0 < abs(size_of(state, ALICE)) - abs(size_of(receipt.state, ALICE)) <= size


def test_orders_that_cannot_fill_leave_even_if_nothing_fills() -> None:
    """Else one that nobody can take would shield the account from the book and from a takeover."""
    state = facing(ALICE, WEAK)
    state = placed(state, DAVE, BID, 999, 10, good_until_ms=state.time_ms)
    state = placed(state, EVE, BID, 998, 10)
    state = holding(state, EVE, 0)
    now = state.time_ms + 1
    take_over = TakeOver(ALICE, MARKET, 100, INSURANCE)
    assert refused(state, take_over, now) is RejectReason.TAKEOVER_EARLY
    receipt = done(state, liquidate_all, now)
    dropped, poor, end = steps_of(receipt)
    assert isinstance(dropped, Dropped)
    assert isinstance(poor, Dropped)
    assert (dropped.reason, dropped.order.account) == (RejectReason.EXPIRED, DAVE)
    assert (poor.reason, poor.order.account) == (RejectReason.INSUFFICIENT_MARGIN, EVE)
    assert end == Ended(MARKET, NAME, 100, None)
    assert refused(receipt.state, liquidate_all) is RejectReason.NO_LIQUIDITY
    done(receipt.state, take_over)


def test_no_more_than_fifty_orders_are_met_at_once() -> None:
    state = facing(ALICE, WEAK)
    for _ in range(52):
        state = placed(state, DAVE, BID, 975, 1)
    receipt = done(state, liquidate_all)
    assert steps_of(receipt)[-1] == Ended(MARKET, NAME, 50, RejectReason.MATCH_STEPS)


def test_an_insurance_that_is_liquidated_pays_the_fee_to_itself() -> None:
    state = placed(facing(INSURANCE, WEAK), DAVE, BID, 990, 100)
    before = total_cash(state)
    state = done(state, Liquidate(INSURANCE, MARKET, 100)).state
    assert total_cash(state) == before
    # Ten ticks of 100 lots lost, and three tenths of the maker's 200 parts per million gained.
    assert cash_of(state, INSURANCE) == 5_000 * UNIT + 297_000 * 60 * 10**6
