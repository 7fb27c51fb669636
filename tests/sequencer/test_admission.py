"""Verdicts found ahead change no answer of the rules, whatever was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from circuits.edwards import Point
from circuits.exchange.apply import Command, Receipt
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import QuoteMessage, digest_of
from circuits.signature import SignatureReject, sign, verify
from sequencer import admission as module
from sequencer.admission import Admission, expected_messages
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    account_key_of,
    deposit,
    funded,
    public_key_of,
    register,
    secret_of,
    transfer,
    withdraw,
)

FORGED = replace(transfer(1, 3, 2, 5), signature=sign(secret_of(2), 7))
BODIES: list[Body] = [
    transfer(1, 1, 2, 5),
    register(1),
    deposit(1, 50),
    transfer(1, 1, 2, 5),
    register(2),
    transfer(1, 2, 2, 5),
    FORGED,
    register(2, public_key_of(9)),
    withdraw(2, 1, 1),
    register(2, OFF_CURVE),
    withdraw(2, 2, 1),
    register(2),
    withdraw(2, 3, 1),
]
COMMANDS = [Command(10 * number, body) for number, body in enumerate(BODIES, 1)]


def content(output: Receipt | Batch) -> tuple[object, ...]:
    """What must be equal in two runs."""
    if isinstance(output, Batch):
        return output.statement, output.touched_nodes, output.state, output.after
    return output.command, output.event, str(output.rejected)


def signed_bodies(bodies: Sequence[Body]) -> list[Signed]:
    return [body for body in bodies if isinstance(body, Signed)]


def expected_keys(state: State, commands: Sequence[Command]) -> list[Point | None]:
    return [key for key, _ in expected_messages(state, commands)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each call of the kernels was given."""
    sizes: list[int] = []
    verify_many = module.verify_many

    def counting(requests: Sequence[module.Request]) -> list[SignatureReject | None]:
        sizes.append(len(requests))
        return verify_many(requests)

    monkeypatch.setattr(module, "verify_many", counting)
    return sizes


@pytest.mark.parametrize("checked_ahead", [1, 2, 5, 512])
def test_receipts_and_batches_are_those_of_one_check_at_a_time(
    checked_ahead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECKED_AHEAD", checked_ahead)
    engine, admission = Engine(DOMAIN, 1, 4), Admission()
    outputs = list(
        run_commands(engine, admission.ahead(engine, COMMANDS), admission.verify, admission.digest)
    )
    expected = list(run_commands(Engine(DOMAIN, 1, 4), COMMANDS))
    assert [content(output) for output in outputs] == [content(output) for output in expected]
    reasons = [
        each.rejected.reason for each in outputs if isinstance(each, Receipt) and each.rejected
    ]
    assert reasons == [
        RejectReason.UNKNOWN_ACCOUNT,
        RejectReason.UNKNOWN_RECIPIENT,
        RejectReason.SIGNATURE_EQUATION,
        RejectReason.SIGNATURE_EQUATION,
        RejectReason.SIGNATURE_EQUATION,
    ]


def test_keys_of_the_state_and_of_registrations_on_the_way_are_expected() -> None:
    assert expected_keys(State(DOMAIN), COMMANDS) == [
        None,
        account_key_of(1),
        account_key_of(1),
        account_key_of(1),
        account_key_of(9),
        account_key_of(9),
        account_key_of(2),
    ]
    messages = [signed.message for _, signed in expected_messages(State(DOMAIN), COMMANDS)]
    assert messages == [each.transaction for each in signed_bodies(BODIES)]
    assert expected_keys(funded(2), COMMANDS[:1]) == [account_key_of(1)]


def test_all_expected_signatures_are_checked_at_once(counted: list[int]) -> None:
    engine, admission = Engine(DOMAIN, 1, 99), Admission()
    list(
        run_commands(engine, admission.ahead(engine, COMMANDS), admission.verify, admission.digest)
    )
    assert counted == [6]


def test_a_verdict_counts_for_its_exact_key_digest_and_signature(counted: list[int]) -> None:
    admission = Admission()
    good = signed_bodies([transfer(1, 1, 2, 5)])[0]
    admission.check(funded(2), [Command(1, good)])
    key, digest = account_key_of(1), digest_of(good.transaction, DOMAIN)
    assert admission.verify(key, digest, good.signature) is None
    assert counted == [1]
    for changed in (
        (account_key_of(2), digest, good.signature),
        (key, digest + 1, good.signature),
        (key, digest, replace(good.signature, s=good.signature.s ^ 1)),
        (key, digest, replace(good.signature, r_x=good.signature.r_x ^ 1)),
    ):
        assert admission.verify(*changed) is verify(*changed) is not None
    assert counted == [1] * 5


def test_a_digest_counts_for_its_exact_message_and_domain() -> None:
    admission = Admission()
    body = signed_bodies([transfer(1, 1, 2, 5)])[0]
    known = body.transaction
    admission.check(funded(2), [Command(1, body)])
    others = (replace(known, amount=6), withdraw(1, 1, 5).transaction, QuoteMessage(1, 2, 3))
    for message in (known, *others):
        for domain in (DOMAIN, DOMAIN + 1):
            assert admission.digest(message, domain) == digest_of(message, domain)
    with pytest.raises(Rejected) as caught:
        admission.digest(replace(known, nonce=2**48), DOMAIN)
    assert caught.value.reason is RejectReason.FIELD_OUT_OF_RANGE


def test_a_wrong_guess_is_checked_when_it_is_asked_for(counted: list[int]) -> None:
    """Given a registration that the queue rules turn away, then the old key still signs."""
    admission = Admission()
    body = signed_bodies([withdraw(1, 1, 5)])[0]
    admission.check(funded(2), [Command(1, register(1, public_key_of(9))), Command(2, body)])
    digest = digest_of(body.transaction, DOMAIN)
    assert admission.verify(account_key_of(1), digest, body.signature) is None
    assert counted == [1, 1]


def test_what_no_digest_can_hold_is_left_to_the_rules(counted: list[int]) -> None:
    admission = Admission()
    wide = replace(transfer(1, 1, 2, 5).transaction, amount=2**64)
    keyless = transfer(3, 1, 2, 5)
    signed = [Signed(wide, sign(secret_of(1), 1)), keyless]
    admission.check(funded(2), [Command(number, body) for number, body in enumerate(signed)])
    assert counted == [0]
    with pytest.raises(Rejected):
        admission.digest(wide, DOMAIN)
    assert admission.digest(keyless.transaction, DOMAIN) == digest_of(keyless.transaction, DOMAIN)
