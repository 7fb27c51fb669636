"""Every rule at, below and above its bound, and which of two broken rules is named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, get_args

import pytest

from circuits.exchange.addresses import CONTROLS_ADDRESS, position_address, prices_address
from circuits.exchange.apply import Command, Receipt, apply_batch, apply_command
from circuits.exchange.bodies import (
    Derived,
    Feed,
    Governed,
    Request,
    Signed,
    SignedTransaction,
)
from circuits.exchange.errors import BatchRefused, Rejected, RejectReason
from circuits.exchange.events import QUEUED_KINDS, SIGNED_KINDS, Executed, Kind, Outcome
from circuits.exchange.leaves import NO_KEY, Account, AccountKind, Controls, Mode, Position
from circuits.exchange.rules import MODULES, RULES
from circuits.exchange.state import State
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.field import R
from circuits.signature import Signature, SignatureReject
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    Events,
    account_key_of,
    applied,
    deposit,
    funded,
    register,
    signed,
    transfer,
    tried,
    withdraw,
)
from tests.support.market import PRICES

UNIT = 10**12
CASH_BOUND = 2**111


@dataclass(frozen=True)
class Scene:
    """A transfer of 5 units from account 1 to account 2 that every rule accepts."""

    state_time_ms: int = 1000
    time_ms: int = 1000
    account: int = 1
    account_exists: bool = True
    has_key: bool = True
    expiry_ms: int = 2000
    nonce: int = 8
    signature_reject: SignatureReject | None = None
    amount: int = 5
    to: int = 2
    recipient_exists: bool = True
    cash: int = 10 * UNIT
    recipient_cash: int = 0
    mode: int = Mode.NORMAL
    kind: int = AccountKind.USER
    has_stale_position: bool = False


def play(scene: Scene, transaction: Transfer | Withdraw | None = None) -> Receipt:
    """Apply the scene's command under a verifier that says what the scene says."""
    state = State(DOMAIN, scene.state_time_ms, custody=2**64 - 1)
    leaves: dict[int, Any] = {CONTROLS_ADDRESS: Controls(scene.mode)}
    if scene.has_stale_position:
        leaves[position_address(1, 0)] = Position(0, 1, 1, 0, 0)
        leaves[prices_address(0)] = PRICES._replace(valid_until_ms=0)
    state = replace(state, leaves=state.leaves.with_changes(leaves))
    if scene.account_exists:
        key = account_key_of(1) if scene.has_key else NO_KEY
        account = Account(11, key, 7, scene.cash, scene.kind, int(scene.has_stale_position))
        state = state.with_account(1, account)
    if scene.recipient_exists:
        state = state.with_account(2, Account(22, NO_KEY, 0, scene.recipient_cash))
    body = transaction or Transfer(
        scene.account, scene.nonce, scene.expiry_ms, scene.to, scene.amount
    )
    return apply_command(
        state,
        Command(scene.time_ms, Signed(body, Signature(1, 2, 3))),
        verify=lambda key, digest, signature: scene.signature_reject,
    )


def reason_of(receipt: Receipt) -> RejectReason | None:
    return None if receipt.rejected is None else receipt.rejected.reason


FAULTS: dict[RejectReason, dict[str, Any]] = {
    RejectReason.TIME_BACKWARDS: {"time_ms": 999},
    RejectReason.TIME_OUT_OF_RANGE: {"time_ms": 2**48},
    RejectReason.UNKNOWN_ACCOUNT: {"account_exists": False},
    RejectReason.NO_KEY: {"has_key": False},
    RejectReason.EXPIRED: {"expiry_ms": 999},
    RejectReason.NONCE_NOT_INCREASING: {"nonce": 7},
    RejectReason.FIELD_OUT_OF_RANGE: {"expiry_ms": 2**48},
    **{RejectReason(reject.value): {"signature_reject": reject} for reject in SignatureReject},
    RejectReason.MODE_FORBIDS: {"mode": Mode.FROZEN},
    RejectReason.ACCOUNT_KIND: {"kind": AccountKind.VAULT},
    RejectReason.AMOUNT_ZERO: {"amount": 0},
    RejectReason.TRANSFER_TO_SELF: {"to": 1},
    RejectReason.UNKNOWN_RECIPIENT: {"recipient_exists": False},
    RejectReason.PRICE_STALE: {"has_stale_position": True},
    RejectReason.INSUFFICIENT_MARGIN: {"cash": 5 * UNIT - 1},
    RejectReason.CASH_OUT_OF_BOUNDS: {"recipient_cash": CASH_BOUND - 5 * UNIT},
}


