"""Column claims become one: the weights are the extensions of what each column is weighed with."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.field import R
from tests.support.toy_system import toy_key, toy_shape
from verifier.key import VerifyingKey
from verifier.reduction import chunk_weights, combined_claim

KEYS = [toy_key(toy_shape()), toy_key(toy_shape(log_steps=1, log_words=5))]


def weights_at(point: list[int]) -> list[int]:
    """eq(point, x) for all x, low bit first."""
    table = [1]
    for r in point:
        table = [v * (1 - r) % R for v in table] + [v * r % R for v in table]
    return table


@given(values=st.lists(st.integers(0, R - 1), max_size=8), gamma=st.integers(0, R - 1))
def test_claims_are_weighed_with_powers(values: list[int], gamma: int) -> None:
    expected = sum(value * pow(gamma, j, R) for j, value in enumerate(values)) % R
    assert combined_claim(values, gamma) == expected


@pytest.mark.parametrize("key", KEYS, ids=[key.shape_name for key in KEYS])
def test_weights_extend_the_weight_of_every_cell(key: VerifyingKey, rng: Random) -> None:
    """Given random chunks, sum_k omega_k P_k(rho) is the extension of sum_k P_k W_k's factors."""
    point = [rng.randrange(R) for _ in range(key.rounds)]
    rho = [rng.randrange(R) for _ in range(key.log_chunk)]
    gamma = rng.randrange(R)
    cells = [[0] * (1 << key.log_chunk) for _ in range(key.layout.chunks)]
    for number, piece in enumerate(key.layout.pieces):
        rows = weights_at(point[key.rounds - piece.log_height :])
        for row, weight in enumerate(rows):
            cells[piece.chunk][piece.offset + row] += pow(gamma, number, R) * weight
    at_rho = weights_at(rho)
    expected = [sum(w * e for w, e in zip(chunk, at_rho, strict=True)) % R for chunk in cells]
    assert chunk_weights(key, point, gamma, rho) == expected


@pytest.mark.parametrize("key", KEYS, ids=[key.shape_name for key in KEYS])
def test_column_claims_are_one_claim_about_the_chunks(key: VerifyingKey, rng: Random) -> None:
    """Given random columns, their values weighed with gamma are sum_k sum_y P_k(y) W_k(y)."""
    point = [rng.randrange(R) for _ in range(key.rounds)]
    gamma = rng.randrange(R)
    chunks = [
        [rng.randrange(R) for _ in range(1 << key.log_chunk)] for _ in range(key.layout.chunks)
    ]
    values, total = [], 0
    for number, piece in enumerate(key.layout.pieces):
        rows = weights_at(point[key.rounds - piece.log_height :])
        column = chunks[piece.chunk][piece.offset :][: len(rows)]
        values.append(sum(v * w for v, w in zip(column, rows, strict=True)) % R)
        # On the corners of the cube the weights are W_k(y) themselves.
        for row in range(len(rows)):
            corner = piece.offset + row
            bits = [corner >> bit & 1 for bit in range(key.log_chunk)]
            weights = chunk_weights(key, point, gamma, bits)
            assert weights[piece.chunk] == pow(gamma, number, R) * rows[row] % R
            total += weights[piece.chunk] * column[row]
    assert combined_claim(values, gamma) == total % R
