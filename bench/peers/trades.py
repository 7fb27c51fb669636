"""The trades of the yardstick as inputs of a peer's program: the same for every run of a size."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.peers.grumpkin import Order, sign
from circuits.field import Q, R
from circuits.poseidon2 import permute

ORDERS = 2
PERMUTATIONS = 20
VALUE_BITS = 64
_HALF_BITS = 128


@dataclass(frozen=True, slots=True)
class Trade:
    """Two signed orders, and the values that enter one permutation each."""

    orders: tuple[Order, Order]
    values: tuple[int, ...]


def draw(bound: int, *place: object) -> int:
    """A number below `bound` that depends on its place alone."""
    seed = "/".join(("bench/peers", *map(str, place))).encode()
    return int.from_bytes(hashlib.sha512(seed).digest(), "big") % bound


def draw_values(trade: int) -> tuple[int, ...]:
    """The ranged values of one trade."""
    return tuple(draw(1 << VALUE_BITS, "value", trade, index) for index in range(PERMUTATIONS))


def grumpkin_trades(count: int) -> list[Trade]:
    """Trades between distinct accounts. Cost: some 40 ms each."""
    trades = []
    for index in range(count):
        first, second = (
            sign(1 + draw(Q - 1, "secret", index, side), draw(R, "message", index, side))
            for side in range(ORDERS)
        )
        trades.append(Trade((first, second), draw_values(index)))
    return trades


def chain(messages: Sequence[Sequence[int]], values: Sequence[Sequence[int]]) -> int:
    """The public word: through all trades, each value is added to lane 0 and the state permuted."""
    chained = 0
    for (first, second), added in zip(messages, values, strict=True):
        state = (chained, first, second, 0)
        for value in added:
            state = permute(((state[0] + value) % R, *state[1:]))
        chained = state[0]
    return chained


def noir_inputs(trades: Sequence[Trade]) -> dict[str, Any]:
    """The arguments of `main` in noir/src/main.nr by name, numbers as hexadecimal text."""
    return {"trades": [_noir_trade(trade) for trade in trades]}


def _noir_trade(trade: Trade) -> dict[str, Any]:
    return {
        "orders": [
            {
                "key_x": hex(order.key[0]),
                "key_y": hex(order.key[1]),
                "message": hex(order.message),
                "response_low": hex(order.response % (1 << _HALF_BITS)),
                "response_high": hex(order.response >> _HALF_BITS),
                "challenge": hex(order.challenge),
            }
            for order in trade.orders
        ],
        "values": [hex(value) for value in trade.values],
    }


def noir_public_word(trades: Sequence[Trade]) -> int:
    """What `main` must return for these trades."""
    messages = [[order.message for order in trade.orders] for trade in trades]
    return chain(messages, [trade.values for trade in trades])
