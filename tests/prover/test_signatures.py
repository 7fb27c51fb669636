"""Batched verification and signing against `circuits.signature`, request by request."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from circuits.edwards import (
    BASE8,
    COFACTOR,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    Point,
    add,
    multiply,
    multiply_base8,
)
from circuits.errors import FieldError, SignatureError
from circuits.field import R
from circuits.signature import Signature, SignatureReject, account_key, challenge, sign, verify
from prover.signatures import Request, account_keys, sign_many, verify_many, warm

SECRET = 0x1F2E3D4C5B6A
KEY = account_key(SECRET)
DIGEST = 0xD16E57
SIGNATURE = sign(SECRET, DIGEST)
ORDER_EIGHT = multiply(GENERATOR, SUBGROUP_ORDER)
TORSION = [multiply(ORDER_EIGHT, multiple) for multiple in range(COFACTOR)]


def agreed(requests: Sequence[Request]) -> list[SignatureReject | None]:
    """The verdicts of the batch, once they are those of the requests one by one."""
    verdicts = verify_many(requests)
    assert verdicts == [verify(*request) for request in requests]
    return verdicts


def verdict(signature: Signature, key: Point = KEY) -> SignatureReject | None:
    return agreed([(key, DIGEST, signature)])[0]


def respond(r_point: Point, nonce: int) -> Signature:
    """What a signer answers for a commitment it claims to be nonce * BASE8."""
    h = challenge(r_point, KEY, DIGEST)
    return Signature(*r_point, (nonce + h * COFACTOR * SECRET) % SUBGROUP_ORDER)


def test_sound_signatures_hold() -> None:
    """Random ones, the digests 0 and r - 1, and the smallest and largest secret."""
    source = random.Random(1)
    secrets = [1, SUBGROUP_ORDER - 1, *(source.randrange(1, SUBGROUP_ORDER) for _ in range(10))]
    digests = [0, R - 1, *(source.randrange(R) for _ in range(10))]
    requests = [
        (account_key(secret), digest, sign(secret, digest))
        for secret, digest in zip(secrets, digests, strict=True)
    ]
    assert agreed(requests) == [None] * len(requests)


def test_no_requests_have_no_verdicts() -> None:
    assert verify_many([]) == []


def test_the_batch_keeps_the_order_of_good_and_bad() -> None:
    """Every reason in one batch, twice, with a sound signature between any two."""
    bad = {
        replace(SIGNATURE, r_x=R): SignatureReject.R_NOT_CANONICAL,
        replace(SIGNATURE, s=SUBGROUP_ORDER): SignatureReject.S_NOT_CANONICAL,
        replace(SIGNATURE, r_x=1): SignatureReject.R_OFF_CURVE,
        respond(TORSION[3], 0): SignatureReject.R_SMALL_ORDER,
        replace(SIGNATURE, s=1): SignatureReject.EQUATION,
    }
    signatures = [each for signature in bad for each in (signature, SIGNATURE)] * 2
    expected = [each for reason in bad.values() for each in (reason, None)] * 2
    assert agreed([(KEY, DIGEST, signature) for signature in signatures]) == expected


def test_one_flipped_bit_anywhere_is_refused() -> None:
    source = random.Random(2)
    requests: list[Request] = []
    for _ in range(8):
        bit = 1 << source.randrange(254)
        requests += [
            (KEY, DIGEST, replace(SIGNATURE, r_x=SIGNATURE.r_x ^ bit)),
            (KEY, DIGEST, replace(SIGNATURE, r_y=SIGNATURE.r_y ^ bit)),
            (KEY, DIGEST, replace(SIGNATURE, s=SIGNATURE.s ^ bit)),
            (KEY, DIGEST ^ 1 << source.randrange(250), SIGNATURE),
            (account_key(SECRET ^ 1 << source.randrange(250)), DIGEST, SIGNATURE),
        ]
    assert None not in agreed(requests)


@pytest.mark.parametrize("shift", [SUBGROUP_ORDER, -SUBGROUP_ORDER, 2**256, -(2**300)])
def test_response_must_be_canonical(shift: int) -> None:
    shifted = replace(SIGNATURE, s=SIGNATURE.s + shift)
    assert verdict(shifted) is SignatureReject.S_NOT_CANONICAL


@pytest.mark.parametrize("s", [0, SUBGROUP_ORDER - 1])
def test_smallest_and_largest_response_reach_the_equation(s: int) -> None:
    assert verdict(replace(SIGNATURE, s=s)) is SignatureReject.EQUATION


@pytest.mark.parametrize("shift", [R, -R, 2**256])
def test_commitment_must_be_canonical(shift: int) -> None:
    for bad in (
        replace(SIGNATURE, r_x=SIGNATURE.r_x + shift),
        replace(SIGNATURE, r_y=SIGNATURE.r_y + shift),
    ):
        assert verdict(bad) is SignatureReject.R_NOT_CANONICAL


@pytest.mark.parametrize("point", [(1, 1), (0, 0), (0, 2), (BASE8[0], BASE8[1] ^ 1)])
def test_commitment_must_be_on_the_curve(point: Point) -> None:
    assert verdict(Signature(*point, SIGNATURE.s)) is SignatureReject.R_OFF_CURVE


@pytest.mark.parametrize("multiple", range(COFACTOR))
def test_commitment_of_small_order_is_refused(multiple: int) -> None:
    """Orders 1, 8, 4, 8, 2, 8, 4, 8; the identity even satisfies the equation."""
    assert verdict(respond(TORSION[multiple], 0)) is SignatureReject.R_SMALL_ORDER


@pytest.mark.parametrize("multiple", range(1, COFACTOR))
def test_commitment_of_mixed_order_is_refused(multiple: int) -> None:
    r_point = add(multiply_base8(77), TORSION[multiple])
    assert verdict(respond(r_point, 77)) is SignatureReject.EQUATION


def test_response_to_a_challenge_not_reduced_below_r_is_refused() -> None:
    h = challenge(multiply_base8(5), KEY, DIGEST)
    s = (5 + (h + R) * COFACTOR * SECRET) % SUBGROUP_ORDER
    assert verdict(Signature(*multiply_base8(5), s)) is SignatureReject.EQUATION


@pytest.mark.parametrize("key", [(0, 0), (3, 5), (0, 2), (KEY[0], R + KEY[1]), (-1, 2**256)])
def test_nothing_holds_under_a_key_off_the_curve(key: Point) -> None:
    """(0, 0) stands for no key; the addition law alone would let it sign anything."""
    assert verdict(SIGNATURE, key) is SignatureReject.EQUATION
    assert verdict(replace(SIGNATURE, s=0), key) is SignatureReject.EQUATION


def test_the_identity_as_key_signs_for_nobody_but_is_computed_alike() -> None:
    """Given S * BASE8 = R, then the equation holds under the identity, here as there."""
    forged = Signature(*multiply_base8(9), 9)
    assert verdict(forged, IDENTITY) is None
    assert verdict(forged) is SignatureReject.EQUATION


def test_the_first_failing_check_is_reported() -> None:
    everything = Signature(R, 0, SUBGROUP_ORDER)
    assert verdict(everything, (0, 0)) is SignatureReject.R_NOT_CANONICAL
    assert verdict(Signature(1, 1, SUBGROUP_ORDER), (0, 0)) is SignatureReject.S_NOT_CANONICAL
    assert verdict(Signature(1, 1, 0), (0, 0)) is SignatureReject.R_OFF_CURVE
    assert verdict(Signature(*IDENTITY, 0), (0, 0)) is SignatureReject.R_SMALL_ORDER


@pytest.mark.parametrize("digest", [R, -1])
def test_digest_must_be_a_field_element(digest: int) -> None:
    with pytest.raises(FieldError) as caught:
        verify_many([(KEY, DIGEST, SIGNATURE), (KEY, digest, SIGNATURE)])
    assert str(caught.value) == (
        f"request 1: digest: expected a field element below r, got {digest}"
    )


def signing_requests() -> list[tuple[int, int]]:
    """Every pair of the smallest and largest secrets and digests, and random ones."""
    source = random.Random(3)
    edges = [(secret, digest) for secret in (1, SUBGROUP_ORDER - 1) for digest in (0, 1, R - 1)]
    drawn = [(source.randrange(1, SUBGROUP_ORDER), source.randrange(R)) for _ in range(40)]
    return [*edges, *drawn, (drawn[0][0], 5), drawn[0]]


def test_signatures_are_those_of_one_by_one() -> None:
    requests = signing_requests()
    signatures = sign_many(requests)
    assert signatures == [sign(secret, digest) for secret, digest in requests]
    keys = account_keys([secret for secret, _ in requests])
    assert keys == [account_key(secret) for secret, _ in requests]
    assert sign_many(requests, keys) == signatures
    signed = [
        (key, digest, each)
        for key, (_, digest), each in zip(keys, requests, signatures, strict=True)
    ]
    assert verify_many(signed) == [None] * len(requests)


def test_no_requests_have_no_signatures() -> None:
    assert sign_many([]) == []
    assert sign_many([], []) == []
    assert account_keys([]) == []


@pytest.mark.parametrize("secret", [0, -1, SUBGROUP_ORDER])
def test_a_secret_out_of_range_signs_nothing_and_is_not_shown(secret: int) -> None:
    message = "request 1: secret: expected 1 <= secret < subgroup order, got a number out of range"
    for refused in (
        lambda: sign_many([(SECRET, DIGEST), (secret, DIGEST)]),
        lambda: account_keys([SECRET, secret]),
    ):
        with pytest.raises(SignatureError) as caught:
            refused()
        assert str(caught.value) == message


@pytest.mark.parametrize("digest", [R, -1])
def test_a_digest_out_of_range_is_not_signed(digest: int) -> None:
    with pytest.raises(FieldError) as caught:
        sign_many([(SECRET, DIGEST), (SECRET, digest)])
    assert str(caught.value) == (
        f"request 1: digest: expected a field element below r, got {digest}"
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_key_for_each_request(count: int) -> None:
    with pytest.raises(SignatureError) as caught:
        sign_many([(SECRET, DIGEST)] * 2, [KEY] * count)
    assert str(caught.value) == f"keys: expected 2, one for each request, got {count}"


def test_warm_needs_no_input() -> None:
    warm()
