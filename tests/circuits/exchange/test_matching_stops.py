"""What stops an incoming order, and what lets the rest of it rest."""

from __future__ import annotations

import pytest

from circuits.exchange.draft import Draft
from circuits.exchange.errors import RejectReason
from circuits.exchange.fills import charge, credit
from circuits.exchange.guide import SCAN
from circuits.exchange.limits import MATCH_STEPS_MAX, ORDER_SLOT_MAX
from circuits.exchange.matching import Swept, sweep
from circuits.exchange.order_checks import NewOrder
from circuits.exchange.steps import Ended, Filled, OrderName, Rested
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.guides import LyingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAT,
    DAN,
    FEES,
    FOK,
    GTT,
    INSURANCE,
    IOC,
    LOT_UNITS,
    MARK,
    QUOTE,
    START_MS,
    Scene,
)
from tests.support.trading import MARGIN_UNITS, drops, ending, fills, positioned, without_fees

# A bankrupt account may not grow its position


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bankrupt_taker_may_reduce_and_nothing_else(sign: int) -> None:
    scene = without_fees(Scene())
    positioned(scene, ANN, 100 * sign, -500_000 - sign * 100 * LOT_UNITS)
    zero = MARK + 500 * sign
    grow, shrink = (BID, ASK) if sign > 0 else (ASK, BID)
    scene.rest(BOB, 1 - grow, MARK, 500)
    for size in (2, 100, 300):
        order = scene.place(ANN, grow, MARK, size, time_in_force=IOC)
        assert scene.reason(order) is RejectReason.INSUFFICIENT_MARGIN
    scene.do(scene.cancel_all(BOB))
    for price, size in ((MARK, 40), (MARK, 101), (zero - sign, 40)):
        scene.rest(CAT, 1 - shrink, price, 500)
        order = scene.place(ANN, shrink, price, size, time_in_force=IOC)
        assert scene.reason(order) is RejectReason.INSUFFICIENT_MARGIN
    scene.rest(CAT, 1 - shrink, zero, 500)
    steps = scene.do(scene.place(ANN, shrink, zero, 40, time_in_force=IOC))
    assert fills(steps) == [(CAT, zero, 40)]
    assert scene.size(ANN) == 60 * sign


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bankrupt_maker_may_reduce_and_nothing_else(sign: int) -> None:
    scene = Scene()
    grow, shrink = (BID, ASK) if sign > 0 else (ASK, BID)
    positioned(scene, ANN, 100 * sign, 10**9)
    scene.do(scene.place(ANN, grow, MARK - sign, 10))
    fee = 15 * sign  # the maker's fee is a fiftieth of a percent: less than five ticks of a lot
    zero = MARK + 500 * sign + fee
    scene.do(scene.place(ANN, shrink, zero, 40))
    scene.set_cash(ANN, -500_000 - sign * 100 * LOT_UNITS)
    taken = scene.do(scene.place(BOB, 1 - grow, MARK - sign, 10, time_in_force=IOC))
    assert drops(taken) == [(ANN, RejectReason.INSUFFICIENT_MARGIN)]
    assert fills(taken) == []
    taken = scene.do(scene.place(BOB, 1 - shrink, zero, 40, time_in_force=IOC))
    assert fills(taken) == [(ANN, zero, 40)]
    assert scene.size(ANN) == 60 * sign


# What stops the incoming order


def test_the_first_fill_without_margin_refuses_and_a_later_one_ends() -> None:
    scene = without_fees(Scene())
    scene.set_cash(BOB, 9 * MARGIN_UNITS)
    for account in (ANN, CAT):
        scene.rest(account, ASK, MARK, 5)
    assert scene.reason(scene.place(BOB, BID, MARK, 10, time_in_force=IOC)) is None
    scene = without_fees(Scene())
    scene.set_cash(BOB, 5 * MARGIN_UNITS - 1)
    scene.rest(ANN, ASK, MARK, 5)
    for time_in_force in (GTT, IOC):
        order = scene.place(BOB, BID, MARK, 5, time_in_force=time_in_force)
        assert scene.reason(order) is RejectReason.INSUFFICIENT_MARGIN


