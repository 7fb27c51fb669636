"""Many signatures at once, by compiled kernels: `circuits.signature.verify` with its speed."""

from collections.abc import Sequence

import numpy as np

from circuits.edwards import SUBGROUP_ORDER, Point
from circuits.field import is_canonical, require_canonical
from circuits.poseidon2 import TAG_CHALLENGE, sponge_iv
from circuits.signature import Signature, SignatureReject
from prover.kernels import edwards, fr, poseidon2

Request = tuple[Point, int, Signature]
"""Account key, digest and signature."""

_IV = sponge_iv(TAG_CHALLENGE, 5)
_REASONS = {
    edwards.HOLDS: None,
    edwards.OFF_CURVE: SignatureReject.R_OFF_CURVE,
    edwards.SMALL_ORDER: SignatureReject.R_SMALL_ORDER,
    edwards.EQUATION: SignatureReject.EQUATION,
}


def verify_many(requests: Sequence[Request]) -> list[SignatureReject | None]:
    """What `circuits.signature.verify` says of each request, in their order.

    Assumes: every key came out of `clear_cofactor`; under one off the curve nothing holds.
    Raises: FieldError for a digest not below r.
    Cost: about 3,600 multiplications a signature, split over all threads.
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
        found = edwards.verify(*_arrays([requests[number] for number in rows]))
        for number, code in zip(rows, found.tolist(), strict=True):
            verdicts[number] = _REASONS[code]
    return verdicts


def warm() -> None:
    """Compile every kernel that `verify_many` uses, or load it from the cache."""
    for module in (fr, poseidon2, edwards):
        module.warm()


def _malformed(signature: Signature) -> SignatureReject | None:
    """The first reason that needs no arithmetic; a signature without one fits the arrays."""
    if not (is_canonical(signature.r_x) and is_canonical(signature.r_y)):
        return SignatureReject.R_NOT_CANONICAL
    if not 0 <= signature.s < SUBGROUP_ORDER:
        return SignatureReject.S_NOT_CANONICAL
    return None


def _arrays(requests: Sequence[Request]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of R and K, S and the challenges, as `edwards.verify` takes them."""
    columns = zip(*map(_words, requests), strict=True)
    r_x, r_y, key_x, key_y, digest, s = map(fr.from_ints, columns)
    iv = np.broadcast_to(fr.constant(_IV), r_x.shape)
    state = poseidon2.permute(np.stack((r_x, r_y, key_x, iv), axis=1))
    lanes = (fr.add(state[:, 0].copy(), key_y), fr.add(state[:, 1].copy(), digest))
    state = poseidon2.permute(np.stack((*lanes, state[:, 2], state[:, 3]), axis=1))
    points = np.stack((r_x, r_y, key_x, key_y), axis=1)
    return points, fr.from_montgomery(s), fr.from_montgomery(state[:, 0].copy())


def _words(request: Request) -> tuple[int, ...]:
    key, digest, signature = request
    # A key that no array can hold is on the curve as little as this one.
    key_x, key_y = key if all(map(is_canonical, key)) else (0, 0)
    return signature.r_x, signature.r_y, key_x, key_y, digest, signature.s
