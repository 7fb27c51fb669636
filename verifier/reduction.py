"""Step 5: all column claims become one claim about a weighted sum of the chunks."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.field import R
from verifier.key import VerifyingKey
from verifier.sumcheck import equality


def combined_claim(evaluations: Sequence[int], gamma: int) -> int:
    """sum_j gamma^j v_j over all columns in chip order."""
    total = 0
    for value in reversed(evaluations):
        total = (total * gamma + value) % R
    return total


def chunk_weights(
    key: VerifyingKey, point: Sequence[int], gamma: int, rho: Sequence[int]
) -> list[int]:
    """omega_k = sum over the columns of chunk k of gamma^j eq(r_c, rho_low) eq(offset, rho_high).

    `point` is the first sumcheck's point, `rho` the second one's; a chip's rows are the low
    coordinates of rho. Source: protocol 3.4.
    """
    row_factors = []
    for chip in key.chips:
        chip_point = point[key.rounds - chip.log_height :]
        row_factors.append(equality(chip_point, rho[: chip.log_height], R))
    weights = [0] * key.layout.chunks
    power = 1
    for piece in key.layout.pieces:
        block = piece.offset >> piece.log_height
        factor = power * row_factors[piece.chip] % R
        for bit, x in enumerate(rho[piece.log_height :]):
            factor = factor * (x if block >> bit & 1 else 1 - x) % R
        weights[piece.chunk] = (weights[piece.chunk] + factor) % R
        power = power * gamma % R
    return weights