@pytest.mark.parametrize("time_in_force", [GTT, IOC])
def test_an_order_that_filled_ends_with_the_reason(time_in_force: int) -> None:
    scene = without_fees(Scene())
    scene.set_cash(BOB, 9 * MARGIN_UNITS)
    for account in (ANN, CAT):
        scene.rest(account, ASK, MARK, 5)
    steps = scene.do(scene.place(BOB, BID, MARK, 10, time_in_force=time_in_force))
    assert fills(steps) == [(ANN, MARK, 5)]
    assert ending(steps) == (5, RejectReason.INSUFFICIENT_MARGIN)
    assert scene.header(BOB).orders == 0


def crowded(count: int, *, expired: int = 0) -> Scene:
    """A book of `expired` dead asks before `count` live ones, two lots each."""
    scene = Scene(check=False)
    for _ in range(expired):
        scene.rest(ANN, ASK, MARK, 2, good_until_ms=START_MS)
    for _ in range(count):
        scene.rest(ANN, ASK, MARK, 2)
    scene.time_ms += 1
    return scene


def test_fifty_steps_are_allowed() -> None:
    scene = crowded(MATCH_STEPS_MAX)
    steps = scene.do(scene.place(BOB, BID, MARK, 2 * MATCH_STEPS_MAX + 3))
    assert len(fills(steps)) == MATCH_STEPS_MAX
    assert isinstance(steps[-1], Rested)


@pytest.mark.parametrize("time_in_force", [GTT, IOC])
def test_a_fifty_first_step_ends_the_order(time_in_force: int) -> None:
    scene = crowded(2, expired=MATCH_STEPS_MAX - 1)
    steps = scene.do(scene.place(BOB, BID, MARK, 9, time_in_force=time_in_force))
    assert len(drops(steps)) == MATCH_STEPS_MAX - 1
    assert len(fills(steps)) == 1
    assert ending(steps) == (7, RejectReason.MATCH_STEPS)


def test_a_fifty_first_step_is_no_matter_if_nothing_is_left() -> None:
    scene = crowded(2, expired=MATCH_STEPS_MAX - 1)
    steps = scene.do(scene.place(BOB, BID, MARK, 2))
    assert not any(isinstance(step, Ended) for step in steps)


def test_fifty_drops_without_a_fill_are_dropped_for_good() -> None:
    """Or whoever rests that many and pays the cash out would close the side to everybody."""
    scene = crowded(1, expired=MATCH_STEPS_MAX)
    kill = scene.place(BOB, BID, MARK, 2, time_in_force=FOK)
    assert scene.reason(kill) is RejectReason.FOK_UNFILLED
    assert len(scene.orders(ASK)) == MATCH_STEPS_MAX + 1
    steps = scene.do(scene.place(BOB, BID, MARK, 2))
    assert len(drops(steps)) == MATCH_STEPS_MAX
    assert isinstance(steps[-1], Ended)
    assert steps[-1].reason is RejectReason.MATCH_STEPS
    assert len(scene.orders(ASK)) == 1


def test_fifty_drops_with_nothing_behind_let_the_order_rest() -> None:
    scene = crowded(0, expired=MATCH_STEPS_MAX)
    steps = scene.do(scene.place(BOB, BID, MARK, 2))
    assert len(drops(steps)) == MATCH_STEPS_MAX
    assert isinstance(steps[-1], Rested)


def test_the_open_interest_stays_within_its_bound() -> None:
    scene = Scene()
    scene.set_terms(open_interest_max=10)
    scene.rest(ANN, ASK, MARK, 6)
    scene.rest(CAT, ASK, MARK, 6)
    steps = scene.do(scene.place(BOB, BID, MARK, 10, time_in_force=IOC))
    assert fills(steps) == [(ANN, MARK, 6), (CAT, MARK, 4)]
    order = scene.place(DAN, BID, MARK, 2)
    assert scene.reason(order) is RejectReason.OPEN_INTEREST
    # Bob's lots may change hands: as many stay open.
    scene.do(scene.cancel_all(CAT))
    scene.rest(BOB, ASK, MARK, 10)
    assert fills(scene.do(scene.place(DAN, BID, MARK, 10))) == [(BOB, MARK, 10)]
    assert scene.book().open_interest == 10