def test_the_scene_itself_is_accepted() -> None:
    receipt = play(Scene())
    assert receipt.is_accepted
    assert receipt.outcome is Outcome.APPLIED


def test_the_faults_of_a_transfer_are_in_order_of_precedence() -> None:
    assert list(FAULTS) == [reason for reason in RejectReason if reason in FAULTS]


@pytest.mark.parametrize("reason", FAULTS)
def test_each_fault_alone_is_named_and_changes_nothing(reason: RejectReason) -> None:
    receipt = play(replace(Scene(), **FAULTS[reason]))
    assert reason_of(receipt) is reason
    assert receipt.event is None
    assert receipt.outcome is None
    assert receipt.state.step == 0
    assert receipt.state.time_ms == 1000


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pair
        for pair in combinations(FAULTS, 2)
        if not FAULTS[pair[0]].keys() & FAULTS[pair[1]].keys()
    ],
)
def test_of_two_broken_rules_the_earlier_is_named(
    first: RejectReason, second: RejectReason
) -> None:
    assert reason_of(play(replace(Scene(), **FAULTS[first], **FAULTS[second]))) is first


BOUNDS: list[tuple[dict[str, Any], RejectReason | None]] = [
    ({"time_ms": 1001}, None),
    ({"time_ms": 0}, RejectReason.TIME_BACKWARDS),
    ({"time_ms": -1, "state_time_ms": 0}, RejectReason.TIME_BACKWARDS),
    ({"time_ms": 2**48 - 1, "expiry_ms": 2**48 - 1}, None),
    ({"account": 0}, RejectReason.UNKNOWN_ACCOUNT),
    ({"account": -1}, RejectReason.UNKNOWN_ACCOUNT),
    ({"account": 2**24 + 1}, RejectReason.UNKNOWN_ACCOUNT),
    ({"account": 2}, RejectReason.NO_KEY),
    ({"expiry_ms": 1000}, None),
    ({"expiry_ms": 1001}, None),
    ({"expiry_ms": -1}, RejectReason.EXPIRED),
    ({"expiry_ms": 2**48 - 1}, None),
    ({"nonce": 6}, RejectReason.NONCE_NOT_INCREASING),
    ({"nonce": -1}, RejectReason.NONCE_NOT_INCREASING),
    ({"nonce": 9}, None),
    ({"nonce": 2**48 - 1}, None),
    ({"nonce": 2**48}, RejectReason.FIELD_OUT_OF_RANGE),
    ({"amount": -1}, RejectReason.FIELD_OUT_OF_RANGE),
    ({"amount": 1}, None),
    ({"amount": 10}, None),
    ({"amount": 11}, RejectReason.INSUFFICIENT_MARGIN),
    ({"amount": 2**64 - 1}, RejectReason.INSUFFICIENT_MARGIN),
    ({"amount": 2**64 - 1, "cash": (2**64 - 1) * UNIT}, None),
    ({"amount": 2**64}, RejectReason.FIELD_OUT_OF_RANGE),
    ({"to": 0}, RejectReason.UNKNOWN_RECIPIENT),
    ({"to": 3}, RejectReason.UNKNOWN_RECIPIENT),
    ({"to": 2**24 - 1}, RejectReason.UNKNOWN_RECIPIENT),
    ({"to": 2**24}, RejectReason.FIELD_OUT_OF_RANGE),
    ({"to": -1}, RejectReason.FIELD_OUT_OF_RANGE),
    ({"mode": Mode.CONSERVATIVE}, None),
    ({"kind": AccountKind.INSURANCE}, RejectReason.ACCOUNT_KIND),
    ({"kind": AccountKind.FEE}, None),
    ({"cash": 5 * UNIT}, None),
    ({"cash": 0}, RejectReason.INSUFFICIENT_MARGIN),
    ({"recipient_cash": CASH_BOUND - 1 - 5 * UNIT}, None),
    ({"recipient_cash": 1 - CASH_BOUND}, None),
    ({"recipient_cash": -CASH_BOUND - 5 * UNIT}, RejectReason.CASH_OUT_OF_BOUNDS),
]


