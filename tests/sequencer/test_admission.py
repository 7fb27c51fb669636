"""Verdicts found ahead change no answer of the rules, whatever was guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from circuits.exchange.apply import Body, Command, Receipt, Signed
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.transfer import Transfer
from circuits.signature import SignatureReject, sign, verify
from sequencer import admission as module
from sequencer.admission import Admission, digests_of, expected_requests
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from tests.support.exchange import (
    DOMAIN,
    EXPIRY_MS,
    OFF_CURVE,
    account_key_of,
    deposit,
    funded,
    public_key_of,
    register,
    secret_of,
    signed,
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
    return output.command, output.state, output.event, str(output.rejected)


def signed_bodies(bodies: Sequence[Body]) -> list[Signed]:
    return [body for body in bodies if isinstance(body, Signed)]


def expected(state: State, commands: Sequence[Command]) -> list[module.Request]:
    return expected_requests(state, commands, digests_of(state.domain, commands))


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
    requests = expected(State(DOMAIN), COMMANDS)
    assert [key for key, _, _ in requests] == [
        account_key_of(1),
        account_key_of(1),
        account_key_of(1),
        account_key_of(9),
        account_key_of(9),
        account_key_of(2),
    ]
    transactions = [each.transaction for each in signed_bodies(BODIES)[1:]]
    assert [digest for _, digest, _ in requests] == [
        digest_of(transaction, DOMAIN) for transaction in transactions
    ]
    assert [key for key, _, _ in expected(funded(2), COMMANDS[:1])] == [account_key_of(1)]


def test_all_expected_signatures_are_checked_at_once(counted: list[int]) -> None:
    engine, admission = Engine(DOMAIN, 1, 99), Admission()
    list(
        run_commands(engine, admission.ahead(engine, COMMANDS), admission.verify, admission.digest)
    )
    assert counted == [6]


def test_a_verdict_counts_for_its_exact_key_digest_and_signature(counted: list[int]) -> None:
    admission = Admission()
    admission.check(funded(2), [Command(1, transfer(1, 1, 2, 5))])
    good = signed_bodies([transfer(1, 1, 2, 5)])[0]
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


def test_a_digest_counts_for_its_exact_transaction_and_domain() -> None:
    admission = Admission()
    known = transfer(1, 1, 2, 5).transaction
    admission.check(funded(2), [Command(1, transfer(1, 1, 2, 5))])
    for transaction in (known, replace(known, amount=6), withdraw(1, 1, 5).transaction):
        for domain in (DOMAIN, DOMAIN + 1):
            assert admission.digest(transaction, domain) == digest_of(transaction, domain)
    with pytest.raises(Rejected) as caught:
        admission.digest(replace(known, nonce=2**48), DOMAIN)
    assert caught.value.reason is RejectReason.FIELD_OUT_OF_RANGE


def test_a_wrong_guess_is_checked_when_it_is_asked_for(counted: list[int]) -> None:
    """Given a registration that the queue rules turn away, then the old key still signs."""
    admission = Admission()
    admission.check(
        funded(2), [Command(1, register(1, public_key_of(9))), Command(2, withdraw(1, 1, 5))]
    )
    body = signed_bodies([withdraw(1, 1, 5)])[0]
    assert (
        admission.verify(account_key_of(1), digest_of(body.transaction, DOMAIN), body.signature)
        is None
    )
    assert counted == [1, 1]


def test_what_no_digest_can_hold_is_left_to_the_rules() -> None:
    wide = Signed(Transfer(1, 1, EXPIRY_MS, 2, 2**64), sign(secret_of(1), 1))
    keyless = signed(Transfer(3, 1, EXPIRY_MS, 2, 5))
    commands = [Command(1, deposit(3, 5)), Command(2, wide), Command(3, keyless)]
    assert expected(funded(2), commands) == []
    assert digests_of(DOMAIN, commands).keys() == {(keyless.transaction, DOMAIN)}