@pytest.mark.parametrize(("bound", "reason"), [(10, None), (9, RejectReason.OPEN_INTEREST)])
def test_only_the_lots_that_are_new_count(bound: int, reason: RejectReason | None) -> None:
    scene = Scene()
    scene.trade(ANN, CAT, 3)
    scene.trade(BOB, CAT, 5)
    scene.rest(ANN, ASK, MARK, 5)
    scene.set_terms(open_interest_max=bound)
    # Ann closes three and opens two.
    assert scene.reason(scene.place(DAN, BID, MARK, 5)) is reason


def test_the_open_interest_ends_an_order_that_filled() -> None:
    scene = Scene()
    scene.set_terms(open_interest_max=10)
    scene.rest(ANN, ASK, MARK, 6)
    scene.rest(CAT, ASK, MARK, 6)
    scene.do(scene.place(BOB, BID, MARK, 6))
    scene.rest(ANN, ASK, MARK - 1, 2)
    steps = scene.do(scene.place(DAN, BID, MARK, 10))
    assert fills(steps) == [(ANN, MARK - 1, 2)]
    assert ending(steps) == (8, RejectReason.OPEN_INTEREST)


def test_beyond_a_lowered_bound_lots_may_still_be_reduced() -> None:
    scene = Scene()
    scene.trade(BOB, ANN, 100)
    scene.rest(CAT, BID, MARK, 10)
    scene.rest(ANN, BID, MARK, 10)
    scene.set_terms(open_interest_max=50)
    # To Cat they only change hands, to Ann, who is short, they close.
    steps = scene.do(scene.place(BOB, ASK, MARK, 20))
    assert fills(steps) == [(CAT, MARK, 10), (ANN, MARK, 10)]
    assert scene.book().open_interest == 90
    scene.rest(CAT, ASK, MARK, 20)
    order = scene.place(DAN, BID, MARK, 20)
    assert scene.reason(order) is RejectReason.OPEN_INTEREST


def test_a_seventeenth_position_stops_the_taker_and_drops_the_maker() -> None:
    scene = Scene(market_count=17, check=False)
    for market in range(16):
        scene.trade(ANN, BOB, 2, market=market)
    scene.rest(CAT, ASK, MARK, 2, market=16)
    order = scene.place(ANN, BID, MARK, 2, market=16)
    assert scene.reason(order) is RejectReason.TOO_MANY_POSITIONS
    scene.do(scene.cancel_all(CAT))
    scene.rest(ANN, ASK, MARK, 2, market=16)
    steps = scene.do(scene.place(CAT, BID, MARK, 2, market=16, time_in_force=IOC))
    assert drops(steps) == [(ANN, RejectReason.TOO_MANY_POSITIONS)]


# Resting


def test_a_resting_order_has_its_margin_to_the_unit() -> None:
    scene = Scene()
    needed = 5 * 1100 * QUOTE // 10
    scene.set_cash(ANN, needed)
    scene.do(scene.place(ANN, ASK, 1100, 5))
    scene.set_cash(BOB, needed - 1)
    order = scene.place(BOB, ASK, 1100, 5)
    assert scene.reason(order) is RejectReason.INSUFFICIENT_MARGIN
    scene.do(scene.place(BOB, ASK, 1100, 4))


def test_what_is_left_needs_its_margin_beside_the_position() -> None:
    scene = without_fees(Scene())
    scene.rest(ANN, ASK, MARK, 5)
    scene.set_cash(BOB, 7 * MARGIN_UNITS)
    steps = scene.do(scene.place(BOB, BID, MARK, 7))
    assert isinstance(steps[-1], Rested)
    scene.rest(ANN, ASK, MARK + 1, 5)
    scene.set_cash(CAT, 7 * MARGIN_UNITS + 50 * QUOTE)
    steps = scene.do(scene.place(CAT, BID, MARK + 1, 7))
    assert fills(steps) == [(ANN, MARK + 1, 5)]
    assert isinstance(steps[-1], Rested)


def test_what_is_left_without_margin_ends() -> None:
    scene = without_fees(Scene())
    scene.rest(ANN, ASK, MARK, 5)
    scene.set_cash(BOB, 7 * MARGIN_UNITS - 1)
    steps = scene.do(scene.place(BOB, BID, MARK, 7))
    assert ending(steps) == (2, RejectReason.INSUFFICIENT_MARGIN)
    assert scene.orders(BID) == []