@pytest.mark.parametrize(("changes", "reason"), BOUNDS, ids=[str(changes) for changes, _ in BOUNDS])
def test_bounds(changes: dict[str, Any], reason: RejectReason | None) -> None:
    assert reason_of(play(replace(Scene(), **changes))) is reason


@pytest.mark.parametrize(
    ("withdraw_fields", "reason"),
    [
        ((1, 8, 2000, 10), None),
        ((1, 8, 2000, 11), RejectReason.INSUFFICIENT_MARGIN),
        ((1, 8, 2000, 0), RejectReason.AMOUNT_ZERO),
        ((1, 8, 2000, 2**64), RejectReason.FIELD_OUT_OF_RANGE),
        ((1, 8, 2**48, 1), RejectReason.FIELD_OUT_OF_RANGE),
        ((1, 2**48, 2000, 1), RejectReason.FIELD_OUT_OF_RANGE),
        ((1, 7, 2000, 1), RejectReason.NONCE_NOT_INCREASING),
        ((1, 8, 999, 1), RejectReason.EXPIRED),
        ((2, 8, 2000, 1), RejectReason.NO_KEY),
        ((3, 8, 2000, 1), RejectReason.UNKNOWN_ACCOUNT),
    ],
)
def test_withdrawal_bounds(withdraw_fields: tuple[int, ...], reason: RejectReason | None) -> None:
    assert reason_of(play(Scene(), Withdraw(*withdraw_fields))) is reason


MESSAGES = {
    RejectReason.TIME_BACKWARDS: "expected a time of at least 1000 ms, got 999 ms",
    RejectReason.TIME_OUT_OF_RANGE: (
        "expected a time of at most 281474976710655 ms, got 281474976710656 ms"
    ),
    RejectReason.UNKNOWN_ACCOUNT: "expected an existing account, got 1",
    RejectReason.NO_KEY: "expected a registered key, got none for account 1",
    RejectReason.EXPIRED: "expected a time of at most 999 ms, got 1000 ms",
    RejectReason.NONCE_NOT_INCREASING: "expected a nonce above 7, got 7",
    RejectReason.FIELD_OUT_OF_RANGE: (
        "expected expiry_ms in 0..281474976710655, got 281474976710656"
    ),
    RejectReason.SIGNATURE_EQUATION: (
        "expected a signature by the key of account 1, got one that does not hold"
    ),
    RejectReason.MODE_FORBIDS: "expected a mode that allows this, got a frozen exchange",
    RejectReason.ACCOUNT_KIND: "expected an account that may pay out, got the vault",
    RejectReason.AMOUNT_ZERO: "expected an amount above 0, got 0",
    RejectReason.TRANSFER_TO_SELF: "expected another account, got the sender 1",
    RejectReason.UNKNOWN_RECIPIENT: "expected an existing account, got 2",
    RejectReason.PRICE_STALE: (
        "expected a price of market 0 valid after 1000 ms, got one valid until 0 ms"
    ),
    RejectReason.INSUFFICIENT_MARGIN: "expected equity of at least 0 afterwards, got -1",
    RejectReason.CASH_OUT_OF_BOUNDS: f"expected |cash| below 2^111, got {CASH_BOUND}",
}


