"""A withdrawal asked for on L1: never refused, paid whenever the margin rule allows it."""

from __future__ import annotations

import pytest

from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import NO_KEY, Mode
from circuits.exchange.steps import PaidOut
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.exchange import owner_of
from tests.support.market import (
    ANN,
    BOB,
    FEE,
    INSURANCE,
    LATER_MS,
    LP_VAULT,
    START_MS,
    TRADER_UNITS,
    Scene,
)

LOTS, NOTIONAL = 100, 1_000_000
FREE = TRADER_UNITS - NOTIONAL * 500 // 10**6


def forced(amount: int, account: int = ANN) -> ForcedWithdraw:
    return ForcedWithdraw(account, owner_of(account), amount)


def refused(scene: Scene, body: ForcedWithdraw) -> Outcome | None:
    """The outcome of a request that must change nothing but the clock."""
    before = scene.state
    outcome = scene.outcome(body)
    assert scene.state.leaves == before.leaves
    assert scene.state.custody == before.custody
    return outcome


def test_paid_to_the_owner() -> None:
    scene = Scene()
    custody = scene.state.custody
    assert scene.do(forced(700)) == (PaidOut(ANN, owner_of(ANN), 700),)
    assert scene.cash(ANN) == (TRADER_UNITS - 700) * CASH_PER_UNIT
    assert scene.state.custody == custody - 700


def test_no_key_and_no_nonce_are_needed() -> None:
    scene = Scene()
    scene.set_header(ANN, key=NO_KEY)
    before = scene.header(ANN)
    assert scene.outcome(forced(TRADER_UNITS)) is Outcome.APPLIED
    assert scene.header(ANN) == before._replace(cash=0)


@pytest.mark.parametrize(("mode", "percent"), [(0, 6), (1, 10), (2, 6)])
def test_in_every_mode_to_exactly_the_requirement(mode: Mode, percent: int) -> None:
    scene = Scene()
    scene.trade(ANN, BOB, LOTS)
    scene.set_controls(mode=mode)
    free = FREE - NOTIONAL * percent // 100
    assert refused(scene, forced(free + 1)) is Outcome.INSUFFICIENT_MARGIN
    assert scene.outcome(forced(free)) is Outcome.APPLIED
    assert refused(scene, forced(1)) is Outcome.INSUFFICIENT_MARGIN


def test_a_stale_price() -> None:
    scene = Scene()
    scene.trade(ANN, BOB, LOTS)
    scene.time_ms = START_MS + LATER_MS
    assert refused(scene, forced(1)) is Outcome.PRICE_STALE
    scene.time_ms += 10**9  # funding is due, and an account without positions need not wait
    assert scene.outcome(forced(1, FEE)) is Outcome.APPLIED


@pytest.mark.parametrize("account", [LP_VAULT, INSURANCE])
def test_cash_of_many(account: int) -> None:
    scene = Scene()
    assert refused(scene, forced(1, account)) is Outcome.ACCOUNT_KIND
    assert refused(scene, forced(0, account)) is Outcome.ACCOUNT_KIND


def test_amounts() -> None:
    scene = Scene()
    assert refused(scene, forced(0)) is Outcome.AMOUNT_ZERO
    assert refused(scene, forced(TRADER_UNITS + 1)) is Outcome.INSUFFICIENT_MARGIN
    assert refused(scene, forced(2**64 - 1)) is Outcome.INSUFFICIENT_MARGIN
    assert scene.outcome(forced(TRADER_UNITS)) is Outcome.APPLIED


def test_an_account_that_was_never_opened() -> None:
    assert refused(Scene(), forced(1, 999)) is Outcome.UNKNOWN_ACCOUNT
    assert refused(Scene(), forced(0, 999)) is Outcome.UNKNOWN_ACCOUNT


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ForcedWithdraw(ANN, owner_of(BOB), 1), "owner of account 11: expected "),
        (ForcedWithdraw(0, owner_of(ANN), 1), "account: expected 1..16777215, got 0"),
        (forced(2**64), f"withdrawal amount: expected 0..{2**64 - 1}, got {2**64}"),
        (forced(-1), f"withdrawal amount: expected 0..{2**64 - 1}, got -1"),
    ],
)
def test_requests_that_the_contracts_cannot_have_queued(body: ForcedWithdraw, message: str) -> None:
    with pytest.raises(QueueGuaranteeBroken) as caught:
        Scene().run(body)
    assert str(caught.value).startswith(message)
