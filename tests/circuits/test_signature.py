"""EdDSA over Poseidon2: vectors, and every way to present a bad signature with its reason."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.edwards import (
    BASE8,
    COFACTOR,
    GENERATOR,
    IDENTITY,
    SUBGROUP_ORDER,
    Point,
    add,
    clear_cofactor,
    is_in_subgroup,
    is_on_curve,
    multiply,
    multiply_base8,
    negate,
)
from circuits.errors import CurveError, FieldError, SignatureError
from circuits.field import R
from circuits.poseidon2 import TAG_CHALLENGE, hash_words
from circuits.signature import (
    CHALLENGE_BITS,
    Signature,
    SignatureReject,
    account_key,
    challenge,
    pack_signature,
    public_key,
    satisfies_equation,
    sign,
    unpack_signature,
    verify,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "eddsa.json").read_text(encoding="ascii")
)
CIRCOMLIBJS = VECTORS["circomlibjs"]

SECRET = 0x1F2E3D4C5B6A
KEY = account_key(SECRET)
DIGEST = hash_words(3, [7, 8, 9])
SIGNATURE = sign(SECRET, DIGEST)
ORDER_EIGHT = multiply(GENERATOR, SUBGROUP_ORDER)
TORSION = [multiply(ORDER_EIGHT, multiple) for multiple in range(COFACTOR)]

secrets = st.integers(1, SUBGROUP_ORDER - 1)
digests = st.integers(0, R - 1)


def with_r(point: Point, s: int = SIGNATURE.s) -> Signature:
    """A signature with another commitment."""
    return Signature(point[0], point[1], s)


def with_s(s: int) -> Signature:
    """The sound signature with another response."""
    return with_r(SIGNATURE.r_point, s)


def respond(r_point: Point, nonce: int) -> Signature:
    """What a signer answers for a commitment it claims to be nonce * BASE8."""
    h = challenge(r_point, KEY, DIGEST)
    return with_r(r_point, (nonce + h * COFACTOR * SECRET) % SUBGROUP_ORDER)


def test_own_vectors() -> None:
    for case in VECTORS["poseidon2"]["signatures"]:
        secret, digest = int(case["secret"], 16), int(case["digest"], 16)
        signature = sign(secret, digest)
        assert [hex_word(x) for x in public_key(secret)] == case["public_key"]
        assert [hex_word(x) for x in account_key(secret)] == case["account_key"]
        assert [hex_word(x) for x in signature.r_point] == case["r"]
        assert hex_word(signature.s) == case["s"]
        assert pack_signature(signature).hex() == case["packed"]
        assert verify(account_key(secret), digest, signature) is None


def test_no_nonce_is_that_of_the_longer_challenges() -> None:
    """Two challenges under one nonce give the secret away; this R was the first vector's then."""
    case = VECTORS["poseidon2"]["signatures"][0]
    old = "0x184f5929405489850086145c838c0065951733af865dd944795bca5cf9c668e5"
    assert hex_word(sign(int(case["secret"], 16), int(case["digest"], 16)).r_x) != old


def hex_word(x: int) -> str:
    """A word as the vector files write it."""
    return f"0x{x:064x}"


def test_published_points_are_in_the_subgroup() -> None:
    x, y = map(int, CIRCOMLIBJS["public_key"])
    assert is_in_subgroup((x, y))
    for case in CIRCOMLIBJS["signatures"]:
        r_x, r_y = map(int, case["r"])
        assert is_in_subgroup((r_x, r_y))


@pytest.mark.parametrize("case", CIRCOMLIBJS["signatures"], ids=lambda case: case["scheme"])
def test_published_packed_signatures(case: dict[str, Any]) -> None:
    r_x, r_y = map(int, case["r"])
    signature = Signature(r_x, r_y, int(case["s"]))
    assert pack_signature(signature).hex() == case["packed"]
    assert unpack_signature(bytes.fromhex(case["packed"])) == signature


