"""Many signatures at once, by compiled kernels: `circuits.signature` with their speed."""

import hashlib
from collections.abc import Sequence

import numpy as np

from circuits.edwards import COFACTOR, SUBGROUP_ORDER, Point
from circuits.errors import SignatureError
from circuits.field import is_canonical, require_canonical
from circuits.poseidon2 import TAG_CHALLENGE, sponge_iv
from circuits.signature import CHALLENGE_BITS, NONCE_DOMAIN, Signature, SignatureReject
from circuits.witness.table import integers
from prover.kernels import edwards_base, edwards_verify, fr, poseidon2
from prover.kernels.edwards_verify_rows import EQUATION, HOLDS, OFF_CURVE, SMALL_ORDER

Request = tuple[Point, int, Signature]
"""Account key, digest and signature."""

SigningRequest = tuple[int, int]
"""Secret and digest."""

# As in `circuits.signature.sign`, whose signatures these are to the last bit.
_SCALAR_BYTES = 32
_WORDS = 6  # of a request
_IV = sponge_iv(TAG_CHALLENGE, 3)
_REASONS = {
    HOLDS: None,
    OFF_CURVE: SignatureReject.R_OFF_CURVE,
    SMALL_ORDER: SignatureReject.R_SMALL_ORDER,
    EQUATION: SignatureReject.EQUATION,
}


def verify_many(requests: Sequence[Request]) -> list[SignatureReject | None]:
    """What `circuits.signature.verify` says of each request, in their order.

    Assumes: every key came out of `clear_cofactor`; under one off the curve nothing holds.
    Raises: FieldError for a digest not below r.
    Cost: about 2,200 multiplications a signature, split over all threads.
    """
    verdicts: list[SignatureReject | None] = []
    rows = []
    for number, (_, digest, signature) in enumerate(requests):
        require_canonical(digest, f"request {number}: digest")
        verdict = _malformed(signature)
        if verdict is None:
            rows.append(number)
        verdicts.append(verdict)
    if rows:
        found = edwards_verify.verify(*_arrays([requests[number] for number in rows]))
        for number, code in zip(rows, found.tolist(), strict=True):
            verdicts[number] = _REASONS[code]
    return verdicts


def sign_many(
    requests: Sequence[SigningRequest], keys: Sequence[Point] | None = None
) -> list[Signature]:
    """What `circuits.signature.sign` makes of each secret and digest, in their order.

    Not constant in time: sign on a machine that nobody else can measure.
    Assumes: `keys`, if the caller has them already, are the account keys of the secrets.
    Raises: SignatureError for a bad secret or another number of keys, FieldError for a digest
    not below r.
    Cost: about 700 multiplications a signature, and 260 without `keys`, over all threads.
    """
    for number, (secret, digest) in enumerate(requests):
        _require_secret(secret, number)
        require_canonical(digest, f"request {number}: digest")
    if keys is not None and len(keys) != len(requests):
        raise SignatureError("keys", f"{len(requests)}, one for each request", len(keys))
    if not requests:
        return []
    if keys is None:
        key_points = _base_products([COFACTOR * secret for secret, _ in requests])
    else:
        key_points = fr.from_ints(word for key in keys for word in key).reshape(-1, 2, 4)
    nonces = [_nonce(secret, digest) for secret, digest in requests]
    r_points = _base_products(nonces)
    digests = fr.from_ints(digest for _, digest in requests)
    hashes = challenge_hashes(r_points[:, 0].copy(), key_points[:, 0].copy(), digests)
    challenges = [word & (1 << CHALLENGE_BITS) - 1 for word in integers(hashes)]
    words = iter(fr.to_ints(r_points.reshape(-1, 4)))
    return [
        Signature(r_x, r_y, (nonce + h * COFACTOR * secret) % SUBGROUP_ORDER)
        for r_x, r_y, nonce, h, (secret, _) in zip(
            words, words, nonces, challenges, requests, strict=True
        )
    ]


