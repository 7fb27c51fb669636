"""What an account without positions owes, and the insurance that pays it."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import RejectReason
from circuits.exchange.state import State
from circuits.exchange.steps import DeficitCovered
from circuits.exchange.transactions.cover_deficit import CoverDeficit
from tests.support.distress import (
    CAROL,
    OTHER,
    UNIT,
    cash_of,
    done,
    exchange,
    facing,
    frozen,
    holding,
    refused,
)
from tests.support.listed import ALICE, BOB, INSURANCE, steps_of, with_account, with_prices

DEBT = 12_345 * UNIT + 678
cover = CoverDeficit(ALICE)


def owing(insured: int = 10**6 * UNIT) -> State:
    """Alice owes, the insurance has so much cash."""
    state = with_account(exchange(), ALICE, cash=-DEBT)
    return with_account(state, INSURANCE, cash=insured)


def test_a_deficit_becomes_exactly_nothing() -> None:
    receipt = done(owing(), cover)
    assert steps_of(receipt) == (DeficitCovered(ALICE, DEBT),)
    assert cash_of(receipt.state, ALICE) == 0
    assert cash_of(receipt.state, INSURANCE) == 10**6 * UNIT - DEBT
    assert refused(receipt.state, cover) is RejectReason.NO_DEFICIT


@pytest.mark.parametrize("spare", [0, -1])
def test_the_insurance_pays_its_last_cash_unit_and_no_more(spare: int) -> None:
    state = owing(DEBT + spare)
    if spare:
        assert refused(state, cover) is RejectReason.INSURANCE_EMPTY
    else:
        assert cash_of(done(state, cover).state, INSURANCE) == 0


@pytest.mark.parametrize("spare", [0, -1])
def test_the_insurance_keeps_the_margin_of_its_own_positions(spare: int) -> None:
    state = holding(owing(), INSURANCE, 15_000 * UNIT + DEBT + spare, size=-100)
    state = holding(state, CAROL, 10**7 * UNIT, size=100)
    if spare:
        assert refused(state, cover) is RejectReason.INSURANCE_EMPTY
    else:
        done(state, cover)


def test_the_insurance_pays_only_cash_that_it_has() -> None:
    """Long, it has paid for its lots: rich in equity, but not in cash."""
    state = holding(owing(), INSURANCE, 300_000 * UNIT + DEBT - 1, size=100)
    state = holding(state, CAROL, 10**7 * UNIT, size=-100)
    assert refused(state, cover) is RejectReason.INSURANCE_EMPTY


def test_what_is_no_deficit() -> None:
    state = owing()
    assert refused(state, CoverDeficit(BOB)) is RejectReason.NO_DEFICIT
    assert refused(with_account(state, ALICE, cash=0), cover) is RejectReason.NO_DEFICIT
    bankrupt = facing(ALICE, -UNIT)
    assert refused(bankrupt, cover) is RejectReason.NO_DEFICIT
    itself = owing(-1)
    assert refused(itself, CoverDeficit(INSURANCE)) is RejectReason.NO_DEFICIT


def test_what_comes_before() -> None:
    state = owing()
    assert refused(frozen(state), CoverDeficit(99)) is RejectReason.MODE_FORBIDS
    assert refused(state, CoverDeficit(99)) is RejectReason.UNKNOWN_ACCOUNT
    state = holding(state, INSURANCE, 10**6 * UNIT, other=1)
    state = holding(state, CAROL, 10**6 * UNIT, other=-1)
    stale = with_prices(state, OTHER, valid_until_ms=state.time_ms)
    assert refused(stale, cover) is RejectReason.PRICE_STALE
