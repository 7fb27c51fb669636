"""Deleveraging: only the bankrupt, only without insurance, and the top of the other side first."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.deleveraging import Rank, outranks, rank
from circuits.exchange.errors import RejectReason
from circuits.exchange.state import State
from circuits.exchange.steps import TakenOver
from circuits.exchange.transactions.auto_deleverage import AutoDeleverage
from circuits.exchange.transactions.take_over import TakeOver
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    OTHER,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    holding,
    refused,
    require_balance,
    size_of,
    sums,
)
from tests.support.listed import (
    ALICE,
    BOB,
    INSURANCE,
    MARKET,
    account_of,
    played,
    steps_of,
    with_account,
    with_prices,
)

DEBT = 3_000 * UNIT


def against(counterparty: int) -> AutoDeleverage:
    return AutoDeleverage(ALICE, MARKET, counterparty)


def bankrupt(sign: int = 1, equity: int = -DEBT) -> State:
    """Alice owes and nobody insures; Carol, Dave and Eve have the other side, in that order of
    profit times leverage: 60,000 at 3, 20,000 at 3 and 20,000 at 1.5.
    """
    state = holding(exchange(), ALICE, equity, size=100 * sign)
    state = with_account(state, INSURANCE, cash=0)
    state = holding(state, CAROL, 50_000 * UNIT, entry=1000 + 400 * sign, size=-50 * sign)
    state = holding(state, DAVE, 25_000 * UNIT, entry=1000 + 267 * sign, size=-25 * sign)
    return holding(state, EVE, 50_000 * UNIT, entry=1000 + 267 * sign, size=-25 * sign)


@given(
    st.tuples(st.integers(-(2**63), 2**63), st.integers(1, 2**111 - 1)),
    st.tuples(st.integers(-(2**63), 2**63), st.integers(1, 2**111 - 1)),
)
def test_ranks_compare_as_fractions_do(first: tuple[int, int], second: tuple[int, int]) -> None:
    expected = Fraction(*first) > Fraction(*second)
    assert outranks(Rank(*first), Rank(*second)) is expected


def test_a_rank_is_profit_times_leverage() -> None:
    assert rank(-50, -50 * 1400 * 3, 1000, 3, 7) == Rank(60_000 * 150_000, 7)
    assert rank(50, 50 * 1400 * 3, 1000, 3, 7) == Rank(-60_000 * 150_000, 7)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_top_of_the_other_side_takes_its_part_and_then_the_next(sign: int) -> None:
    state = bankrupt(sign)
    price = 1000 + 10 * sign
    for counterparty, lots in ((CAROL, 50), (DAVE, 25), (EVE, 25)):
        for other in {CAROL, DAVE, EVE} - {counterparty}:
            if size_of(state, other):
                assert refused(state, against(other)) is RejectReason.NOT_TOP_RANKED
        before = sums(state, counterparty).equity
        receipt = done(state, against(counterparty))
        assert steps_of(receipt) == (TakenOver(MARKET, ALICE, counterparty, price, lots),)
        state = receipt.state
        assert before - sums(state, counterparty).equity == 10 * 3 * lots * UNIT
        assert size_of(state, counterparty) == 0
    assert (size_of(state, ALICE), cash_of(state, ALICE)) == (0, 0)


def test_a_part_leaves_the_larger_counterparty_with_the_rest() -> None:
    state = with_account(exchange(), INSURANCE, cash=0)
    state = holding(state, ALICE, -DEBT, size=40)
    state = holding(state, CAROL, 10**6 * UNIT, size=-100)
    state = holding(state, BOB, 10**6 * UNIT, size=60)
    state = done(state, against(CAROL)).state
    assert (size_of(state, ALICE), size_of(state, CAROL)) == (0, -60)


def test_equals_may_both_be_chosen() -> None:
    state = with_account(exchange(), INSURANCE, cash=0)
    state = holding(state, ALICE, -DEBT, size=100)
    for account in (CAROL, DAVE):
        state = holding(state, account, 10**5 * UNIT, entry=1100, size=-50)
    for account in (CAROL, DAVE):
        done(state, against(account))


def test_nobody_else_is_touched() -> None:
    state = bankrupt()
    state = holding(state, BOB, 10**5 * UNIT, other=10)
    state = holding(state, VAULT, 10**5 * UNIT, other=-10)
    after = done(state, against(CAROL)).state
    for account in (BOB, VAULT, DAVE, EVE, INSURANCE):
        assert account_of(after, account) == account_of(state, account)
    for account in (BOB, VAULT):
        assert refused(state, against(account)) is RejectReason.NO_POSITION


@given(
    equities=st.lists(st.integers(-10, 40), min_size=3, max_size=3),
    entries=st.lists(st.integers(800, 1300), min_size=3, max_size=3),
    debt=st.integers(1, 30),
)
@settings(max_examples=60, deadline=None)
def test_exactly_the_best_of_those_who_can_bear_it_is_taken(
    equities: list[int], entries: list[int], debt: int
) -> None:
    """Against a second way to say it: a list of fractions, sorted."""
    accounts, lots = (CAROL, DAVE, EVE), (50, 25, 25)
    state = with_account(exchange(), INSURANCE, cash=0)
    state = holding(state, ALICE, -debt * 1_000 * UNIT, size=100)
    price = 1000 + -(-debt * 1000 // 300)
    scores = {}
    for account, size, equity, entry in zip(accounts, lots, equities, entries, strict=True):
        state = holding(state, account, equity * 1_000 * UNIT, entry=entry, size=-size)
        if equity > 0 and equity * 1_000 >= (price - 1000) * 3 * size:
            scores[account] = Fraction((entry - 1000) * size * size, equity)
    taken = {account for account in accounts if is_taken(state, account)}
    best = max(scores.values(), default=None)
    assert taken == {account for account, score in scores.items() if score == best}


def is_taken(state: State, account: int) -> bool:
    receipt = played(state, against(account), state.time_ms)
    if receipt.rejected is None:
        require_balance(state, receipt.state)
        return True
    passed_over = (RejectReason.NOT_TOP_RANKED, RejectReason.COUNTERPARTY_MARGIN)
    assert receipt.rejected.reason in passed_over
    return False


def test_the_solvent_are_not_deleveraged() -> None:
    assert refused(bankrupt(equity=0), against(CAROL)) is RejectReason.NOT_BANKRUPT
    done(bankrupt(equity=-1), against(CAROL))


def test_the_insurance_comes_first_as_far_as_it_can() -> None:
    """50 lots at 1010 cost 1,500 and need 7,500 of initial margin."""
    state = with_account(bankrupt(), INSURANCE, cash=9_000 * UNIT)
    assert refused(state, against(CAROL)) is RejectReason.BACKSTOP_AVAILABLE
    done(with_account(state, INSURANCE, cash=9_000 * UNIT - 1), against(CAROL))
    state = done(state, TakeOver(ALICE, MARKET, 50, INSURANCE)).state
    state = done(state, against(CAROL)).state
    assert (size_of(state, ALICE), size_of(state, INSURANCE)) == (0, 50)


def test_a_bankrupt_insurance_is_deleveraged_itself() -> None:
    state = holding(exchange(), INSURANCE, -DEBT, size=100)
    state = holding(state, CAROL, 10**5 * UNIT, size=-100)
    state = done(state, AutoDeleverage(INSURANCE, MARKET, CAROL)).state
    assert cash_of(state, INSURANCE) == 0


def test_who_is_no_counterparty() -> None:
    state = bankrupt()
    for account in (BOB, 99, 0, ALICE):
        assert refused(state, against(account)) is RejectReason.NO_POSITION
    same_side = holding(state, BOB, 10**5 * UNIT, size=10)
    assert refused(same_side, against(BOB)) is RejectReason.NO_POSITION


def test_backstops_are_never_deleveraged() -> None:
    state = with_account(exchange(), INSURANCE, cash=0)
    state = holding(state, ALICE, -DEBT, size=100)
    state = holding(state, VAULT, 10**5 * UNIT, entry=1300, size=-40)
    state = holding(state, INSURANCE, -UNIT, entry=1300, size=-40)
    state = holding(state, CAROL, 10**5 * UNIT, entry=900, size=-20)
    assert refused(state, against(VAULT)) is RejectReason.NOT_TOP_RANKED
    assert refused(state, against(INSURANCE)) is RejectReason.NOT_TOP_RANKED
    done(state, against(CAROL))


def test_an_account_without_equity_is_passed_over() -> None:
    state = bankrupt()
    state = with_account(state, CAROL, cash=cash_of(state, CAROL) - 50_000 * UNIT)
    assert sums(state, CAROL).equity == 0
    assert refused(state, against(CAROL)) is RejectReason.NOT_TOP_RANKED
    done(state, against(DAVE))


@pytest.mark.parametrize("sign", [1, -1])
def test_an_account_that_cannot_bear_its_part_is_passed_over(sign: int) -> None:
    """50 lots ten ticks off cost 1,500: with a cash unit less it would shield all behind it."""
    state = bankrupt(sign)
    rest = cash_of(state, CAROL) - 50_000 * UNIT
    done(with_account(state, CAROL, cash=rest + 1_500 * UNIT), against(CAROL))
    state = with_account(state, CAROL, cash=rest + 1_500 * UNIT - 1)
    assert refused(state, against(CAROL)) is RejectReason.COUNTERPARTY_MARGIN
    done(state, against(DAVE))


def test_an_account_that_cannot_be_valued_is_passed_over() -> None:
    """Else one lot in a market without a price would hold up the whole side."""
    state = holding(bankrupt(), CAROL, 10**9 * UNIT, other=1)
    state = holding(state, BOB, 10**9 * UNIT, other=-1)
    stale = with_prices(state, OTHER, valid_until_ms=state.time_ms)
    assert refused(stale, against(CAROL)) is RejectReason.NOT_TOP_RANKED
    done(stale, against(DAVE))