def test_a_stale_price_of_another_market_keeps_an_order_from_resting() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, BOB, 5, market=1)
    scene.set_prices(1, valid_until_ms=START_MS)
    assert scene.reason(scene.place(ANN, BID, MARK, 5)) is RejectReason.PRICE_STALE


def test_a_full_book_refuses_what_would_rest_until_a_fill_has_freed_a_slot() -> None:
    scene = Scene(check=False)
    scene.rest(ANN, ASK, MARK, 5)
    scene.set_book(order_count=ORDER_SLOT_MAX)
    scene.guide = LyingGuide(free_order_slot=None)
    assert scene.reason(scene.place(BOB, BID, MARK - 1, 5)) is RejectReason.BOOK_FULL
    scene.guide = SCAN
    steps = scene.do(scene.place(BOB, BID, MARK, 7))
    assert steps[-1] == Rested(0, 1, OrderName(BOB, 0, 2), BID, MARK, 2)


# A taker that signed nothing


class Reluctant:
    """Stops after some fills and pays one unit of cash for each lot to the insurance account."""

    def __init__(self, fill_count: int) -> None:
        self.fill_count = fill_count
        self.asked: list[tuple[int, int, int]] = []

    def stop(self, draft: Draft, time_ms: int, account: int) -> RejectReason | None:
        assert (time_ms, account) == (START_MS, ANN)
        if self.fill_count == 0:
            return RejectReason.NOT_LIQUIDATABLE
        self.fill_count -= 1
        return None

    def fee(self, draft: Draft, price: int, size: int, notional: int) -> int:
        self.asked.append((price, size, notional))
        return size

    def pay(self, draft: Draft, account: int, notional: int, fee: int) -> None:
        charge(draft, account, fee)
        credit(draft, INSURANCE, fee)


def reluctant(scene: Scene, draft: Draft, fill_count: int, size: int = 15) -> Swept:
    name = OrderName(ANN, 0, 0)
    order = NewOrder(name, 0, BID, IOC, 0, MARK, size, START_MS)
    return sweep(draft, START_MS, order, size, Reluctant(fill_count))


def test_another_taker_says_when_it_stops_and_what_it_pays() -> None:
    scene = Scene()
    for account in (BOB, CAT, DAN):
        scene.rest(account, ASK, MARK, 5)
    draft = Draft(scene.state, SCAN)
    before = {each: scene.cash(each) for each in (ANN, INSURANCE)}
    assert reluctant(scene, draft, 2) == Swept(5, 2, RejectReason.NOT_LIQUIDATABLE)
    paid = 10 * LOT_UNITS
    assert draft.known(ANN).cash == before[ANN] - paid * CASH_PER_UNIT - 10
    # The makers pay their fee as ever.
    part = paid * FEES.maker_ppm * FEES.insurance_share_ppm
    assert draft.known(INSURANCE).cash == before[INSURANCE] + 10 + part
    assert [step.taker_fee for step in draft.steps if isinstance(step, Filled)] == [5, 5]


def test_another_taker_is_asked_only_before_a_fill_and_after_the_drops() -> None:
    scene = Scene()
    scene.rest(BOB, ASK, MARK, 5, good_until_ms=START_MS)
    scene.rest(ANN, ASK, MARK, 5)
    scene.rest(CAT, ASK, MARK, 5)
    draft = Draft(scene.state, SCAN)
    assert reluctant(scene, draft, 1, 9) == Swept(4, 1, RejectReason.NOT_LIQUIDATABLE)
    assert drops(tuple(draft.steps)) == [(ANN, RejectReason.SELF_TRADE)]


def test_another_taker_needs_margin_for_what_it_pays() -> None:
    scene = Scene()
    scene.rest(BOB, ASK, MARK, 5)
    scene.set_cash(ANN, 5 * MARGIN_UNITS)
    draft = Draft(scene.state, SCAN)
    assert reluctant(scene, draft, 9) == Swept(15, 0, RejectReason.INSUFFICIENT_MARGIN)
    scene.set_header(ANN, cash=scene.cash(ANN) + 5)
    scene.set_header(BOB, cash=scene.cash(BOB) - 5)
    draft = Draft(scene.state, SCAN)
    assert reluctant(scene, draft, 9) == Swept(10, 1, None)