@given(secrets, digests)
@settings(max_examples=15)
def test_a_signature_verifies_under_its_own_key_and_digest_only(secret: int, digest: int) -> None:
    signature = sign(secret, digest)
    key = clear_cofactor(public_key(secret))
    assert key == account_key(secret)
    assert key is not None
    assert verify(key, digest, signature) is None
    assert verify(key, (digest + 1) % R, signature) is SignatureReject.EQUATION
    assert verify(negate(key), digest, signature) is SignatureReject.EQUATION
    assert unpack_signature(pack_signature(signature)) == signature


def test_signing_is_deterministic_and_nonces_differ() -> None:
    assert sign(SECRET, DIGEST) == SIGNATURE
    other_digest = sign(SECRET, DIGEST ^ 1)
    other_secret = sign(SECRET + 1, DIGEST)
    assert len({SIGNATURE.r_point, other_digest.r_point, other_secret.r_point}) == 3


def test_challenge_binds_commitment_key_and_digest() -> None:
    expected = hash_words(TAG_CHALLENGE, [SIGNATURE.r_x, KEY[0], DIGEST]) % 2**CHALLENGE_BITS
    assert challenge(SIGNATURE.r_point, KEY, DIGEST) == expected


def test_no_two_points_of_the_subgroup_share_an_x(rng: random.Random) -> None:
    """So it is enough that the challenge takes in x: the other point is outside."""
    for _ in range(8):
        x, y = multiply_base8(rng.randrange(1, SUBGROUP_ORDER))
        assert is_on_curve((x, -y % R))
        assert not is_in_subgroup((x, -y % R))
        assert multiply((x, -y % R), SUBGROUP_ORDER) == (0, R - 1)


@pytest.mark.parametrize("s", [SUBGROUP_ORDER, SIGNATURE.s + SUBGROUP_ORDER, -1, 2**256 - 1])
def test_s_not_below_the_order_is_refused(s: int) -> None:
    assert verify(KEY, DIGEST, with_s(s)) is SignatureReject.S_NOT_CANONICAL


def test_s_plus_order_would_satisfy_the_equation() -> None:
    """Given S + l, then only the range check stands between the signature and a second form."""
    s = SIGNATURE.s + SUBGROUP_ORDER
    h = challenge(SIGNATURE.r_point, KEY, DIGEST)
    assert satisfies_equation(KEY, SIGNATURE.r_point, s, h)
    assert verify(KEY, DIGEST, with_s(s)) is SignatureReject.S_NOT_CANONICAL


def test_largest_canonical_s_reaches_the_equation() -> None:
    assert verify(KEY, DIGEST, with_s(SUBGROUP_ORDER - 1)) is SignatureReject.EQUATION


@pytest.mark.parametrize("shift", [R, -R])
def test_commitment_coordinates_must_be_canonical(shift: int) -> None:
    x, y = SIGNATURE.r_point
    assert verify(KEY, DIGEST, with_r((x + shift, y))) is SignatureReject.R_NOT_CANONICAL
    assert verify(KEY, DIGEST, with_r((x, y + shift))) is SignatureReject.R_NOT_CANONICAL


def test_non_canonical_challenge_is_refused() -> None:
    """Given a response to h + r, whose 254-bit form a circuit might take for h, when verified,
    then it fails: h is used as the one number below r."""
    nonce = 12345
    r_point = multiply_base8(nonce)
    h = challenge(r_point, KEY, DIGEST)
    forged_s = (nonce + (h + R) * COFACTOR * SECRET) % SUBGROUP_ORDER
    assert satisfies_equation(KEY, r_point, forged_s, h + R)
    assert not satisfies_equation(KEY, r_point, forged_s, h)
    assert verify(KEY, DIGEST, with_r(r_point, forged_s)) is SignatureReject.EQUATION


def test_some_challenges_have_a_second_254_bit_form() -> None:
    """The threat is real: h + r fits 254 bits for about a third of all h."""
    h = next(
        h
        for h in (challenge(multiply_base8(nonce), KEY, DIGEST) for nonce in range(1, 100))
        if h + R < 2**254
    )
    assert (h + R) % SUBGROUP_ORDER != h % SUBGROUP_ORDER


@pytest.mark.parametrize("point", [(1, 1), (0, 0), (BASE8[0], BASE8[1] ^ 1)])
def test_commitment_off_the_curve_is_refused(point: Point) -> None:
    assert verify(KEY, DIGEST, with_r(point)) is SignatureReject.R_OFF_CURVE


