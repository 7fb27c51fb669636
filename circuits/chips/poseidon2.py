"""Poseidon2 permutations: the table behind every hash of the statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U32, Columns, Field, Given
from circuits.air.expr import Expr
from circuits.chips.buses import HASH, PERMUTE
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
    Lanes,
    external_linear,
    internal_linear,
    is_full_round,
)

SBOX_COUNT = FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS

HashDemand = tuple[int, int, int, int, int]
PermuteDemand = tuple[int, int, int, int, int, int, int, int]


class Poseidon2Chip(Chip):
    """One permutation: its four inputs and the output of each of its 88 S-boxes.

    Soundness: between S-boxes everything is linear, so the constraints fix every S-box output
    and with them the outputs, given the inputs. Both counts are free: a row offers a true pair of
    input and output however often it is looked up.
    """

    name = "poseidon2"

    class Cols(Columns):
        inputs: Field[WIDTH]
        sbox: Field[SBOX_COUNT]  # in the order of use: 4 lanes of a full round, 1 of a partial
        count_hash: Given[U32]
        count_permute: Given[U32]

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
        b.provide(HASH, *c.inputs, state[0], times=c.count_hash)
        b.provide(PERMUTE, *c.inputs, *state, times=c.count_permute)


def _fifth_power(base: Expr) -> Expr:
    square = base * base
    return square * square * base


def fill(
    hash_demand: Mapping[HashDemand, int],
    permute_demand: Mapping[PermuteDemand, int],
) -> dict[str, Any]:
    """One row per distinct input, with the number of look-ups of either kind.

    Raises: ConstraintError when a demanded output is not that of the permutation.
    Cost: about 120 microseconds per row.
    """
    demands: tuple[Mapping[Any, int], ...] = (hash_demand, permute_demand)
    counts: dict[Lanes, list[int]] = {}
    for number, demand in enumerate(demands):
        for words, count in demand.items():
            counts.setdefault(words[:WIDTH], [0, 0])[number] += count
    traces = {inputs: trace(inputs) for inputs in counts}
    for demand in demands:
        for words in demand:
            _, outputs = traces[words[:WIDTH]]
            expected = outputs[: len(words) - WIDTH]
            if words[WIDTH:] != expected:
                raise ConstraintError(f"permutation of {words[:WIDTH]}", expected, words[WIDTH:])
    return {
        "inputs": [[inputs[lane] for inputs in counts] for lane in range(WIDTH)],
        "sbox": [[sbox[number] for sbox, _ in traces.values()] for number in range(SBOX_COUNT)],
        "count_hash": [count for count, _ in counts.values()],
        "count_permute": [count for _, count in counts.values()],
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
