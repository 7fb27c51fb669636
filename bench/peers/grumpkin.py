"""Grumpkin, the curve y^2 = x^3 - 17 over Fr of order Q, and Schnorr signatures on it.

Only for inputs of measurements: plain integers, nothing constant in time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from circuits.field import Q, R
from circuits.poseidon2 import permute
from circuits.signature import CHALLENGE_BITS

Point = tuple[int, int]

CONSTANT = -17
# The first generator of Barretenberg's Pedersen hash. Barretenberg looks multiples of it up in a
# table; of the curve's usual generator it computes them.
GENERATOR: Point = (
    0x083E7911D835097629F0067531FC15CAFD79A89BEECB39903F69572C636F4A5A,
    0x1A7F5EFAAD7F315C25A918F30CC8D7333FCCAB7AD7C90F14DE81BCC528F9935D,
)


@dataclass(frozen=True, slots=True)
class Order:
    """A signed message: everything that the peer's program reads for one signature."""

    key: Point
    message: int
    challenge: int
    response: int


def is_on_curve(point: Point) -> bool:
    """True if the coordinates satisfy the curve equation."""
    x, y = point
    return (y * y - x * x * x - CONSTANT) % R == 0


def add(left: Point | None, right: Point | None) -> Point | None:
    """Sum of two points; None is the neutral one."""
    if left is None or right is None:
        return right if left is None else left
    (x_left, y_left), (x_right, y_right) = left, right
    if x_left == x_right:
        if (y_left + y_right) % R == 0:
            return None
        slope = 3 * x_left * x_left * pow(2 * y_left, -1, R)
    else:
        slope = (y_right - y_left) * pow(x_right - x_left, -1, R)
    x = (slope * slope - x_left - x_right) % R
    return x, (slope * (x_left - x) - y_left) % R


def multiply(point: Point | None, scalar: int) -> Point | None:
    """`scalar` times a point. Cost: some 400 inversions for a scalar of full width."""
    total = None
    for bit in f"{scalar % Q:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def sign(secret: int, message: int) -> Order:
    """Sign with the challenge e and s = c - e k, so that C = sG + eK.

    Assumes: 0 < secret < Q and message < R, both canonical.
    """
    seed = b"bench/peers nonce" + secret.to_bytes(32, "big") + message.to_bytes(32, "big")
    nonce = int.from_bytes(hashlib.sha512(seed).digest(), "big") % Q
    key, commitment = multiply(GENERATOR, secret), multiply(GENERATOR, nonce)
    assert key is not None
    assert commitment is not None
    challenge = _challenge(commitment, key, message)
    return Order(key, message, challenge, (nonce - challenge * secret) % Q)


def is_valid(order: Order) -> bool:
    """True if the signature holds: what the peer's program proves of each order."""
    commitment = add(multiply(GENERATOR, order.response), multiply(order.key, order.challenge))
    if commitment is None or not is_on_curve(order.key):
        return False
    return _challenge(commitment, order.key, order.message) == order.challenge


def _challenge(commitment: Point, key: Point, message: int) -> int:
    """e, the low bits of Poseidon2(C.x, K.x, K.y, message)[0]: as many as this project takes."""
    return permute((commitment[0], *key, message))[0] & (1 << CHALLENGE_BITS) - 1
