"""Poseidon2 permutations: the table behind every hash of the statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U32, Columns, Field, Given
from circuits.air.expr import Expr
from circuits.chips.buses import HASH
from circuits.errors import ConstraintError
from circuits.field import R
from circuits.poseidon2 import (
    FULL_ROUND_CONSTANTS,
    FULL_ROUNDS,
    INTERNAL_DIAGONAL,
    PARTIAL_ROUND_CONSTANTS,
    PARTIAL_ROUNDS,
    ROUND_CONSTANTS,
    WIDTH,
    external_linear,
    internal_linear,
    is_full_round,
)

SBOX_COUNT = FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS

HashDemand = tuple[int, int, int, int, int]
"""Inputs and the first output."""


class Poseidon2Chip(Chip):
    """One permutation: its four inputs and the output of each of its 88 S-boxes.

    Soundness: between S-boxes everything is linear, so the constraints fix every S-box output
    and with them the outputs, given the inputs. Counts are free: a row offers a true pair of
    inputs and output however often it is looked up.
    """

    name = "poseidon2"

    class Cols(Columns):
        inputs: Field[WIDTH]
        sbox: Field[SBOX_COUNT]  # in the order of use: 4 lanes of a full round, 1 of a partial
        count: Given[U32]

    def constrain(self, c: Any, b: Builder) -> None:
        state = external_linear(c.inputs)
        remaining = iter(c.sbox)
        for round_index, constants in enumerate(ROUND_CONSTANTS):
            is_full = is_full_round(round_index)
            after = list(state)
            for lane in range(WIDTH if is_full else 1):
                after[lane] = next(remaining)
                power = _fifth_power(state[lane] + constants[lane])
                b.assert_eq(f"round {round_index} lane {lane}", after[lane], power)
            state = external_linear(after) if is_full else internal_linear(after)
        b.provide(HASH, *c.inputs, state[0], times=c.count)


def _fifth_power(base: Expr) -> Expr:
    square = base * base
    return square * square * base


def fill(demand: Mapping[HashDemand, int]) -> dict[str, Any]:
    """One row per distinct input, with the number of its look-ups.

    Raises: ConstraintError when a demanded output is not that of the permutation.
    Cost: about 120 microseconds per row.
    """
    traces = []
    for words in demand:
        sbox, outputs = trace(words[:WIDTH])
        if words[WIDTH] != outputs[0]:
            raise ConstraintError(f"hash of {words[:WIDTH]}", outputs[0], words[WIDTH])
        traces.append(sbox)
    return {
        "inputs": [[words[lane] for words in demand] for lane in range(WIDTH)],
        "sbox": [[sbox[number] for sbox in traces] for number in range(SBOX_COUNT)],
        "count": list(demand.values()),
    }


def trace(inputs: Sequence[int]) -> tuple[list[int], tuple[int, int, int, int]]:
    """All S-box outputs of one permutation and its four outputs, as canonical numbers."""
    sbox: list[int] = []
    half = FULL_ROUNDS // 2
    state = _trace_full(external_linear(inputs), FULL_ROUND_CONSTANTS[:half], sbox)
    a, b, c, d = state
    diagonal_a, diagonal_b, diagonal_c, diagonal_d = INTERNAL_DIAGONAL
    for round_constant in PARTIAL_ROUND_CONSTANTS:
        a += round_constant
        square = a * a % R
        a = square * square * a % R
        sbox.append(a)
        total = a + b + c + d
        a = (a * diagonal_a + total) % R
        b = (b * diagonal_b + total) % R
        c = (c * diagonal_c + total) % R
        d = (d * diagonal_d + total) % R
    a, b, c, d = _trace_full((a, b, c, d), FULL_ROUND_CONSTANTS[half:], sbox)
    return sbox, (a % R, b % R, c % R, d % R)


def _trace_full(
    state: Sequence[int], rounds: Sequence[tuple[int, ...]], sbox: list[int]
) -> tuple[int, int, int, int]:
    a, b, c, d = state
    for constants in rounds:
        powers = []
        for lane, round_constant in zip((a, b, c, d), constants, strict=True):
            base = lane + round_constant
            square = base * base % R
            powers.append(square * square * base % R)
        sbox += powers
        a, b, c, d = external_linear(powers)
    return a, b, c, d
