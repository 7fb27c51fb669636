"""What a gateway says before a command is ordered: the reason, what was expected, the digest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.exchange.bodies import Signed
from circuits.exchange.errors import RejectReason
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.units import TokenUnits
from circuits.signature import sign
from sequencer.gateway import Admitted, Refused, admit
from tests.support.exchange import (
    DOMAIN,
    EXPIRY_MS,
    applied,
    deposit,
    funded,
    secret_of,
    transfer,
    withdraw,
)

STATE = applied(funded(2), deposit(3, 5), transfer(1, 4, 2, 5), time_ms=50)
GOOD = transfer(1, 5, 2, 5)


def test_a_command_in_order_is_admitted_with_its_digest() -> None:
    assert admit(STATE, 50, GOOD) == Admitted(digest_of(GOOD.transaction, DOMAIN))
    trading = CancelAll(2, 1, EXPIRY_MS, 0)
    digest = digest_of(trading, DOMAIN)
    assert admit(STATE, 50, Signed(trading, sign(secret_of(2), digest))) == Admitted(digest)
    assert applied(funded(2), deposit(3, 5), transfer(1, 4, 2, 5), time_ms=50) == STATE


def test_what_only_the_rules_of_its_kind_refuse_is_admitted() -> None:
    assert isinstance(admit(STATE, 50, withdraw(1, 5, 10**9)), Admitted)


@pytest.mark.parametrize(
    ("signed", "reason", "expected", "got"),
    [
        (transfer(9, 1, 2, 5), RejectReason.UNKNOWN_ACCOUNT, "an existing account", 9),
        (transfer(3, 1, 2, 5), RejectReason.NO_KEY, "a registered key", "none for account 3"),
        (transfer(1, 4, 2, 5), RejectReason.NONCE_NOT_INCREASING, "a nonce above 4", 4),
        (
            Signed(CancelAll(1, 5, EXPIRY_MS, 2), GOOD.signature),
            RejectReason.UNKNOWN_AGENT,
            "the key slot of an agent",
            2,
        ),
    ],
)
def test_a_refusal_names_what_was_expected_and_the_digest(
    signed: Signed, reason: RejectReason, expected: object, got: object
) -> None:
    refused = admit(STATE, 50, signed)
    assert isinstance(refused, Refused)
    assert (refused.rejected.reason, refused.rejected.expected, refused.rejected.got) == (
        reason,
        expected,
        got,
    )
    assert refused.digest == digest_of(signed.transaction, DOMAIN)


def test_a_late_command_and_a_bad_signature_are_told_the_digest_too() -> None:
    digest = digest_of(GOOD.transaction, DOMAIN)
    late = admit(STATE, 49, GOOD)
    assert isinstance(late, Refused)
    assert (late.rejected.reason, late.digest) == (RejectReason.TIME_BACKWARDS, digest)
    forged = admit(STATE, 50, replace(GOOD, signature=sign(secret_of(2), digest)))
    assert isinstance(forged, Refused)
    assert forged.rejected.reason is RejectReason.SIGNATURE_EQUATION
    assert hex(digest) in str(forged.rejected)


def test_what_fits_no_digest_has_none() -> None:
    wide = replace(GOOD.transaction, amount=TokenUnits(2**64))
    refused = admit(STATE, 50, Signed(wide, GOOD.signature))
    assert isinstance(refused, Refused)
    assert refused.rejected.reason is RejectReason.FIELD_OUT_OF_RANGE
    assert refused.digest is None
