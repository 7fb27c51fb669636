"""The yardstick's trades and constants for the circom program: the project's own signatures.

The program checks what this project's chips check of an order: S B = R + h K over BabyJubJub with
h the low 128 bits of the Poseidon2 hash of R.x, K.x and the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.peers.trades import ORDERS, chain, draw, draw_values
from circuits.edwards import (
    BASE8,
    IDENTITY,
    SUBGROUP_ORDER,
    A,
    D,
    Point,
    add,
    multiply,
    negate,
    times_cofactor,
)
from circuits.field import R, inverse, square_root
from circuits.poseidon2 import (
    FULL_ROUND_CONSTANTS,
    INTERNAL_DIAGONAL,
    PARTIAL_ROUND_CONSTANTS,
    TAG_CHALLENGE,
    sponge_iv,
)
from circuits.signature import CHALLENGE_BITS, Signature, account_key, sign

LADDER_STEPS = CHALLENGE_BITS
WINDOWS = 126
WINDOW_BITS = 2
_CHALLENGE_WORDS = 3

Nested = int | Sequence["Nested"]


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """A message with the account's key and its signature."""

    key: Point
    message: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class SignedTrade:
    """Two signed orders, and the values that enter one permutation each."""

    orders: tuple[SignedOrder, SignedOrder]
    values: tuple[int, ...]


def signed_trades(count: int) -> list[SignedTrade]:
    """Trades between distinct accounts, with the messages and values of `grumpkin_trades`."""
    trades = []
    for index in range(count):
        first, second = (_signed_order(index, side) for side in range(ORDERS))
        trades.append(SignedTrade((first, second), draw_values(index)))
    return trades


def _signed_order(index: int, side: int) -> SignedOrder:
    secret = 1 + draw(SUBGROUP_ORDER - 1, "secret", index, side)
    message = draw(R, "message", index, side)
    return SignedOrder(account_key(secret), message, sign(secret, message))


def circom_inputs(trades: Sequence[SignedTrade]) -> dict[str, Any]:
    """The signals of `Yardstick` in circom/yardstick.circom by name, numbers as decimal text."""
    orders = [trade.orders for trade in trades]
    return {
        "key": [[list(map(str, order.key)) for order in pair] for pair in orders],
        "commitment": [
            [list(map(str, order.signature.r_point)) for order in pair] for pair in orders
        ],
        "response": [[str(order.signature.s) for order in pair] for pair in orders],
        "message": [[str(order.message) for order in pair] for pair in orders],
        "value": [list(map(str, trade.values)) for trade in trades],
    }


def public_word(trades: Sequence[SignedTrade]) -> int:
    """What the program must put out for these trades."""
    messages = [[order.message for order in trade.orders] for trade in trades]
    return chain(messages, [trade.values for trade in trades])


def unrelated_point(*place: object) -> Point:
    """A point of the prime-order subgroup that nobody knows a multiple of."""
    for attempt in range(128):
        y = draw(R, "unrelated", *place, attempt)
        x = square_root((1 - y * y) * inverse(A - D * y * y) % R)
        if x is not None:
            point = times_cofactor((x, y))
            if point != IDENTITY:
                return point
    raise AssertionError("half of all numbers are coordinates")


def to_montgomery(point: Point) -> tuple[int, int]:
    """The point on v^2 = u^3 + 168698 u^2 + u. Assumes: neither coordinate is special."""
    x, y = point
    u = (1 + y) * inverse(1 - y) % R
    return u, u * inverse(x) % R


def base_windows() -> tuple[list[list[Point]], Point]:
    """For each window the points d 4^i B + G_i for d = 0..3, and minus the sum of all G_i."""
    rows, base, total = [], BASE8, IDENTITY
    for index in range(WINDOWS):
        shift = unrelated_point("window", index)
        total = add(total, shift)
        row = [shift]
        for _ in range((1 << WINDOW_BITS) - 1):
            row.append(add(row[-1], base))
        rows.append(row)
        base = add(add(row[-1], base), negate(shift))
    return rows, negate(total)


def constants() -> str:
    """The text of constants.circom: functions that return the numbers which the templates use."""
    start = unrelated_point("ladder")
    windows, correction = base_windows()
    functions: dict[str, tuple[str, Nested]] = {
        "full_round_constants": ("[8][4]", FULL_ROUND_CONSTANTS),
        "partial_round_constants": ("[56]", PARTIAL_ROUND_CONSTANTS),
        "internal_diagonal": ("[4]", INTERNAL_DIAGONAL),
        "challenge_iv": ("", sponge_iv(TAG_CHALLENGE, _CHALLENGE_WORDS)),
        "subgroup_order": ("", SUBGROUP_ORDER),
        "ladder_start": ("[2]", to_montgomery(start)),
        "ladder_correction": ("[2]", negate(multiply(start, 1 << LADDER_STEPS))),
        "base_table": (
            f"[{WINDOWS}][{1 << WINDOW_BITS}][2]",
            [[to_montgomery(point) for point in row] for row in windows],
        ),
        "base_correction": ("[2]", correction),
    }
    texts = [
        f"function {name}() {{\n    var got{shape} = {_literal(value)};\n    return got;\n}}\n"
        for name, (shape, value) in functions.items()
    ]
    return "\n".join(["pragma circom 2.1.6;\n", *texts])


def _literal(value: Nested) -> str:
    if isinstance(value, int):
        return str(value)
    return f"[{', '.join(map(_literal, value))}]"
