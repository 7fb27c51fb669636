"""Margin and health against exact fractions; a fill that only seems to improve an account."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.addresses import position_address
from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import MarketTerms, Position
from circuits.exchange.risk import (
    Health,
    Survey,
    Totals,
    find_position,
    may_change,
    position_totals,
    survey,
    totals,
)
from circuits.exchange.state import State
from tests.support.market import ANN, PRICES, START_MS, TERMS, Scene

CASH = 10**12
SIZES = st.integers(-(2**31), 2**31).filter(bool)
MARKS = st.integers(1, 2**32 - 1)
INDICES = st.integers(-(2**70), 2**70)
NONE = Totals(0, 0, 0, 0, 0, 0)


def naive(size: int, mark: int, index: int, terms: MarketTerms) -> tuple[Fraction, ...]:
    """Equity, initial, maintenance and buffer in token units, as the white paper has them."""
    value = Fraction(size) * mark * terms.quote_per_tick_lot
    notional = abs(value)

    def margin(flat: int, first: int, second: int) -> Fraction:
        beyond_1 = max(Fraction(0), notional - terms.tier_1_notional)
        beyond_2 = max(Fraction(0), notional - terms.tier_2_notional)
        return (notional * flat + beyond_1 * first + beyond_2 * second) / 10**6

    return (
        value - Fraction(size * index, CASH),
        margin(terms.initial_ppm, terms.tier_1_initial_ppm, terms.tier_2_initial_ppm),
        margin(terms.maintenance_ppm, terms.tier_1_maintenance_ppm, terms.tier_2_maintenance_ppm),
        notional * terms.withdraw_buffer_ppm / 10**6,
    )


@given(size=SIZES, mark=MARKS, index=INDICES)
def test_one_position_against_fractions(size: int, mark: int, index: int) -> None:
    prices = PRICES._replace(mark_price=mark, funding_index=index)
    found = position_totals(size, prices, TERMS)
    assert tuple(Fraction(each, CASH) for each in found[:4]) == naive(size, mark, index, TERMS)
    assert found.gross == abs(found.net) == abs(size) * mark * TERMS.quote_per_tick_lot
    assert (found.net > 0) == (size > 0)


TIERS = TERMS._replace(
    quote_per_tick_lot=1,
    initial_ppm=100_000,
    maintenance_ppm=50_000,
    tier_1_notional=1000,
    tier_1_initial_ppm=200_000,
    tier_1_maintenance_ppm=100_000,
    tier_2_notional=2000,
    tier_2_initial_ppm=400_000,
    tier_2_maintenance_ppm=300_000,
)


@pytest.mark.parametrize(
    ("notional", "initial", "maintenance"),
    [
        (999, 99_900, 49_950),
        (1000, 100_000, 50_000),
        (1001, 100_300, 50_150),
        (1999, 399_700, 199_850),
        (2000, 400_000, 200_000),
        (2001, 400_700, 200_450),
        (3000, 1_100_000, 650_000),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_tiers_at_their_edges(notional: int, initial: int, maintenance: int, sign: int) -> None:
    """Each tier adds its own fraction of what lies beyond it; thousandths of a token unit here."""
    found = position_totals(sign * notional, PRICES._replace(mark_price=1), TIERS)
    assert (found.initial, found.maintenance) == (initial * 10**9, maintenance * 10**9)


def test_tiers_at_the_same_notional() -> None:
    terms = TIERS._replace(tier_2_notional=1000)
    found = position_totals(1001, PRICES._replace(mark_price=1), terms)
    assert found.initial == (100_300 + 400) * 10**9


def test_no_position_adds_nothing() -> None:
    assert position_totals(0, PRICES._replace(funding_index=77), TERMS) == NONE


def draft_of(state: State) -> Draft:
    return Draft(state, SCAN)


def scene_of(positions: list[tuple[int, int, int, int]], cash: int = 0) -> Scene:
    """Ann with (bit, size, mark, funding index), each in the market of its place."""
    scene = Scene(market_count=len(positions), check=False)
    bitmap = 0
    for market, (bit, size, mark, index) in enumerate(positions):
        scene.set_prices(market, mark_price=mark, funding_index=index)
        scene.set_leaves({position_address(ANN, bit): Position(market, size, size, 0, 0)})
        bitmap |= 1 << bit
    scene.set_header(ANN, positions=bitmap, cash=cash)
    return scene


@given(
    positions=st.lists(
        st.tuples(st.integers(0, 15), SIZES, MARKS, INDICES),
        max_size=4,
        unique_by=lambda position: position[0],
    ),
    cash=st.integers(-(2**100), 2**100),
)
def test_an_account_is_the_sum_of_its_positions(
    positions: list[tuple[int, int, int, int]], cash: int
) -> None:
    scene = scene_of(positions, cash)
    found = totals(draft_of(scene.state), ANN, scene.header(ANN), START_MS)
    parts = [naive(size, mark, index, TERMS) for _, size, mark, index in positions]
    sums = [sum(part[place] for part in parts) for place in range(4)]
    assert [Fraction(each, CASH) for each in found[:4]] == [
        sums[0] + Fraction(cash, CASH), *sums[1:]
    ]  # fmt: skip
    assert found.gross == sum(abs(size) * mark * 10 for _, size, mark, _ in positions)
    assert found.net == sum(size * mark * 10 for _, size, mark, _ in positions)


def test_a_survey_takes_one_market_out() -> None:
    scene = scene_of([(3, 5, 1000, 0), (7, -2, 500, 9)], cash=11)
    draft, header = draft_of(scene.state), scene.header(ANN)
    seen = survey(draft, ANN, header, 1, START_MS)
    assert seen == Survey(
        7,
        Position(1, -2, -2, 0, 0),
        position_totals(5, PRICES, TERMS)._replace(equity=50_000 * CASH + 11),
    )
    assert seen.size == -2
    none = survey(draft, ANN, header, 9, START_MS)
    assert (none.bit, none.position, none.size) == (-1, None, 0)
    assert none.others == totals(draft, ANN, header, START_MS)


def test_finding_a_position() -> None:
    scene = scene_of([(3, 5, 1000, 0), (15, -2, 500, 9)])
    draft, header = draft_of(scene.state), scene.header(ANN)
    assert find_position(draft, ANN, header, 0) == (3, 5)
    assert find_position(draft, ANN, header, 1) == (15, -2)
    assert find_position(draft, ANN, header, 2) == (-1, 0)


@pytest.mark.parametrize("stale", [0, 1])
def test_one_stale_price_is_enough(stale: int) -> None:
    scene = scene_of([(3, 5, 1000, 0), (7, -2, 500, 9)])
    scene.set_prices(stale, valid_until_ms=START_MS)
    draft, header = draft_of(scene.state), scene.header(ANN)
    for market in (-1, 0, 1):
        with pytest.raises(Rejected) as caught:
            survey(draft, ANN, header, market, START_MS)
        assert caught.value.reason is RejectReason.PRICE_STALE
    assert totals(draft, ANN, header, START_MS - 1).gross == 60_000


class TestHealth:
    """Exactly one of four, at each border."""

    @pytest.mark.parametrize(
        ("equity", "health"),
        [
            (101, Health.HEALTHY),
            (100, Health.HEALTHY),
            (99, Health.TIGHT),
            (60, Health.TIGHT),
            (59, Health.LIQUIDATABLE),
            (0, Health.LIQUIDATABLE),
            (-1, Health.BANKRUPT),
        ],
    )
    def test_with_positions(self, equity: int, health: Health) -> None:
        sums = Totals(equity, 100, 60, 5, 1000, 1000)
        assert sums.health is health
        assert sums.is_liquidatable == (health in (Health.LIQUIDATABLE, Health.BANKRUPT))

    @pytest.mark.parametrize(
        ("cash", "health"), [(1, Health.HEALTHY), (0, Health.HEALTHY), (-1, Health.BANKRUPT)]
    )
    def test_without_positions(self, cash: int, health: Health) -> None:
        scene = scene_of([], cash)
        found = totals(draft_of(scene.state), ANN, scene.header(ANN), START_MS)
        assert found.health is health

    @given(equity=st.integers(-10, 10), initial=st.integers(0, 9), maintenance=st.integers(0, 9))
    def test_against_its_definition(self, equity: int, initial: int, maintenance: int) -> None:
        sums = Totals(equity, max(initial, maintenance), maintenance, 0, 0, 0)
        expected = (
            Health.HEALTHY if equity >= sums.initial
            else Health.TIGHT if equity >= maintenance
            else Health.LIQUIDATABLE if equity >= 0
            else Health.BANKRUPT
        )  # fmt: skip
        assert sums.health is expected


def sums(equity: int, maintenance: int, initial: int | None = None) -> Totals:
    return Totals(equity, 2 * maintenance if initial is None else initial, maintenance, 0, 0, 0)


class TestMayChange:
    """A fill leaves an account healthy, or only reduces it."""

    def test_a_healthy_account_may_do_anything(self) -> None:
        assert may_change(sums(-5, 10), sums(20, 10), 5, -500)
        assert not may_change(sums(-5, 10), sums(19, 10), 5, -500)

    @pytest.mark.parametrize(
        ("old", "new", "only_reduces"),
        [(5, 4, True), (5, 0, True), (5, 5, True), (5, 6, False), (5, -1, False), (0, 1, False)],
    )
    @pytest.mark.parametrize("sign", [1, -1])
    def test_what_only_reduces(self, old: int, new: int, only_reduces: bool, sign: int) -> None:
        found = may_change(sums(8, 10), sums(8, 10), sign * old, sign * new)
        assert found is only_reduces

    @pytest.mark.parametrize(
        ("before", "after", "may"),
        [
            ((8, 10), (4, 5), True),
            ((8, 10), (3, 5), False),
            ((8, 10), (5, 6), True),
            ((8, 10), (4, 6), False),
            ((8, 10), (9, 11), False),
            ((8, 10), (7, 10), False),
            ((0, 10), (0, 5), True),
            ((0, 10), (-1, 5), False),
        ],
    )
    def test_equity_over_requirement_does_not_fall(
        self, before: tuple[int, int], after: tuple[int, int], may: bool
    ) -> None:
        assert may_change(sums(*before), sums(*after), 5, 4) is may

    def test_a_bankrupt_account_does_not_improve_by_growing(self) -> None:
        """-8 over 20 is better than -8 over 10, and -9 over 20 too: the ratio alone would allow
        both, the size and the equity forbid them.
        """
        before = sums(-8, 10)
        for equity in (-8, -9):
            assert Fraction(equity, 20) > Fraction(-8, 10)
            assert not may_change(before, sums(equity, 20), 5, 10)
            assert not may_change(before, sums(equity, 20), 5, 4)

    def test_a_bankrupt_account_may_shrink_with_its_debt(self) -> None:
        before = sums(-8, 10)
        assert may_change(before, sums(-4, 5), 5, 2)
        # At no loss, but what it owes would be left with half as much behind it.
        assert not may_change(before, sums(-5, 5), 5, 2)
        assert not may_change(before, sums(-8, 5), 5, 2)
        assert may_change(before, sums(0, 0), 5, 0)
        assert not may_change(before, sums(-1, 0), 5, 0)

    def test_closing_everything(self) -> None:
        assert may_change(sums(8, 10), sums(0, 0), 5, 0)
        assert not may_change(sums(8, 10), sums(-1, 0), 5, 0)


def test_sums_of_totals() -> None:
    left, right = Totals(1, 2, 3, 4, 5, -6), Totals(10, 20, 30, 40, 50, 60)
    assert left.plus(right) == Totals(11, 22, 33, 44, 55, 54)


def test_mark_equal_to_cost_is_worth_nothing_but_margin() -> None:
    """A long that just paid mark * q * 10^12 - F for each lot has lost and gained nothing."""
    for index in (0, 5, -(2**40)):
        prices = PRICES._replace(funding_index=index)
        paid = 7 * (1000 * 10 * CASH - index)
        assert position_totals(7, prices, TERMS).equity == paid
        assert position_totals(-7, prices, TERMS).equity == -paid
