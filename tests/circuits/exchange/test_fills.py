"""One trade: who may make it, what it costs, and how its fees are split to the unit."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.exchange.addresses import vault_terms_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.fills import charge, credit, exchange_lots, refusal, share_fees
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import AccountKind
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.drafts import written
from tests.support.market import (
    ANN,
    BOB,
    CAPS,
    CAT,
    DAN,
    FEE,
    FEES,
    INSURANCE,
    LATER_MS,
    LOT_UNITS,
    LP_VAULT,
    MARK,
    QUOTE,
    START_MS,
    Scene,
)

PPM_CASH = 10**6
MARGIN_UNITS = LOT_UNITS // 10
"""Token units of initial margin for a lot at the mark; maintenance is half of it."""


def judged(
    scene: Scene,
    account: int,
    delta: int,
    price: int = MARK,
    *,
    fee: int = 0,
    market: int = 0,
    time_ms: int = START_MS,
) -> RejectReason | None:
    return refusal(Draft(scene.state, SCAN), market, account, delta, price, fee, time_ms)


def with_position(scene: Scene, account: int, size: int, cash_units: int, market: int = 0) -> None:
    """Trade with Dan at the mark, without fees, then set what cash the account has left."""
    fees = {"taker_ppm": 0, "maker_ppm": 0}
    scene.set_fees(**fees)
    buyer, seller = (account, DAN) if size > 0 else (DAN, account)
    scene.trade(buyer, seller, abs(size), market=market)
    scene.set_fees(taker_ppm=FEES.taker_ppm, maker_ppm=FEES.maker_ppm)
    scene.set_cash(account, cash_units)


@pytest.mark.parametrize("delta", [10, -10])
def test_the_initial_margin_and_the_fee_are_needed_to_the_unit(delta: int) -> None:
    scene = Scene()
    scene.set_cash(ANN, 10 * MARGIN_UNITS + 3)
    assert judged(scene, ANN, delta, fee=3 * CASH_PER_UNIT) is None
    assert judged(scene, ANN, delta, fee=3 * CASH_PER_UNIT + 1) is RejectReason.INSUFFICIENT_MARGIN


def test_a_price_better_than_the_mark_counts_for_the_margin() -> None:
    scene = Scene()
    scene.set_cash(ANN, 0)
    assert judged(scene, ANN, 10, MARK - MARK // 10) is None
    assert judged(scene, ANN, 10, MARK - MARK // 10 + 1) is RejectReason.INSUFFICIENT_MARGIN
    assert judged(scene, ANN, -10, MARK + MARK // 10) is None
    assert judged(scene, ANN, -10, MARK + MARK // 10 - 1) is RejectReason.INSUFFICIENT_MARGIN


def test_funding_is_part_of_the_price_and_moves_no_equity() -> None:
    scene = Scene()
    scene.set_prices(funding_index=123 * CASH_PER_UNIT)
    scene.set_cash(ANN, 10 * MARGIN_UNITS)
    assert judged(scene, ANN, 10) is None
    assert judged(scene, ANN, 10, fee=1) is RejectReason.INSUFFICIENT_MARGIN
    draft = Draft(scene.state, SCAN)
    exchange_lots(draft, 0, ANN, BOB, MARK, 10)
    paid = 10 * (LOT_UNITS - 123) * CASH_PER_UNIT
    assert draft.known(ANN).cash == scene.cash(ANN) - paid
    assert draft.known(BOB).cash == scene.cash(BOB) + paid


@pytest.mark.parametrize("sign", [1, -1])
def test_an_account_below_its_margin_may_only_reduce(sign: int) -> None:
    scene = Scene()
    # Equity 80 margins for 100 lots: between maintenance and initial.
    with_position(scene, ANN, 100 * sign, (80 * MARGIN_UNITS) - sign * 100 * LOT_UNITS)
    assert judged(scene, ANN, sign) is RejectReason.INSUFFICIENT_MARGIN
    assert judged(scene, ANN, -sign) is None
    assert judged(scene, ANN, -100 * sign) is None
    # 80 margins are enough for a short of 80.
    assert judged(scene, ANN, -180 * sign) is None
    assert judged(scene, ANN, -181 * sign) is RejectReason.INSUFFICIENT_MARGIN


@pytest.mark.parametrize("sign", [1, -1])
def test_a_reduction_may_not_lower_equity_over_requirement(sign: int) -> None:
    scene = Scene()
    # Below initial by one lot's margin: equity of 400,000 for 100 lots, 4000 for each.
    with_position(scene, ANN, 100 * sign, 40_000 - sign * 100 * LOT_UNITS)
    # A lot may then cost at most its own share of the equity: 400 units, which is 40 ticks.
    assert judged(scene, ANN, -sign, MARK - 40 * sign) is None
    assert judged(scene, ANN, -sign, MARK - 41 * sign) is RejectReason.INSUFFICIENT_MARGIN
    assert judged(scene, ANN, -sign, MARK - 40 * sign, fee=1) is RejectReason.INSUFFICIENT_MARGIN


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bankrupt_account_may_not_grow_its_position(sign: int) -> None:
    scene = Scene()
    with_position(scene, ANN, 100 * sign, -500_000 - sign * 100 * LOT_UNITS)
    # The bare ratio of equity to requirement would rise with every lot more.
    for delta in (1, 100, 10_000, -101, -200, -300, -100_000):
        assert judged(scene, ANN, delta * sign) is RejectReason.INSUFFICIENT_MARGIN
    # It may close where that keeps the ratio: 5,000 units better than the mark for each lot.
    zero = MARK + 500 * sign
    for delta in (-1, -50, -100):
        assert judged(scene, ANN, delta * sign, zero) is None
        assert judged(scene, ANN, delta * sign, zero, fee=1) is RejectReason.INSUFFICIENT_MARGIN
        worse = zero - sign
        assert judged(scene, ANN, delta * sign, worse) is RejectReason.INSUFFICIENT_MARGIN


def test_a_bankrupt_account_without_positions_opens_none() -> None:
    scene = Scene()
    scene.set_cash(ANN, -1)
    assert judged(scene, ANN, 1) is RejectReason.INSUFFICIENT_MARGIN
    assert judged(scene, ANN, 1, MARK - MARK // 5) is None


def test_a_tier_is_needed_beyond_its_notional() -> None:
    scene = Scene()
    tier_1 = 10 * LOT_UNITS
    scene.set_terms(tier_1_notional=tier_1, tier_2_notional=2 * tier_1, tier_2_initial_ppm=200_000)
    needed = 10 * MARGIN_UNITS * 3 + 10 * MARGIN_UNITS * 2 + 10 * MARGIN_UNITS * 2
    scene.set_cash(ANN, needed)
    assert judged(scene, ANN, 30) is None
    scene.set_cash(ANN, needed - 1)
    assert judged(scene, ANN, 30) is RejectReason.INSUFFICIENT_MARGIN


def test_seventeen_positions_are_too_many() -> None:
    scene = Scene(market_count=17, check=False)
    for market in range(15):
        scene.trade(ANN, BOB, 2, market=market)
    assert judged(scene, ANN, 2, market=15) is None
    scene.trade(ANN, BOB, 2, market=15)
    assert judged(scene, ANN, 2, market=16) is RejectReason.TOO_MANY_POSITIONS
    assert judged(scene, ANN, 2, market=15) is None
    assert judged(scene, ANN, -4, market=3) is None


def test_cash_stays_in_its_range() -> None:
    scene = Scene(check=False)
    bound = 2**111
    room = 10 * LOT_UNITS * CASH_PER_UNIT
    scene.set_header(ANN, cash=bound - 1 - room)
    assert judged(scene, ANN, -10) is None
    scene.set_header(ANN, cash=bound - room)
    assert judged(scene, ANN, -10) is RejectReason.CASH_OUT_OF_BOUNDS
    assert judged(scene, ANN, -10, fee=1) is None
    scene.set_header(ANN, cash=-bound + room)
    assert judged(scene, ANN, 10) is RejectReason.CASH_OUT_OF_BOUNDS
    scene.set_header(ANN, cash=-bound + room + 1)
    assert judged(scene, ANN, 10) is RejectReason.INSUFFICIENT_MARGIN


def test_too_many_positions_come_before_cash_and_cash_before_margin() -> None:
    scene = Scene(market_count=17, check=False)
    for market in range(16):
        scene.trade(ANN, BOB, 2, market=market)
    scene.set_header(ANN, cash=-(2**111) + 1)
    assert judged(scene, ANN, 2, market=16) is RejectReason.TOO_MANY_POSITIONS
    assert judged(scene, ANN, 2, market=15) is RejectReason.CASH_OUT_OF_BOUNDS


def test_a_stale_price_of_another_market_is_a_reason() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, BOB, 2, market=1)
    assert judged(scene, ANN, 2, time_ms=START_MS + LATER_MS - 1) is None
    assert judged(scene, ANN, 2, time_ms=START_MS + LATER_MS) is RejectReason.PRICE_STALE
    assert judged(scene, CAT, 2, time_ms=START_MS + LATER_MS) is None


def test_a_halted_market_backs_nothing_but_its_own_fills() -> None:
    scene = Scene(market_count=2)
    scene.trade(ANN, BOB, 2, market=1)
    scene.set_prices(1, halted=1)
    assert judged(scene, ANN, 2) is RejectReason.PRICE_STALE
    assert judged(scene, ANN, -2, market=1) is None


def vault(scene: Scene, **caps: int) -> None:
    scene.set_leaves({vault_terms_address(LP_VAULT): CAPS._replace(**caps)})


def test_a_vault_keeps_its_caps() -> None:
    scene = Scene()
    most = {"leverage_cap_ppm": 2**32 - 1, "exposure_cap": 2**64 - 1, "skew_cap": 2**64 - 1}
    vault(scene, **most | {"exposure_cap": 10 * LOT_UNITS})
    assert judged(scene, LP_VAULT, 10) is None
    assert judged(scene, LP_VAULT, 11) is RejectReason.VAULT_CAP
    assert judged(scene, LP_VAULT, -11) is RejectReason.VAULT_CAP
    vault(scene, **most | {"skew_cap": 10 * LOT_UNITS})
    assert judged(scene, LP_VAULT, -10) is None
    assert judged(scene, LP_VAULT, -11) is RejectReason.VAULT_CAP
    # Three times the equity after the fee.
    vault(scene, **most | {"leverage_cap_ppm": 3_000_000})
    scene.set_cash(LP_VAULT, 10 * LOT_UNITS)
    assert judged(scene, LP_VAULT, 30) is None
    assert judged(scene, LP_VAULT, 30, fee=1) is RejectReason.VAULT_CAP
    scene.set_header(LP_VAULT, kind=AccountKind.USER)
    assert judged(scene, LP_VAULT, 31) is None


def test_a_vault_beyond_its_caps_may_reduce_but_not_turn_around() -> None:
    scene = Scene()
    scene.trade(LP_VAULT, BOB, 100)
    vault(scene, exposure_cap=0)
    assert judged(scene, LP_VAULT, -1) is None
    assert judged(scene, LP_VAULT, -100) is None
    assert judged(scene, LP_VAULT, -101) is RejectReason.VAULT_CAP
    assert judged(scene, LP_VAULT, 1) is RejectReason.VAULT_CAP


def test_skew_is_of_all_markets_and_leverage_too() -> None:
    scene = Scene(market_count=2)
    scene.trade(LP_VAULT, BOB, 100, market=1)
    vault(scene, skew_cap=100 * LOT_UNITS)
    assert judged(scene, LP_VAULT, 1) is RejectReason.VAULT_CAP
    assert judged(scene, LP_VAULT, -200) is None
    assert judged(scene, LP_VAULT, -201) is RejectReason.VAULT_CAP
    vault(scene, leverage_cap_ppm=2 * 100 * LOT_UNITS * 10**6 // 10**9)
    scene.set_cash(LP_VAULT, 10**9 - 100 * LOT_UNITS)
    assert judged(scene, LP_VAULT, -100) is None
    assert judged(scene, LP_VAULT, -101) is RejectReason.VAULT_CAP


def test_a_vault_beyond_the_caps_of_one_market_may_close_another() -> None:
    scene = Scene(market_count=2)
    scene.trade(LP_VAULT, BOB, 10)
    scene.trade(LP_VAULT, BOB, 100, market=1)
    vault(scene, skew_cap=0)
    assert judged(scene, LP_VAULT, -10) is None
    assert judged(scene, LP_VAULT, -11) is RejectReason.VAULT_CAP


def test_lots_and_cash_change_hands_and_the_open_interest_follows() -> None:
    scene = Scene()
    draft = Draft(scene.state, SCAN)
    exchange_lots(draft, 0, ANN, BOB, 900, 10)
    assert draft.known(ANN).cash == scene.cash(ANN) - 10 * 900 * QUOTE * CASH_PER_UNIT
    assert draft.book(0).open_interest == 10
    assert draft.book(0).last_trade == 0
    exchange_lots(draft, 0, BOB, CAT, 900, 4)
    assert draft.book(0).open_interest == 10
    exchange_lots(draft, 0, BOB, ANN, 900, 10)
    assert draft.book(0).open_interest == 4
    exchange_lots(draft, 0, CAT, BOB, 900, 4)
    assert draft.book(0).open_interest == 0
    assert [draft.known(each).positions for each in (ANN, BOB, CAT)] == [0, 0, 0]
    assert [draft.known(each).cash for each in (ANN, BOB, CAT)] == [
        scene.cash(each) for each in (ANN, BOB, CAT)
    ]


def test_neighbours_of_one_list_may_trade_with_each_other() -> None:
    scene = Scene()
    draft = Draft(scene.state, SCAN)
    exchange_lots(draft, 0, ANN, DAN, 900, 10)
    exchange_lots(draft, 0, BOB, DAN, 900, 10)
    exchange_lots(draft, 0, CAT, DAN, 900, 10)
    # Both leave the list of the longs for the other one in the same trade's turn.
    exchange_lots(draft, 0, ANN, BOB, 900, 10)
    exchange_lots(draft, 0, CAT, ANN, 900, 20)
    book = draft.book(0)
    assert (book.long_count, book.short_count, book.open_interest) == (1, 1, 30)


def test_a_trade_outside_the_range_of_cash_is_refused() -> None:
    scene = Scene(check=False)
    scene.set_header(BOB, cash=2**111 - 1)
    with pytest.raises(Rejected) as caught:
        exchange_lots(Draft(scene.state, SCAN), 0, ANN, BOB, 1, 1)
    assert caught.value.reason is RejectReason.CASH_OUT_OF_BOUNDS


def test_a_credit_outside_the_range_of_cash_is_refused() -> None:
    scene = Scene(check=False)
    scene.set_header(FEE, cash=2**111 - 2)
    draft = Draft(scene.state, SCAN)
    credit(draft, FEE, 1)
    with pytest.raises(Rejected) as caught:
        credit(draft, FEE, 1)
    assert caught.value.reason is RejectReason.CASH_OUT_OF_BOUNDS
    charge(draft, FEE, 2**112 - 2)
    with pytest.raises(Rejected):
        charge(draft, FEE, 1)


SPLITS: list[tuple[dict[str, Any], int, dict[int, int]]] = [
    # A notional of 7 at 3 ppm: 21 millionths of a unit, split by tenths, fifths, and so on.
    ({}, 0, {LP_VAULT: 21 * 200_000, INSURANCE: 21 * 300_000, FEE: 21 * 500_000}),
    (
        {},
        CAT,
        {CAT: 21 * 100_000, LP_VAULT: 21 * 200_000, INSURANCE: 21 * 300_000, FEE: 21 * 400_000},
    ),
    ({"vault_account": 0}, 0, {INSURANCE: 21 * 300_000, FEE: 21 * 700_000}),
    (
        {"referrer_share_ppm": 1, "vault_share_ppm": 3, "insurance_share_ppm": 999_996},
        CAT,
        {CAT: 21, LP_VAULT: 63, INSURANCE: 21 * 999_996},
    ),
]


@pytest.mark.parametrize(("terms", "referrer", "parts"), SPLITS)
def test_a_fee_is_split_to_the_unit(
    terms: dict[str, Any], referrer: int, parts: dict[int, int]
) -> None:
    scene = Scene()
    fees = FEES._replace(**terms)
    draft = Draft(scene.state, SCAN)
    payer = draft.known(ANN)._replace(referrer=referrer)
    share_fees(draft, fees, 7, ((payer, 3),))
    gained = {
        account: draft.known(account).cash - scene.cash(account)
        for account in (FEE, INSURANCE, LP_VAULT, CAT)
    }
    assert {account: part for account, part in gained.items() if part} == parts
    assert sum(gained.values()) == 7 * 3 * PPM_CASH


def test_both_sides_pay_together_what_they_pay_alone() -> None:
    scene = Scene()
    together, apart = Draft(scene.state, SCAN), Draft(scene.state, SCAN)
    ann = scene.header(ANN)._replace(referrer=CAT)
    bob = scene.header(BOB)._replace(referrer=CAT)
    share_fees(together, FEES, 1234, ((ann, 500), (bob, 200)))
    share_fees(apart, FEES, 1234, ((ann, 500),))
    share_fees(apart, FEES, 1234, ((bob, 200),))
    assert written(together) == written(apart)


def test_no_fee_writes_nothing() -> None:
    scene = Scene()
    draft = Draft(scene.state, SCAN)
    ann = scene.header(ANN)._replace(referrer=CAT)
    share_fees(draft, FEES, 1234, ((ann, 0), (ann, 0)))
    assert not written(draft)
