"""An order in the book: what fills, how long it stands, and what is dropped."""

from __future__ import annotations

import pytest

from circuits.exchange.addresses import vault_terms_address
from circuits.exchange.errors import RejectReason
from circuits.exchange.steps import Filled, OrderName, Rested
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.guides import FollowingGuide
from tests.support.market import (
    ANN,
    ASK,
    BID,
    BOB,
    CAPS,
    CAT,
    DAN,
    FEE,
    FEES,
    FOK,
    INSURANCE,
    IOC,
    LOT_UNITS,
    LP_VAULT,
    MARK,
    POST_ONLY,
    QUOTE,
    START_MS,
    Scene,
)
from tests.support.trading import MARGIN_UNITS, drops, ending, fills, without_fees

# Fills


def test_a_trade_is_at_the_price_that_rests() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, 990, 5)
    bob = scene.place(BOB, BID, 1100, 5)
    notional = 5 * 990 * QUOTE
    assert scene.do(bob) == (
        Filled(
            0,
            OrderName(BOB, 0, bob.transaction.nonce),
            OrderName(ANN, 0, 1),
            BID,
            990,
            5,
            notional * 500 * 10**6,
            notional * 200 * 10**6,
        ),
    )
    assert scene.book().last_trade == 990
    assert scene.book().open_interest == 5
    assert (scene.size(ANN), scene.size(BOB)) == (-5, 5)
    assert (scene.header(ANN).orders, scene.header(BOB).orders) == (0, 0)


def test_the_last_price_follows_even_if_lots_only_change_hands() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, 5, 990)
    scene.trade(CAT, ANN, 5, 995)
    assert (scene.book().last_trade, scene.book().open_interest) == (995, 5)


def test_cash_of_both_sides_and_of_all_who_share_the_fees() -> None:
    scene = Scene()
    scene.set_header(BOB, referrer=CAT)
    before = {each: scene.cash(each) for each in (ANN, BOB, CAT, FEE, INSURANCE, LP_VAULT)}
    scene.trade(BOB, ANN, 5, 990)
    gained = {each: scene.cash(each) - before[each] for each in before}
    notional = 5 * 990 * QUOTE
    assert gained == {
        ANN: notional * CASH_PER_UNIT - notional * 200 * 10**6,
        BOB: -notional * CASH_PER_UNIT - notional * 500 * 10**6,
        CAT: notional * 500 * 100_000,
        LP_VAULT: notional * 700 * 200_000,
        INSURANCE: notional * 700 * 300_000,
        FEE: notional * (700 * 400_000 + 200 * 100_000),
    }


def test_a_party_may_share_its_own_fees() -> None:
    scene = Scene()
    scene.set_header(BOB, referrer=LP_VAULT)
    before = scene.cash(LP_VAULT)
    scene.trade(BOB, LP_VAULT, 5)
    notional = 5 * LOT_UNITS
    assert scene.cash(LP_VAULT) - before == (
        notional * CASH_PER_UNIT
        - notional * 200 * 10**6
        + notional * 700 * 200_000
        + notional * 500 * 100_000
    )


@pytest.mark.parametrize(("side", "prices"), [(BID, [1001, 1000]), (ASK, [999, 1000])])
def test_better_prices_first_then_earlier_orders(side: int, prices: list[int]) -> None:
    scene = Scene()
    worse, better = prices
    scene.rest(ANN, 1 - side, worse, 5)
    scene.rest(BOB, 1 - side, better, 5)
    scene.rest(CAT, 1 - side, better, 5)
    steps = scene.do(scene.place(DAN, side, worse, 12))
    assert fills(steps) == [(BOB, better, 5), (CAT, better, 5), (ANN, worse, 2)]
    assert [order.remaining for order in scene.orders(1 - side)] == [3]
    assert scene.book().last_trade == worse


