"""Sub-accounts: whose they are, which ids they have, and what may move between them."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import NO_KEY, Account, AccountKind, Mode
from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.units import CASH_PER_UNIT
from tests.support.exchange import account_key_of, owner_of
from tests.support.market import (
    ANN,
    BOB,
    LATER_MS,
    START_MS,
    TRADER_UNITS,
    Scene,
    signed,
)

SUB = 2**23
TO_SUB, FROM_SUB = 0, 1
EXPIRY_MS = START_MS + LATER_MS + 60_000


def moving(amount: int, direction: int = TO_SUB, **changes: Any) -> Any:
    values = {
        "account": ANN, "nonce": 1, "expiry_ms": EXPIRY_MS, "sub": SUB, "direction": direction,
        "amount": amount,
    } | changes  # fmt: skip
    return signed(AdjustIsolated(**values))


def isolated(amount: int = 1000) -> Scene:
    """Ann has a sub-account with some of her collateral; the next nonces are 2 and 1."""
    scene = Scene()
    scene.do(moving(amount, nonce=scene.nonce(ANN)))
    return scene


class TestOpening:
    """The first move opens the sub-account."""

    def test_owner_and_key_are_those_of_its_own(self) -> None:
        scene = isolated(1000)
        assert scene.header(SUB) == Account(
            owner_of(ANN), account_key_of(ANN), cash=1000 * CASH_PER_UNIT
        )
        assert scene.cash(ANN) == (TRADER_UNITS - 1000) * CASH_PER_UNIT
        assert scene.header(ANN).nonce == 1

    @pytest.mark.parametrize(
        ("sub", "expected"),
        [
            (0, RejectReason.UNKNOWN_RECIPIENT),
            (9, RejectReason.UNKNOWN_RECIPIENT),
            (2**23 - 1, RejectReason.UNKNOWN_RECIPIENT),
            (2**23, None),
            (2**24 - 1, None),
            (2**24, RejectReason.FIELD_OUT_OF_RANGE),
        ],
    )
    def test_the_range_of_ids(self, sub: int, expected: RejectReason | None) -> None:
        assert Scene().reason(moving(5, sub=sub)) is expected

    def test_nothing_is_taken_from_an_account_that_does_not_exist(self) -> None:
        assert Scene().reason(moving(5, FROM_SUB)) is RejectReason.UNKNOWN_RECIPIENT

    def test_one_that_its_own_account_cannot_pay_is_not_opened(self) -> None:
        scene = Scene()
        found = scene.reason(moving(TRADER_UNITS + 1))
        assert found is RejectReason.INSUFFICIENT_MARGIN
        assert scene.state.accounts.get(SUB) is None
        assert scene.reason(moving(TRADER_UNITS)) is None

    def test_a_sub_account_opens_another(self) -> None:
        scene = isolated()
        scene.do(moving(400, account=SUB, sub=SUB + 5))
        assert scene.header(SUB + 5).owner == owner_of(ANN)
        assert scene.cash(SUB) == 600 * CASH_PER_UNIT


class TestMoving:
    """Both ways, under the margin rule of whoever pays."""

    def test_back(self) -> None:
        scene = isolated(1000)
        scene.do(moving(999, FROM_SUB, nonce=2))
        assert scene.cash(SUB) == CASH_PER_UNIT
        assert scene.cash(ANN) == (TRADER_UNITS - 1) * CASH_PER_UNIT
        assert (scene.header(ANN).nonce, scene.header(SUB).nonce) == (2, 0)

    def test_no_more_than_there_is(self) -> None:
        scene = isolated(1000)
        found = scene.reason(moving(1001, FROM_SUB, nonce=2))
        assert found is RejectReason.INSUFFICIENT_MARGIN
        assert scene.reason(moving(1000, FROM_SUB, nonce=2)) is None

    def test_the_sub_account_signs_for_itself(self) -> None:
        scene = isolated(1000)
        scene.do(moving(10, sub=ANN, account=SUB))
        assert scene.cash(SUB) == 990 * CASH_PER_UNIT
        assert scene.header(SUB).nonce == 1

    def test_the_payer_keeps_its_margin(self) -> None:
        """Ten lots at 10,000 need 5% and a buffer of 1%; buying them cost 0.05% in fees."""
        for payer, direction in ((ANN, TO_SUB), (SUB, FROM_SUB)):
            scene = isolated(TRADER_UNITS // 2)
            scene.trade(payer, BOB, 10)
            fee = 100_000 * 500 // 10**6
            free = TRADER_UNITS // 2 - fee - 6_000
            nonce = scene.header(ANN).nonce + 1
            found = scene.reason(moving(free + 1, direction, nonce=nonce))
            assert found is RejectReason.INSUFFICIENT_MARGIN
            assert scene.reason(moving(free, direction, nonce=nonce)) is None

    def test_a_stale_price_stops_the_payer_alone(self) -> None:
        scene = isolated(TRADER_UNITS // 2)
        scene.trade(SUB, BOB, 10)
        scene.time_ms = START_MS + LATER_MS
        assert scene.reason(moving(1, FROM_SUB, nonce=2)) is RejectReason.PRICE_STALE
        assert scene.reason(moving(1, TO_SUB, nonce=2)) is None

    def test_a_balance_that_no_leaf_can_hold(self) -> None:
        scene = isolated(1000)
        scene.check = False
        scene.set_header(SUB, cash=2**111 - 1 - 5 * CASH_PER_UNIT)
        assert scene.reason(moving(5, nonce=2)) is None
        scene.set_header(SUB, cash=2**111 - 5 * CASH_PER_UNIT)
        assert scene.reason(moving(5, nonce=3)) is RejectReason.CASH_OUT_OF_BOUNDS
        scene.set_header(ANN, cash=2**111 - 5 * CASH_PER_UNIT)
        assert scene.reason(moving(5, FROM_SUB, nonce=3)) is RejectReason.CASH_OUT_OF_BOUNDS


class TestRefusals:
    """Each by its name, in the order in which they stand."""

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"account": 9}, RejectReason.UNKNOWN_ACCOUNT),
            ({"expiry_ms": START_MS - 1}, RejectReason.EXPIRED),
            ({"nonce": 1}, RejectReason.NONCE_NOT_INCREASING),
            ({"amount": 0}, RejectReason.AMOUNT_ZERO),
            ({"amount": 2**64}, RejectReason.FIELD_OUT_OF_RANGE),
            ({"direction": 2}, RejectReason.BAD_ENUM),
            ({"direction": 256}, RejectReason.FIELD_OUT_OF_RANGE),
            ({"sub": ANN}, RejectReason.TRANSFER_TO_SELF),
            ({"sub": BOB}, RejectReason.OWNER_DIFFERS),
            ({"sub": BOB, "direction": FROM_SUB}, RejectReason.OWNER_DIFFERS),
        ],
        ids=str,
    )
    def test_fields(self, changes: dict[str, int], expected: RejectReason) -> None:
        assert isolated().reason(moving(**{"amount": 5, "nonce": 2, **changes})) is expected

    def test_modes(self) -> None:
        scene = isolated()
        scene.set_controls(mode=Mode.FROZEN)
        assert scene.reason(moving(5, nonce=2)) is RejectReason.MODE_FORBIDS
        scene.set_controls(mode=Mode.CONSERVATIVE)
        assert scene.reason(moving(5, nonce=2)) is None

    @pytest.mark.parametrize("kind", [AccountKind.VAULT, AccountKind.INSURANCE, AccountKind.FEE])
    @pytest.mark.parametrize("account", [ANN, SUB])
    def test_kinds(self, kind: AccountKind, account: int) -> None:
        scene = isolated()
        scene.set_header(account, kind=kind)
        for direction in (TO_SUB, FROM_SUB):
            found = scene.reason(moving(5, direction, nonce=2))
            assert found is RejectReason.ACCOUNT_KIND

    def test_precedence(self) -> None:
        scene = isolated()
        scene.set_controls(mode=Mode.FROZEN)
        scene.set_header(SUB, kind=AccountKind.VAULT)
        bad = {"nonce": 2, "direction": 2}
        assert scene.reason(moving(0, **bad)) is RejectReason.MODE_FORBIDS
        scene.set_controls(mode=Mode.NORMAL)
        assert scene.reason(moving(0, **bad)) is RejectReason.ACCOUNT_KIND
        scene.set_header(SUB, kind=AccountKind.USER)
        assert scene.reason(moving(0, **bad)) is RejectReason.AMOUNT_ZERO
        assert scene.reason(moving(5, sub=ANN, **bad)) is RejectReason.BAD_ENUM


class TestReplacedKeys:
    """A key that its owner replaced on L1 may live on in a sub-account, but reaches no further."""

    def replaced(self) -> Scene:
        scene = isolated(1000)
        scene.set_header(ANN, key=account_key_of(77))
        return scene

    def test_the_new_key_takes_everything_back(self) -> None:
        assert self.replaced().reason(moving(1000, FROM_SUB, nonce=2)) is None

    def test_the_old_key_takes_nothing_from_the_main_account(self) -> None:
        body = moving(1, FROM_SUB, account=SUB, sub=ANN)
        assert self.replaced().reason(body) is RejectReason.OWNER_DIFFERS
        assert isolated(1000).reason(body) is None

    def test_nor_from_a_sub_account_that_the_new_one_opened(self) -> None:
        scene = self.replaced()
        scene.do(moving(10, sub=SUB + 1, nonce=2))
        body = moving(1, FROM_SUB, account=SUB, sub=SUB + 1)
        assert scene.reason(body) is RejectReason.OWNER_DIFFERS
        assert scene.reason(moving(1, TO_SUB, account=SUB, sub=SUB + 1)) is None

    def test_two_main_accounts_of_one_owner_with_keys_of_their_own(self) -> None:
        scene = Scene()
        scene.set_header(BOB, owner=owner_of(ANN))
        assert scene.reason(moving(5, FROM_SUB, sub=BOB)) is RejectReason.OWNER_DIFFERS
        assert scene.reason(moving(5, TO_SUB, sub=BOB)) is None
        scene.set_header(BOB, key=account_key_of(ANN))
        assert scene.reason(moving(5, FROM_SUB, sub=BOB, nonce=2)) is None

    def test_an_account_without_a_key_is_no_exception(self) -> None:
        scene = Scene()
        scene.set_header(BOB, owner=owner_of(ANN), key=NO_KEY)
        assert scene.reason(moving(5, FROM_SUB, sub=BOB)) is RejectReason.OWNER_DIFFERS
