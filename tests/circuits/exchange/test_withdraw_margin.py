"""Withdrawals and transfers of accounts with positions: to exactly the requirement, no further."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from circuits.exchange.bodies import Signed
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import AccountKind, Mode
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.exchange import owner_of
from tests.support.market import (
    ANN,
    BOB,
    CAT,
    FEE,
    INSURANCE,
    LATER_MS,
    LP_VAULT,
    MARK,
    START_MS,
    TRADER_UNITS,
    Scene,
    signed,
)

LOTS = 100
NOTIONAL = LOTS * 10_000
FEE_UNITS = NOTIONAL * 500 // 10**6
EXPIRY_MS = 2**48 - 1
NORMAL_NEED = NOTIONAL * 6 // 100
CONSERVATIVE_NEED = NOTIONAL * 10 // 100
"""Maintenance 5% and buffer 1%, or initial 10%, of the notional at the mark."""


def long_scene(*, market_count: int = 1) -> Scene:
    """Ann bought 100 lots at the mark from Bob, and paid the taker's fee."""
    scene = Scene(market_count=market_count)
    scene.trade(ANN, BOB, LOTS)
    return scene


def withdrawing(scene: Scene, amount: int, account: int = ANN) -> Signed:
    return signed(Withdraw(account, scene.nonce(account), EXPIRY_MS, amount))


def transferring(scene: Scene, amount: int, account: int = ANN) -> Signed:
    return signed(Transfer(account, scene.nonce(account), EXPIRY_MS, CAT, amount))


FREE = TRADER_UNITS - FEE_UNITS