def test_what_is_left_of_the_resting_order_keeps_its_place() -> None:
    scene = Scene()
    slot = scene.rest(ANN, ASK, MARK, 5)
    scene.rest(BOB, ASK, MARK, 5)
    scene.do(scene.place(CAT, BID, MARK, 3))
    assert [(order.account, order.remaining) for order in scene.orders(ASK)] == [(ANN, 2), (BOB, 5)]
    assert scene.book().best_ask == slot
    assert scene.header(ANN).orders == 1


# Time in force


def test_a_rest_that_nothing_crosses() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, 1001, 5)
    steps = scene.do(scene.place(BOB, BID, 1000, 7, good_until_ms=START_MS))
    assert steps == (Rested(0, 2, OrderName(BOB, 0, 1), BID, 1000, 7),)
    (order,) = scene.orders(BID)
    assert order[:8] == (BOB, 0, 1, BID, 1000, 7, START_MS, 0)
    assert scene.header(BOB).orders == 1


def test_good_till_time_rests_with_what_is_left() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, MARK, 5)
    steps = scene.do(scene.place(BOB, BID, MARK, 7))
    assert fills(steps) == [(ANN, MARK, 5)]
    assert steps[-1] == Rested(0, 1, OrderName(BOB, 0, 1), BID, MARK, 2)


def test_immediate_or_cancel_never_rests() -> None:
    scene = Scene()
    assert ending(scene.do(scene.place(BOB, BID, MARK, 7, time_in_force=IOC))) == (7, None)
    scene.rest(ANN, ASK, MARK, 5)
    assert ending(scene.do(scene.place(BOB, BID, MARK, 7, time_in_force=IOC))) == (2, None)
    assert scene.orders(BID) == []


def test_fill_or_kill_is_never_half() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, MARK, 5)
    scene.rest(CAT, ASK, MARK + 1, 5)
    scene.time_ms += 1
    kill = scene.place(BOB, BID, MARK + 1, 11, time_in_force=FOK)
    assert scene.reason(kill) is RejectReason.FOK_UNFILLED
    fill = scene.place(BOB, BID, MARK + 1, 10, time_in_force=FOK)
    assert fills(scene.do(fill)) == [(ANN, MARK, 5), (CAT, MARK + 1, 5)]


def test_fill_or_kill_that_is_stopped_is_unfilled() -> None:
    scene = Scene()
    scene.set_cash(BOB, 3 * MARGIN_UNITS)
    scene.rest(ANN, ASK, MARK, 2)
    scene.rest(CAT, ASK, MARK, 5)
    kill = scene.place(BOB, BID, MARK, 7, time_in_force=FOK)
    assert scene.reason(kill) is RejectReason.FOK_UNFILLED


def test_a_refused_order_undoes_its_drops() -> None:
    guide = FollowingGuide()
    scene = Scene(guide=guide)
    scene.rest(ANN, ASK, MARK, 5, good_until_ms=START_MS)
    scene.time_ms += 1
    kill = scene.place(BOB, BID, MARK, 7, time_in_force=FOK)
    assert scene.reason(kill) is RejectReason.FOK_UNFILLED
    assert len(scene.orders(ASK)) == 1
    assert guide.undone_count
    assert guide.is_up_to_date(scene.state.leaves.items())


def test_post_only_rests_or_is_refused() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, MARK, 5)
    crossing = scene.place(BOB, BID, MARK, 5, time_in_force=POST_ONLY)
    assert scene.reason(crossing) is RejectReason.POST_ONLY_CROSSES
    scene.do(scene.place(BOB, BID, MARK - 1, 5, time_in_force=POST_ONLY))
    assert [order.price for order in scene.orders(BID)] == [MARK - 1]


def test_post_only_behind_expired_orders() -> None:
    scene = Scene()
    scene.rest(ANN, ASK, MARK, 5, good_until_ms=START_MS)
    scene.time_ms += 1
    steps = scene.do(scene.place(BOB, BID, MARK, 5, time_in_force=POST_ONLY))
    assert drops(steps) == [(ANN, RejectReason.EXPIRED)]
    assert isinstance(steps[-1], Rested)
    scene.rest(ANN, BID, MARK + 1, 5, good_until_ms=scene.time_ms)
    scene.time_ms += 1
    crossing = scene.place(CAT, ASK, MARK, 5, time_in_force=POST_ONLY)
    assert scene.reason(crossing) is RejectReason.POST_ONLY_CROSSES
    assert len(scene.orders(BID)) == 2