@pytest.mark.parametrize("reason", MESSAGES)
def test_messages_carry_expected_and_got(reason: RejectReason) -> None:
    receipt = play(replace(Scene(), **FAULTS[reason]))
    # A signature's message ends with its digest.
    message, _, _ = str(receipt.rejected).partition(" for digest ")
    assert message == f"{reason.value}: {MESSAGES[reason]}"


def test_every_signature_reason_has_a_reject_reason() -> None:
    for reject in SignatureReject:
        assert RejectReason(reject.value).value == reject.value


class TestRules:
    """One table of rules, in which every kind has exactly one."""

    def test_every_kind_has_a_rule(self) -> None:
        assert set(MODULES) == set(RULES) == set(Kind)
        assert len(set(MODULES.values())) == len(Kind)

    def test_every_kind_has_one_body_of_its_origin(self) -> None:
        parts = [
            (get_args(SignedTransaction), {"is_signed": True, "is_queued": False}),
            (get_args(Request), {"is_signed": False, "is_queued": True}),
            (get_args(Governed), {"is_signed": False, "is_queued": True}),
            ((Feed,), {"is_signed": False, "is_queued": False}),
            (get_args(Derived), {"is_signed": False, "is_queued": False}),
        ]
        kinds = []
        for bodies, origin in parts:
            for body in bodies:
                kinds.append(body.KIND)
                assert {name: getattr(body.KIND, name) for name in origin} == origin
                assert body.__module__ == MODULES[body.KIND].__name__
        assert sorted(kinds) == sorted(Kind)
        assert not QUEUED_KINDS & SIGNED_KINDS


class TestCommands:
    """What the application itself adds to the rules."""

    def test_a_kind_without_an_event_of_its_own(self) -> None:
        observer = Events()
        command = Command(9, SetMode(1))
        receipt = apply_command(State(DOMAIN), command, observer)
        assert observer.events == [
            Executed(1, 9, SetMode(1), (), Outcome.APPLIED, {CONTROLS_ADDRESS: None})
        ]
        assert (receipt.state.step, receipt.state.time_ms) == (1, 9)
        again = apply_command(receipt.state, Command(9, SetMode(2)), observer)
        assert observer.events[1].before == {CONTROLS_ADDRESS: Controls(1)}
        assert again.outcome is Outcome.APPLIED

    def test_an_outcome_that_is_not_applied(self) -> None:
        receipt = apply_command(State(DOMAIN), Command(9, SetMode(3)))
        assert receipt.is_accepted
        assert receipt.outcome is Outcome.INVALID_TERMS
        assert receipt.event == Executed(1, 9, SetMode(3), (), Outcome.INVALID_TERMS, {})
        assert receipt.state.leaves == State(DOMAIN).leaves
        assert receipt.state.time_ms == 9

    def test_outcomes_stand_for_reasons(self) -> None:
        others = {Outcome.APPLIED, Outcome.INVALID_KEY, Outcome.PARTIAL}
        assert {
            Outcome.of(RejectReason[outcome.name]) for outcome in Outcome if outcome not in others
        } == (set(Outcome) - others)
        with pytest.raises(KeyError):
            Outcome.of(RejectReason.EXPIRED)

    def test_a_time_for_a_body_without_a_signature(self) -> None:
        state = State(DOMAIN, 10)
        assert reason_of(tried(state, SetMode(0), time_ms=9)) is RejectReason.TIME_BACKWARDS
        late = tried(state, SetMode(0), time_ms=2**48)
        assert reason_of(late) is RejectReason.TIME_OUT_OF_RANGE
        assert tried(state, SetMode(0), time_ms=2**48 - 1).is_accepted


