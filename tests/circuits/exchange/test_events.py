"""Each kind's event carries what a witness needs, field by field."""

from __future__ import annotations

from dataclasses import fields

from circuits.exchange.addresses import header_address
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.events import (
    NULL_OBSERVER,
    Deposited,
    Event,
    Executed,
    KeyRegistered,
    Kind,
    Outcome,
    Transferred,
    Withdrawn,
)
from circuits.exchange.state import State
from circuits.exchange.steps import PaidOut
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.forced_withdraw import ForcedWithdraw
from circuits.poseidon2 import TAG_COMMAND, hash_words
from tests.support.exchange import (
    DOMAIN,
    EXPIRY_MS,
    Events,
    account_key_of,
    applied,
    deposit,
    funded,
    owner_of,
    public_key_of,
    register,
    transfer,
    withdraw,
)


def event_of(state: State, body: object) -> Event:
    observer = Events()
    receipt = apply_command(state, Command(50, body), observer)
    assert observer.events == [receipt.event]
    return observer.events[0]


def test_deposited() -> None:
    state = State(DOMAIN)
    after = applied(state, deposit(3, 8)).accounts.get(3)
    assert event_of(state, deposit(3, 8)) == Deposited(1, 50, 3, owner_of(3), 8, None, after)


def test_key_registered() -> None:
    state = applied(State(DOMAIN), deposit(3, 8))
    before = state.accounts.get(3)
    assert event_of(state, register(3)) == KeyRegistered(
        2,
        50,
        3,
        owner_of(3),
        *public_key_of(3),
        account_key_of(3),
        before,
        before.with_key(account_key_of(3)),
        Outcome.APPLIED,
    )


def test_transferred() -> None:
    state = funded(2)
    body = transfer(1, 6, 2, 5)
    later = applied(state, body).accounts
    head = 3 + (1 << 8) + (6 << 32) + (EXPIRY_MS << 80)
    digest = hash_words(TAG_COMMAND, [DOMAIN, head, 2 + (5 << 24)])
    assert digest == digest_of(body.transaction, DOMAIN)
    assert event_of(state, body) == Transferred(
        5,
        50,
        body.transaction,
        body.signature,
        digest,
        state.accounts.get(1),
        later.get(1),
        state.accounts.get(2),
        later.get(2),
    )


def test_withdrawn() -> None:
    state = funded(1)
    body = withdraw(1, 6, 5)
    head = 4 + (1 << 8) + (6 << 32) + (EXPIRY_MS << 80)
    assert event_of(state, body) == Withdrawn(
        3,
        50,
        body.transaction,
        body.signature,
        hash_words(TAG_COMMAND, [DOMAIN, head, 5 << 24]),
        state.accounts.get(1),
        applied(state, body).accounts.get(1),
    )


def test_executed() -> None:
    state = funded(1)
    body = ForcedWithdraw(1, owner_of(1), 5)
    address = header_address(1)
    assert event_of(state, body) == Executed(
        3,
        50,
        body,
        (PaidOut(1, owner_of(1), 5),),
        Outcome.APPLIED,
        {address: state.accounts.get(1)},
    )


def test_codes_of_kinds_and_outcomes_fit_their_byte() -> None:
    for codes in (Kind, Outcome):
        assert len(set(codes)) == len(codes)
        assert all(0 <= code < 2**8 for code in codes)
    assert [int(kind) for kind in Kind][:4] == [1, 2, 3, 4]
    assert (int(Outcome.APPLIED), int(Outcome.INVALID_KEY)) == (0, 1)


def test_every_event_starts_with_step_and_time() -> None:
    for event in (Deposited, KeyRegistered, Transferred, Withdrawn):
        assert [field.name for field in fields(event)][:2] == ["step", "time_ms"]
    assert Executed._fields[:2] == ("step", "time_ms")


def test_the_null_observer_takes_anything() -> None:
    assert NULL_OBSERVER.record(event_of(State(DOMAIN), deposit(1, 1))) is None