def test_post_only_refuses_before_it_looks_at_whose_order_it_crosses() -> None:
    scene = Scene()
    scene.rest(BOB, ASK, MARK, 5)
    crossing = scene.place(BOB, BID, MARK, 5, time_in_force=POST_ONLY)
    assert scene.reason(crossing) is RejectReason.POST_ONLY_CROSSES


# Drops


def test_an_expired_order_is_dropped_only_after_its_last_millisecond() -> None:
    scene = Scene()
    for account in (ANN, CAT):
        scene.rest(account, ASK, MARK, 5, good_until_ms=START_MS + 5)
    scene.time_ms = START_MS + 5
    assert fills(scene.do(scene.place(BOB, BID, MARK, 5))) == [(ANN, MARK, 5)]
    scene.time_ms += 1
    steps = scene.do(scene.place(BOB, BID, MARK, 5))
    assert drops(steps) == [(CAT, RejectReason.EXPIRED)]
    assert fills(steps) == []


def test_an_own_order_leaves_and_the_next_one_trades() -> None:
    scene = Scene()
    scene.rest(BOB, ASK, MARK, 5)
    scene.rest(ANN, ASK, MARK, 5)
    steps = scene.do(scene.place(BOB, BID, MARK, 5))
    assert drops(steps) == [(BOB, RejectReason.SELF_TRADE)]
    assert fills(steps) == [(ANN, MARK, 5)]
    assert scene.header(BOB).orders == 0


def test_a_resting_order_without_margin_is_dropped_and_the_next_one_trades() -> None:
    scene = without_fees(Scene())
    scene.rest(ANN, ASK, MARK, 5)
    scene.rest(CAT, ASK, MARK, 5)
    scene.set_cash(ANN, 5 * MARGIN_UNITS - 1)
    steps = scene.do(scene.place(BOB, BID, MARK, 5))
    assert drops(steps) == [(ANN, RejectReason.INSUFFICIENT_MARGIN)]
    assert fills(steps) == [(CAT, MARK, 5)]


@pytest.mark.parametrize("missing_units", [0, 1])
def test_a_resting_order_needs_margin_for_its_fee_too(missing_units: int) -> None:
    scene = Scene()
    scene.rest(ANN, ASK, MARK, 5)
    fee_units = 5 * LOT_UNITS * FEES.maker_ppm // 10**6
    scene.set_cash(ANN, 5 * MARGIN_UNITS + fee_units - missing_units)
    steps = scene.do(scene.place(BOB, BID, MARK, 5, time_in_force=IOC))
    assert fills(steps) == ([] if missing_units else [(ANN, MARK, 5)])


def test_a_vault_beyond_its_caps_is_dropped() -> None:
    scene = Scene()
    scene.rest(LP_VAULT, ASK, MARK, 5)
    scene.set_leaves({vault_terms_address(LP_VAULT): CAPS._replace(exposure_cap=5 * LOT_UNITS - 1)})
    steps = scene.do(scene.place(BOB, BID, MARK, 5, time_in_force=IOC))
    assert drops(steps) == [(LP_VAULT, RejectReason.VAULT_CAP)]
    assert ending(steps) == (5, None)


def test_a_resting_order_whose_other_market_is_stale_is_dropped() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, CAT, 5, market=1)
    scene.rest(ANN, ASK, MARK, 5)
    scene.set_prices(1, valid_until_ms=START_MS)
    steps = scene.do(scene.place(BOB, BID, MARK, 5, time_in_force=IOC))
    assert drops(steps) == [(ANN, RejectReason.PRICE_STALE)]
