"""Takeover: when a backstop may take a position, at the zero price, and with what margin."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import FEE_TERMS_ADDRESS
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import Side
from circuits.exchange.limits import CASH_OFFSET
from circuits.exchange.steps import TakenOver
from circuits.exchange.transactions.take_over import TakeOver
from tests.support.distress import (
    CAROL,
    DAVE,
    OTHER,
    UNIT,
    VAULT,
    cash_of,
    done,
    exchange,
    facing,
    holding,
    placed,
    refused,
    size_of,
    sums,
    with_vault_terms,
)
from tests.support.listed import (
    ALICE,
    BOB,
    FEES,
    INSURANCE,
    MARKET,
    account_of,
    book_of,
    played,
    steps_of,
    with_account,
    with_book,
    with_leaves,
)

WEAK = 8_000 * UNIT
by_insurance = TakeOver(ALICE, MARKET, 100, INSURANCE)
by_vault = TakeOver(ALICE, MARKET, 100, VAULT)


@pytest.mark.parametrize(("size", "price"), [(100, 974), (-100, 1026)])
def test_the_insurance_takes_a_position_at_the_zero_price(size: int, price: int) -> None:
    state = facing(ALICE, WEAK, size=size)
    insured = cash_of(state, INSURANCE)
    receipt = done(state, by_insurance)
    assert steps_of(receipt) == (TakenOver(MARKET, ALICE, INSURANCE, price, 100),)
    after = receipt.state
    assert (size_of(after, ALICE), size_of(after, INSURANCE)) == (0, size)
    # The account keeps 26 of the 26.67 ticks that its equity was worth: nothing is left but 200.
    assert cash_of(after, ALICE) == 200 * UNIT
    assert sums(after, INSURANCE).equity == insured + 7_800 * UNIT


def test_a_part_leaves_the_rest_as_well_covered_as_before() -> None:
    state = facing(ALICE, WEAK)
    before = sums(state, ALICE)
    state = done(state, TakeOver(ALICE, MARKET, 33, INSURANCE)).state
    after = sums(state, ALICE)
    assert (size_of(state, ALICE), size_of(state, INSURANCE)) == (67, 33)
    assert after.equity * before.maintenance >= before.equity * after.maintenance
    done(state, TakeOver(ALICE, MARKET, 67, INSURANCE))


def test_a_backstop_on_the_other_side_gets_rid_of_its_own() -> None:
    state = facing(ALICE, WEAK, other=INSURANCE)
    state = done(state, by_insurance).state
    assert (size_of(state, INSURANCE), book_of(state).open_interest) == (0, 0)


def test_a_takeover_is_no_trade_in_the_market() -> None:
    """Else a zero price far from the mark could fire the triggers of others."""
    state = with_book(facing(ALICE, WEAK), last_trade=1001)
    assert book_of(done(state, by_insurance).state).last_trade == 1001


def test_only_the_insurance_and_the_liquidity_vault_take_over() -> None:
    state = facing(ALICE, WEAK)
    for backstop in (0, ALICE, BOB, CAROL, 99):
        command = TakeOver(ALICE, MARKET, 100, backstop)
        assert refused(state, command) is RejectReason.NOT_BACKSTOP
    itself = facing(INSURANCE, WEAK)
    command = TakeOver(INSURANCE, MARKET, 100, INSURANCE)
    assert refused(itself, command) is RejectReason.NOT_BACKSTOP
    without = with_leaves(state, {FEE_TERMS_ADDRESS: FEES})
    assert refused(without, by_vault) is RejectReason.NOT_BACKSTOP
    assert refused(without, TakeOver(ALICE, MARKET, 100, 0)) is RejectReason.NOT_BACKSTOP


def test_one_backstop_may_be_taken_over_by_the_other() -> None:
    state = done(facing(VAULT, WEAK), TakeOver(VAULT, MARKET, 100, INSURANCE)).state
    assert size_of(state, INSURANCE) == 100


def test_it_is_early_while_the_book_can_fill() -> None:
    state = facing(ALICE, WEAK)
    late = placed(state, DAVE, Side.BID, 973, 1)
    done(late, by_insurance)
    early = placed(state, DAVE, Side.BID, 974, 1)
    assert refused(early, by_insurance) is RejectReason.TAKEOVER_EARLY
    short = placed(facing(ALICE, WEAK, size=-100), DAVE, Side.ASK, 1026, 1)
    assert refused(short, by_insurance) is RejectReason.TAKEOVER_EARLY


@pytest.mark.parametrize("equity", [5_400 * UNIT, 5_400 * UNIT - 1])
def test_below_the_close_out_fraction_the_book_does_not_matter(equity: int) -> None:
    state = placed(facing(ALICE, equity), DAVE, Side.BID, 999, 1)
    if equity * 10 == 9_000 * UNIT * 6:
        assert refused(state, by_insurance) is RejectReason.TAKEOVER_EARLY
    else:
        done(state, by_insurance)


def test_the_insurance_needs_the_initial_margin() -> None:
    state = facing(ALICE, WEAK)
    needed = (15_000 - 7_800) * UNIT
    done(with_account(state, INSURANCE, cash=needed), by_insurance)
    poor = with_account(state, INSURANCE, cash=needed - 1)
    assert refused(poor, by_insurance) is RejectReason.BACKSTOP_MARGIN


def test_the_vault_takes_what_its_caps_allow() -> None:
    state = facing(ALICE, WEAK)
    needed = 150_000 * UNIT - 7_800 * UNIT
    assert refused(state, by_vault) is RejectReason.BACKSTOP_MARGIN
    poor = with_account(state, VAULT, cash=needed - 1)
    assert refused(poor, by_vault) is RejectReason.BACKSTOP_MARGIN
    able = with_account(state, VAULT, cash=needed)
    assert size_of(done(able, by_vault).state, VAULT) == 100
    for cap in ("exposure_cap", "skew_cap"):
        done(with_vault_terms(able, **{cap: 300_000}), by_vault)
        tight = with_vault_terms(able, **{cap: 299_999})
        assert refused(tight, by_vault) is RejectReason.BACKSTOP_MARGIN
        done(with_vault_terms(able, **{cap: 299_999}), TakeOver(ALICE, MARKET, 99, VAULT))


def test_a_bankrupt_position_is_taken_beyond_the_mark_and_its_debt_with_it() -> None:
    state = facing(ALICE, -3_001 * UNIT)
    insured = cash_of(state, INSURANCE)
    receipt = done(state, by_insurance)
    # 3,001 are 10.003 ticks of 100 lots; a whole tick more leaves the account 299.
    assert steps_of(receipt) == (TakenOver(MARKET, ALICE, INSURANCE, 1011, 100),)
    assert cash_of(receipt.state, ALICE) == 299 * UNIT
    assert sums(receipt.state, INSURANCE).equity == insured - 3_300 * UNIT


@given(equity=st.integers(-200_000, 8_999), is_long=st.booleans(), other=st.integers(-50, 50))
@settings(max_examples=60, deadline=None)
def test_taking_all_over_never_leaves_a_debt(equity: int, is_long: bool, other: int) -> None:
    """However bankrupt: the equity that is left is less than a tick of all lots."""
    size = 100 if is_long else -100
    state = holding(exchange(), ALICE, equity * UNIT, size=size, other=other)
    state = holding(state, CAROL, 10**7 * UNIT, size=-size, other=-other)
    whole = cash_of(state, INSURANCE) + sums(state, ALICE).equity
    state = done(state, by_insurance).state
    # What rounding leaves may be enough for the rest, if that is small.
    if sums(state, ALICE).is_liquidatable:
        state = done(state, TakeOver(ALICE, OTHER, abs(other), INSURANCE)).state
        assert account_of(state, ALICE).positions == 0
    left = sums(state, ALICE).equity
    if equity < 0 or not account_of(state, ALICE).positions:
        assert 0 <= left <= max((100 + abs(other)) * 3, 0) * UNIT
    assert sums(state, INSURANCE).equity + left == whole


def test_an_account_does_not_get_more_cash_than_a_leaf_can_hold() -> None:
    state = with_account(facing(ALICE, WEAK), CAROL, cash=0)
    command = TakeOver(ALICE, MARKET, 100, INSURANCE)
    full = with_account(state, INSURANCE, cash=-CASH_OFFSET + 1)
    receipt = played(full, command, full.time_ms)
    assert receipt.rejected is not None
    assert receipt.rejected.reason is RejectReason.BACKSTOP_MARGIN
