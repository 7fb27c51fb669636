"""Step 3, end: what the first sumcheck's last claim must be, from the claimed column values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.air.tape import evaluate_tape
from circuits.field import R
from verifier.key import VerifyingKey
from verifier.logup import challenge_inputs
from verifier.sumcheck import activity, equality, powers_at, row_number, squares


@dataclass(frozen=True, slots=True)
class Batching:
    """Challenges of steps 1 and 2, in the order in which they are drawn."""

    alpha: int
    beta: int
    fold: int  # a: powers weight the constraints
    tau: int  # squares of it are the equality point
    sum_weight: int  # lambda: weight of the helper sums; its square weighs the published words
    word_base: int  # z_pub: published word j has weight z_pub^j


def published_value(pubdata: Sequence[int], word_base: int) -> int:
    """sum_j pubdata[j] word_base^j, by Horner as the contract does it."""
    value = 0
    for word in reversed(pubdata):
        value = (value * word_base + word) % R
    return value


def expected_claim(
    key: VerifyingKey,
    heights: Sequence[int],
    words: Sequence[int],
    evaluations: Sequence[int],
    point: Sequence[int],
    batching: Batching,
) -> int:
    """sum_c kappa_c [eq_c sum_i a^i (C_i - (1 - act_c) C_i(0)) + lambda sum h] + published part.

    `evaluations` are all column values in chip order at the chips' own coordinates of `point`.
    Source: protocol 3.3.
    """
    tau_point = squares(batching.tau, key.rounds, R)
    challenges = challenge_inputs(batching.alpha, batching.beta)
    total, weight, position, product = 0, 1, 0, [1]
    for x in point:
        product.append(product[-1] * x % R)
    for number, chip in enumerate(key.chips):
        missing = key.rounds - chip.log_height
        chip_point = point[missing:]
        active = activity(heights[number], chip_point, R)
        values = evaluations[position : position + chip.columns]
        position += chip.columns
        results = evaluate_tape(
            chip.tape, values, row_number(chip_point, R), active, challenges, words, R
        )
        constrained = 0
        for result, zero in zip(results, chip.zero_values, strict=True):
            constrained += weight * (result - (1 - active) * zero)
            weight = weight * batching.fold % R
        term = equality(tau_point[missing:], chip_point, R) * constrained
        term += batching.sum_weight * sum(values[chip.main_columns :])
        if number == key.pubdata_chip:
            powers = powers_at(batching.word_base, chip_point, R)
            term += batching.sum_weight**2 * values[0] * powers
        total = (total + product[missing] * term) % R
    return total