def account_keys(secrets: Sequence[int]) -> list[Point]:
    """`circuits.signature.account_key` of every secret.

    Raises: SignatureError unless 1 <= secret < l.
    """
    for number, secret in enumerate(secrets):
        _require_secret(secret, number)
    points = _base_products([COFACTOR * secret for secret in secrets])
    words = iter(fr.to_ints(points.reshape(-1, 4)))
    return list(zip(words, words, strict=True))


def challenge_hashes(r_x: np.ndarray, key_x: np.ndarray, digests: np.ndarray) -> np.ndarray:
    """The hashes whose low 128 bits are the challenges, as plain integers uint64[n, 4].

    Shape: x of commitments and keys, and digests, uint64[n, 4] in Montgomery form.
    """
    iv = np.broadcast_to(fr.constant(_IV), digests.shape)
    hashed = poseidon2.permute(np.stack((r_x, key_x, digests, iv), axis=1))
    return fr.from_montgomery(hashed[:, 0].copy())


def request_words(requests: Sequence[Request]) -> np.ndarray:
    """R, K, digest and S of every request as plain integers: uint64[6, n, 4].

    Raises: OverflowError for a number that is not in 0 .. 2^256 - 1.
    """
    rows = [
        (signature.r_x, signature.r_y, *key, digest, signature.s)
        for key, digest, signature in requests
    ]
    data = b"".join([word.to_bytes(_SCALAR_BYTES, "little") for row in rows for word in row])
    return np.frombuffer(data, dtype="<u8").reshape(len(rows), _WORDS, 4).swapaxes(0, 1).copy()


def warm() -> None:
    """Compile every kernel of this module's functions, or load it from the cache."""
    for module in (fr, poseidon2, edwards_verify, edwards_base):
        module.warm()


def _malformed(signature: Signature) -> SignatureReject | None:
    """The first reason that needs no arithmetic; a signature without one fits the arrays."""
    if not (is_canonical(signature.r_x) and is_canonical(signature.r_y)):
        return SignatureReject.R_NOT_CANONICAL
    if not 0 <= signature.s < SUBGROUP_ORDER:
        return SignatureReject.S_NOT_CANONICAL
    return None


def _require_secret(secret: int, number: int) -> None:
    if not 1 <= secret < SUBGROUP_ORDER:
        expected = "1 <= secret < subgroup order"
        raise SignatureError(f"request {number}: secret", expected, "a number out of range")


def _nonce(secret: int, digest: int) -> int:
    """A hash of secret and digest, so that equal input signs equally."""
    seed = secret.to_bytes(_SCALAR_BYTES, "big") + digest.to_bytes(_SCALAR_BYTES, "big")
    hashed = hashlib.sha512(NONCE_DOMAIN + seed).digest()
    return int.from_bytes(hashed, "big") % SUBGROUP_ORDER


def _base_products(scalars: Sequence[int]) -> np.ndarray:
    """Every scalar below 2^256 times BASE8, uint64[n, 2, 4]."""
    data = b"".join(scalar.to_bytes(_SCALAR_BYTES, "little") for scalar in scalars)
    digits = np.frombuffer(data, dtype=np.uint8).reshape(-1, _SCALAR_BYTES)
    return edwards_base.multiply_base8(digits)


def _arrays(requests: Sequence[Request]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of R and K, S and the challenges, as `edwards_verify.verify` takes them."""
    *words, s = request_words(list(map(_with_canonical_key, requests)))
    r_x, r_y, key_x, key_y, digest = map(fr.to_montgomery, words)
    points = np.stack((r_x, r_y, key_x, key_y), axis=1)
    h = challenge_hashes(r_x, key_x, digest)
    h[:, CHALLENGE_BITS // 64 :] = 0
    return points, s, h


def _with_canonical_key(request: Request) -> Request:
    """A key that no array can hold is on the curve as little as this one."""
    key, digest, signature = request
    return request if all(map(is_canonical, key)) else ((0, 0), digest, signature)