@pytest.mark.parametrize("multiple", range(COFACTOR))
def test_commitment_of_small_order_is_refused(multiple: int) -> None:
    """Orders 1, 8, 4, 8, 2, 8, 4, 8; the first of them even satisfies the equation."""
    signature = respond(TORSION[multiple], nonce=0)
    h = challenge(TORSION[multiple], KEY, DIGEST)
    holds = satisfies_equation(KEY, TORSION[multiple], signature.s, h)
    assert holds is (TORSION[multiple] == IDENTITY)
    assert verify(KEY, DIGEST, signature) is SignatureReject.R_SMALL_ORDER


@pytest.mark.parametrize("multiple", range(1, COFACTOR))
def test_commitment_of_mixed_order_fails_the_equation(multiple: int) -> None:
    """No cofactor is multiplied in, so a torsion part of R is not forgiven."""
    nonce = 77
    r_point = add(multiply_base8(nonce), TORSION[multiple])
    assert verify(KEY, DIGEST, respond(r_point, nonce)) is SignatureReject.EQUATION


def test_the_first_failing_check_is_reported() -> None:
    assert verify(KEY, DIGEST, Signature(R, 0, SUBGROUP_ORDER)) is SignatureReject.R_NOT_CANONICAL
    assert verify(KEY, DIGEST, Signature(1, 1, SUBGROUP_ORDER)) is SignatureReject.S_NOT_CANONICAL
    assert verify(KEY, DIGEST, Signature(1, 1, 0)) is SignatureReject.R_OFF_CURVE
    assert verify(KEY, DIGEST, Signature(*IDENTITY, 0)) is SignatureReject.R_SMALL_ORDER


@given(st.integers(0, SUBGROUP_ORDER - 1), st.integers(1, SUBGROUP_ORDER - 1))
@settings(max_examples=10)
def test_random_signatures_are_refused(s: int, nonce: int) -> None:
    signature = with_r(multiply_base8(nonce), s)
    assert verify(KEY, DIGEST, signature) is SignatureReject.EQUATION


@pytest.mark.parametrize("digest", [R, -1])
def test_digest_must_be_a_field_element(digest: int) -> None:
    message = f"digest: expected a field element below r, got {digest}"
    for attempt in (lambda: sign(SECRET, digest), lambda: verify(KEY, digest, SIGNATURE)):
        with pytest.raises(FieldError) as caught:
            attempt()
        assert str(caught.value) == message


@pytest.mark.parametrize("secret", [0, SUBGROUP_ORDER, -1])
def test_secret_out_of_range_is_refused_without_showing_it(secret: int) -> None:
    for attempt in (public_key, account_key, lambda bad: sign(bad, DIGEST)):
        with pytest.raises(SignatureError) as caught:
            attempt(secret)
        assert str(caught.value) == (
            "secret: expected 1 <= secret < subgroup order, got a number out of range"
        )


def test_unpack_refuses_what_pack_does_not_write() -> None:
    packed = pack_signature(SIGNATURE)
    with pytest.raises(SignatureError) as caught:
        unpack_signature(packed[:-1])
    assert str(caught.value) == "packed signature: expected 64 bytes, got 63 bytes"
    with pytest.raises(SignatureError) as caught:
        unpack_signature(packed[:32] + SUBGROUP_ORDER.to_bytes(32, "little"))
    assert str(caught.value) == (
        f"s: expected a scalar below the subgroup order, got {SUBGROUP_ORDER}"
    )
    with pytest.raises(CurveError) as curve_caught:
        unpack_signature((2).to_bytes(32, "little") + packed[32:])
    assert str(curve_caught.value) == (
        "packed point y: expected the y of a point on BabyJubJub, got 2"
    )


def test_pack_refuses_an_unreduced_response() -> None:
    with pytest.raises(SignatureError) as caught:
        pack_signature(with_s(SUBGROUP_ORDER))
    assert str(caught.value) == (
        f"s: expected a scalar below the subgroup order, got {SUBGROUP_ORDER}"
    )
