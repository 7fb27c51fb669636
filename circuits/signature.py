"""EdDSA over BabyJubJub with Poseidon2 as the challenge hash.

The account key K = 8A is stored instead of the public key A: registration clears the cofactor
once, and each signature is then checked in the prime-order subgroup by S*B = R + h*K.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from circuits.edwards import (
    COFACTOR,
    IDENTITY,
    PACKED_BYTES,
    SUBGROUP_ORDER,
    Point,
    extended_add,
    extended_equal,
    extended_multiply,
    extended_multiply_base8,
    is_on_curve,
    multiply_base8,
    pack_point,
    times_cofactor,
    to_extended,
    unpack_point,
)
from circuits.errors import SignatureError
from circuits.field import is_canonical, require_canonical
from circuits.poseidon2 import TAG_CHALLENGE, hash_words

SIGNATURE_BYTES = 2 * PACKED_BYTES

CHALLENGE_BITS = 128
"""Length of the challenge. A forger has to meet it by one hash in 2^128, which is harder than a
logarithm in this group (2^125 additions), and so it need not be longer.

Source: G. Neven, N. Smart, B. Warinschi, "Hash function requirements for Schnorr signatures", 2009.
"""

NONCE_DOMAIN = b"plasmaperps/eddsa-poseidon2/nonce/2"
"""Sets the nonces of these signatures apart from any other use of a secret.

Its number rises with every change of the challenge: one nonce under two challenges for the same
digest gives the secret away.
"""


@dataclass(frozen=True, slots=True)
class Signature:
    """Commitment point R = (r_x, r_y) and response s."""

    r_x: int
    r_y: int
    s: int

    @property
    def r_point(self) -> Point:
        """The commitment as a point."""
        return (self.r_x, self.r_y)


class SignatureReject(StrEnum):
    """Why a signature is refused; the first failing check in this order is reported."""

    R_NOT_CANONICAL = "signature_r_not_canonical"
    S_NOT_CANONICAL = "signature_s_not_canonical"
    R_OFF_CURVE = "signature_r_off_curve"
    R_SMALL_ORDER = "signature_r_small_order"
    EQUATION = "signature_equation"


def public_key(secret: int) -> Point:
    """The public key A = secret * BASE8, as given to the registration.

    Raises: SignatureError unless 1 <= secret < l.
    """
    _require_secret(secret)
    return multiply_base8(secret)


def account_key(secret: int) -> Point:
    """The key K = 8A that the account stores after a registration of A."""
    _require_secret(secret)
    return multiply_base8(COFACTOR * secret)


def challenge(r_point: Point, key: Point, digest: int) -> int:
    """h, the low 128 bits of the hash of commitment, account key and digest.

    Points enter with their x alone, which no two points of the subgroup share: (x, -y) differs from
    -(x, y) by the point of order two.
    """
    hashed = hash_words(TAG_CHALLENGE, (r_point[0], key[0], digest))
    return hashed & (1 << CHALLENGE_BITS) - 1


def sign(secret: int, digest: int) -> Signature:
    """Sign a digest; the nonce is a hash of secret and digest, so equal input signs equally.

    Not constant in time: sign on a machine that nobody else can measure.
    Raises: SignatureError for a bad secret, FieldError for a digest not below r.
    """
    key = account_key(secret)
    require_canonical(digest, "digest")
    # 512 bits modulo a 251-bit order: the bias is below 2**-260.
    seed = NONCE_DOMAIN + secret.to_bytes(32, "big") + digest.to_bytes(32, "big")
    nonce = int.from_bytes(hashlib.sha512(seed).digest(), "big") % SUBGROUP_ORDER
    r_point = multiply_base8(nonce)
    h = challenge(r_point, key, digest)
    s = (nonce + h * COFACTOR * secret) % SUBGROUP_ORDER
    return Signature(r_point[0], r_point[1], s)


def satisfies_equation(key: Point, r_point: Point, s: int, h: int) -> bool:
    """True if s*BASE8 = R + h*K. Assumes: R on the curve, K in the subgroup."""
    product = extended_multiply(key, h)
    return extended_equal(extended_multiply_base8(s), extended_add(to_extended(r_point), product))


def verify(key: Point, digest: int, signature: Signature) -> SignatureReject | None:
    """None if the signature holds, else the first reason to refuse it.

    The chip asks for the image of R instead of its order; both accept the same signatures, because
    the equation puts R into the subgroup, whose only point without an image is the identity.

    Assumes: key came out of `clear_cofactor`, so it is in the subgroup and not the identity. Under
    a key off the curve nothing holds: there the formulas may end in (0, 0, 0, 0), equal to all.
    Raises: FieldError for a digest not below r.
    """
    require_canonical(digest, "digest")
    r_point = signature.r_point
    if not (is_canonical(signature.r_x) and is_canonical(signature.r_y)):
        return SignatureReject.R_NOT_CANONICAL
    if not 0 <= signature.s < SUBGROUP_ORDER:
        return SignatureReject.S_NOT_CANONICAL
    if not is_on_curve(r_point):
        return SignatureReject.R_OFF_CURVE
    if times_cofactor(r_point) == IDENTITY:
        return SignatureReject.R_SMALL_ORDER
    if not is_on_curve(key):
        return SignatureReject.EQUATION
    if not satisfies_equation(key, r_point, signature.s, challenge(r_point, key, digest)):
        return SignatureReject.EQUATION
    return None


def pack_signature(signature: Signature) -> bytes:
    """64 bytes: packed R, then s little-endian.

    Source: circomlibjs src/eddsa.js packSignature.
    Raises: CurveError for R off the curve, SignatureError for s not below l.
    """
    _require_scalar(signature.s)
    return pack_point(signature.r_point) + signature.s.to_bytes(PACKED_BYTES, "little")


def unpack_signature(packed: bytes) -> Signature:
    """The signature of `pack_signature`; each has exactly one accepted form.

    Raises: SignatureError for a wrong length or s not below l, CurveError for a bad R.
    """
    if len(packed) != SIGNATURE_BYTES:
        raise SignatureError("packed signature", f"{SIGNATURE_BYTES} bytes", f"{len(packed)} bytes")
    r_x, r_y = unpack_point(packed[:PACKED_BYTES])
    s = int.from_bytes(packed[PACKED_BYTES:], "little")
    _require_scalar(s)
    return Signature(r_x, r_y, s)


def _require_scalar(s: int) -> None:
    if not 0 <= s < SUBGROUP_ORDER:
        raise SignatureError("s", "a scalar below the subgroup order", s)


def _require_secret(secret: int) -> None:
    if not 1 <= secret < SUBGROUP_ORDER:
        raise SignatureError("secret", "1 <= secret < subgroup order", "a number out of range")