@pytest.mark.parametrize("command", [withdrawing, transferring])
@pytest.mark.parametrize(
    ("mode", "need"), [(Mode.NORMAL, NORMAL_NEED), (Mode.CONSERVATIVE, CONSERVATIVE_NEED)]
)
@pytest.mark.parametrize("payer", [ANN, BOB])
class TestRequirement:
    """Exactly what is required may stay; one unit less may not."""

    def free(self, payer: int, need: int) -> int:
        # The maker paid two fifths of the taker's fee.
        return TRADER_UNITS - (FEE_UNITS if payer == ANN else FEE_UNITS * 2 // 5) - need

    def test_at_the_mark_it_traded_at(
        self, command: Any, mode: Mode, need: int, payer: int
    ) -> None:
        scene = long_scene()
        scene.set_controls(mode=mode)
        free = self.free(payer, need)
        refused = scene.reason(command(scene, free + 1, payer))
        assert refused is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(command(scene, free, payer)) is None
        again = scene.reason(command(scene, 1, payer))
        assert again is RejectReason.INSUFFICIENT_MARGIN

    def test_profit_counts_and_the_requirement_moves_with_the_mark(
        self, command: Any, mode: Mode, need: int, payer: int
    ) -> None:
        """At 1010 a long has gained a hundredth of the notional and a short has lost it."""
        scene = long_scene()
        scene.set_controls(mode=mode)
        scene.set_prices(mark_price=MARK + 10)
        gain = NOTIONAL // 100 if payer == ANN else -NOTIONAL // 100
        free = self.free(payer, need * 101 // 100) + gain
        refused = scene.reason(command(scene, free + 1, payer))
        assert refused is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(command(scene, free, payer)) is None

    def test_funding_counts_to_the_last_cash_unit(
        self, command: Any, mode: Mode, need: int, payer: int
    ) -> None:
        """An index of 1 costs a long one cash unit a lot, so the last token unit has to stay."""
        scene = long_scene()
        scene.set_controls(mode=mode)
        scene.set_prices(funding_index=1 if payer == ANN else -1)
        free = self.free(payer, need)
        refused = scene.reason(command(scene, free, payer))
        assert refused is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(command(scene, free - 1, payer)) is None

    def test_a_stale_price(self, command: Any, mode: Mode, need: int, payer: int) -> None:
        scene = long_scene()
        scene.set_controls(mode=mode)
        scene.time_ms = START_MS + LATER_MS
        assert scene.reason(command(scene, 1, payer)) is RejectReason.PRICE_STALE
        scene.time_ms -= 1
        assert scene.reason(command(scene, 1, payer)) is None


class TestRequirementItself:
    """Which margin it is that has to stay."""

    def test_the_larger_one_in_a_conservative_exchange(self) -> None:
        """Initial margin equal to maintenance and buffer, and one millionth above them."""
        for initial_ppm, need in ((60_000, NORMAL_NEED), (60_001, NORMAL_NEED + 1)):
            scene = long_scene()
            scene.set_terms(initial_ppm=initial_ppm)
            scene.set_controls(mode=Mode.CONSERVATIVE)
            found = scene.reason(withdrawing(scene, FREE - need + 1))
            assert found is RejectReason.INSUFFICIENT_MARGIN
            assert scene.reason(withdrawing(scene, FREE - need)) is None

    def test_no_buffer_as_the_default_is(self) -> None:
        scene = long_scene()
        scene.set_terms(withdraw_buffer_ppm=0)
        free = FREE - NOTIONAL * 5 // 100
        assert scene.reason(withdrawing(scene, free + 1)) is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(withdrawing(scene, free)) is None

    def test_tiers_count(self) -> None:
        """Half of the notional lies in the first tier, another five hundredths."""
        scene = long_scene()
        scene.set_terms(tier_1_notional=NOTIONAL // 2)
        free = FREE - NORMAL_NEED - NOTIONAL // 2 * 5 // 100
        assert scene.reason(withdrawing(scene, free + 1)) is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(withdrawing(scene, free)) is None

    def test_every_market_counts(self) -> None:
        scene = long_scene(market_count=2)
        scene.trade(BOB, ANN, 50, market=1)
        # In the second market Ann was the maker, of half the notional.
        free = FREE - FEE_UNITS // 5 - NORMAL_NEED * 3 // 2
        assert scene.reason(withdrawing(scene, free + 1)) is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(withdrawing(scene, free)) is None

    def test_one_stale_market_of_two(self) -> None:
        scene = long_scene(market_count=2)
        scene.trade(BOB, ANN, 50, market=1)
        scene.set_prices(market=1, valid_until_ms=START_MS)
        assert scene.reason(withdrawing(scene, 1)) is RejectReason.PRICE_STALE
        assert scene.reason(withdrawing(scene, 1, CAT)) is None

    def test_a_price_of_another_market_may_be_stale(self) -> None:
        scene = long_scene(market_count=2)
        scene.set_prices(market=1, valid_until_ms=0)
        assert scene.reason(withdrawing(scene, 1)) is None

    def test_resting_orders_hold_nothing_back(self) -> None:
        """An order that its account can no longer carry leaves when it is reached."""
        scene = Scene()
        scene.rest(ANN, 0, MARK - 10, 1000)
        assert scene.reason(withdrawing(scene, TRADER_UNITS)) is None

    def test_a_bankrupt_account_withdraws_nothing(self) -> None:
        scene = long_scene()
        scene.set_cash(ANN, -LOTS * 10 - 1)
        scene.set_prices(mark_price=1)
        assert scene.reason(withdrawing(scene, 1)) is RejectReason.INSUFFICIENT_MARGIN


class TestKindsAndModes:
    """Who may pay out, and when."""

    @pytest.mark.parametrize("command", [withdrawing, transferring])
    def test_a_frozen_exchange(self, command: Any) -> None:
        scene = Scene()
        scene.set_controls(mode=Mode.FROZEN)
        assert scene.reason(command(scene, 0)) is RejectReason.MODE_FORBIDS

    @pytest.mark.parametrize("command", [withdrawing, transferring])
    @pytest.mark.parametrize(
        ("account", "expected"),
        [
            (LP_VAULT, RejectReason.ACCOUNT_KIND),
            (INSURANCE, RejectReason.ACCOUNT_KIND),
            (FEE, None),
            (ANN, None),
        ],
    )
    def test_cash_of_many(self, command: Any, account: int, expected: RejectReason | None) -> None:
        scene = Scene()
        assert scene.reason(command(scene, 1, account)) is expected
        if expected is not None:
            assert scene.reason(command(scene, 0, account)) is expected

    def test_gifts_to_them_are_allowed(self) -> None:
        scene = Scene()
        body = Transfer(ANN, scene.nonce(ANN), EXPIRY_MS, LP_VAULT, 5)
        scene.do(signed(body))
        assert scene.cash(LP_VAULT) == (TRADER_UNITS + 5) * CASH_PER_UNIT

    def test_a_mode_comes_before_a_kind(self) -> None:
        scene = Scene()
        scene.set_controls(mode=Mode.FROZEN)
        assert scene.reason(withdrawing(scene, 1, LP_VAULT)) is RejectReason.MODE_FORBIDS


class TestCashBounds:
    """A buyer's cash is negative; it may fall to the end of its range and no further."""

    @pytest.mark.parametrize(("spare", "is_allowed"), [(1, True), (0, False), (-1, False)])
    def test_the_payers_cash(self, spare: int, is_allowed: bool) -> None:
        scene = long_scene()
        scene.check = False
        # Funding in its favour makes a long rich although its cash is at the very bottom.
        scene.set_prices(funding_index=-(2**106))
        scene.set_header(ANN, cash=-(2**111) + CASH_PER_UNIT + spare)
        found = scene.reason(withdrawing(scene, 1))
        assert found is (None if is_allowed else RejectReason.CASH_OUT_OF_BOUNDS)


class TestCustody:
    """Equity may be worth more than custody while somebody is bankrupt; custody ends first."""

    def run_dry(self) -> Scene:
        """Bob sold what fell to nothing: his equity is more than all of custody."""
        scene = Scene(trader_count=2, check=False)
        scene.trade(ANN, BOB, LOTS)
        for account in (ANN, FEE, INSURANCE, LP_VAULT):
            scene.set_cash(account, scene.cash(account) // CASH_PER_UNIT - TRADER_UNITS + 1)
        scene.set_cash(BOB, NOTIONAL)
        scene.set_prices(mark_price=1)
        scene.state = replace(scene.state, custody=500)
        return scene

    def test_no_more_than_there_is(self) -> None:
        scene = self.run_dry()
        assert scene.reason(withdrawing(scene, 501, BOB)) is RejectReason.CASH_OUT_OF_BOUNDS
        assert scene.reason(withdrawing(scene, 500, BOB)) is None
        assert scene.state.custody == 0

    def test_nor_by_force(self) -> None:
        scene = self.run_dry()
        body = ForcedWithdraw(BOB, owner_of(BOB), 501)
        outcome = scene.outcome(body)
        assert outcome is not None
        assert outcome.name == "CASH_OUT_OF_BOUNDS"
        assert scene.state.custody == 500

    def test_between_accounts_it_does_not_matter(self) -> None:
        scene = self.run_dry()
        body = Transfer(BOB, scene.nonce(BOB), EXPIRY_MS, ANN, 501)
        assert scene.reason(signed(body)) is None


def test_kinds_are_told_apart_by_their_header() -> None:
    scene = Scene()
    scene.set_header(ANN, kind=AccountKind.VAULT)
    assert scene.reason(withdrawing(scene, 1)) is RejectReason.ACCOUNT_KIND
    assert scene.reason(withdrawing(scene, 1, BOB)) is None