class TestRealSignatures:
    """The default verifier, end to end."""

    def test_transfer_and_withdrawal_of_two_accounts(self) -> None:
        state = applied(funded(), transfer(1, 1, 2, 400), withdraw(2, 5, 1400))
        first, second = state.accounts.get(1), state.accounts.get(2)
        assert (first.cash, first.nonce) == (600 * UNIT, 1)
        assert (second.cash, second.nonce) == (0, 5)
        assert state.custody == 600

    def test_replay_is_refused_by_its_nonce(self) -> None:
        order = transfer(1, 1, 2, 400)
        state = applied(funded(), order)
        assert reason_of(tried(state, order)) is RejectReason.NONCE_NOT_INCREASING

    def test_every_signed_field_is_bound(self) -> None:
        order = Transfer(1, 3, 4000, 2, 7)
        signature = signed(order).signature
        state = funded(3)
        assert tried(state, Signed(order, signature)).is_accepted
        changed = [
            replace(order, account=3),
            replace(order, nonce=4),
            replace(order, expiry_ms=4001),
            replace(order, to=3),
            replace(order, amount=8),
            Withdraw(1, 3, 4000, 7),
            Withdraw(1, 3, 4000, 7 + (2 << 40)),
        ]
        for other in changed:
            receipt = tried(state, Signed(other, signature))
            assert reason_of(receipt) is RejectReason.SIGNATURE_EQUATION

    def test_the_domain_is_bound(self) -> None:
        order = Transfer(1, 3, 4000, 2, 7)
        foreign = signed(order, word=DOMAIN + 1)
        assert reason_of(tried(funded(), foreign)) is RejectReason.SIGNATURE_EQUATION

    def test_after_a_new_key_the_old_one_is_refused(self) -> None:
        state = applied(funded(3), register(1, (register(3).key_x, register(3).key_y)))
        assert reason_of(tried(state, transfer(1, 1, 2, 1))) is RejectReason.SIGNATURE_EQUATION
        borrowed = signed(Transfer(3, 1, 4000, 2, 1)).signature
        assert reason_of(tried(state, Signed(Transfer(1, 1, 4000, 2, 1), borrowed))) is (
            RejectReason.SIGNATURE_EQUATION
        )

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"r_x": R}, RejectReason.SIGNATURE_R_NOT_CANONICAL),
            ({"r_y": -1}, RejectReason.SIGNATURE_R_NOT_CANONICAL),
            ({"s": 2**256 - 1}, RejectReason.SIGNATURE_S_NOT_CANONICAL),
            ({"r_x": 3, "r_y": 5}, RejectReason.SIGNATURE_R_OFF_CURVE),
            ({"r_x": 0, "r_y": 1}, RejectReason.SIGNATURE_R_SMALL_ORDER),
            ({"s": 1}, RejectReason.SIGNATURE_EQUATION),
        ],
    )
    def test_bad_signatures(self, change: dict[str, int], reason: RejectReason) -> None:
        order = transfer(1, 1, 2, 1)
        bad = replace(order, signature=replace(order.signature, **change))
        assert reason_of(tried(funded(), bad)) is reason


class TestBatch:
    """Replaying the commands of a sealed batch."""

    def commands(self) -> list[Command]:
        return [
            Command(5, register(1, OFF_CURVE)),
            Command(5, deposit(1, 10)),
            Command(6, register(1)),
            Command(6, deposit(2, 1)),
            Command(9, transfer(1, 1, 2, 10)),
        ]

    def test_replay_observes_every_step(self) -> None:
        observer = Events()
        state = apply_batch(State(DOMAIN, step=77), self.commands(), observer)
        assert [event.step for event in observer.events] == [1, 2, 3, 4, 5]
        assert [event.time_ms for event in observer.events] == [5, 5, 6, 6, 9]
        assert (state.step, state.time_ms, state.custody) == (5, 9, 11)

    def test_a_refused_command_stops_the_replay(self) -> None:
        commands = [*self.commands(), Command(8, deposit(1, 1))]
        with pytest.raises(BatchRefused) as caught:
            apply_batch(State(DOMAIN), commands)
        assert str(caught.value) == (
            "step 6: expected an accepted command, got time_backwards: "
            "expected a time of at least 9 ms, got 8 ms"
        )

    def test_refused_commands_are_not_observed(self) -> None:
        observer = Events()
        receipt = apply_command(funded(), Command(0, transfer(1, 1, 2, 1)), observer)
        assert isinstance(receipt.rejected, Rejected)
        assert observer.events == []
