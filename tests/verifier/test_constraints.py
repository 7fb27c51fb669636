"""The last claim of the first sumcheck against the formula of the protocol, written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from random import Random

import pytest

from circuits.air.tape import evaluate_tape
from circuits.field import R
from prover.backend import Circuit
from prover.reference import ReferenceBackend
from tests.support.toy_system import toy_key, toy_shape, toy_system, toy_witness
from verifier.constraints import Batching, expected_claim, published_value
from verifier.key import VerifyingKey
from verifier.logup import challenge_inputs

KEYS = {
    "equal heights": toy_key(toy_shape(log_steps=2, log_words=2, log_chunk=4)),
    "high words": toy_key(toy_shape(log_steps=1, log_words=3, log_chunk=4)),
}
Columns = list[list[list[int]]]  # per chip and column, 2^log_height cells


@dataclass(frozen=True)
class Trial:
    """Columns of all chips with heights, words and challenges."""

    key: VerifyingKey
    columns: Columns
    heights: tuple[int, ...]
    words: tuple[int, ...]
    batching: Batching

    def evaluations(self, point: Sequence[int]) -> list[int]:
        return [
            extension(column, point[self.key.rounds - chip.log_height :])
            for chip, columns in zip(self.key.chips, self.columns, strict=True)
            for column in columns
        ]

    def expected(self, point: Sequence[int]) -> int:
        """What the verifier computes."""
        return expected_claim(
            self.key, self.heights, self.words, self.evaluations(point), point, self.batching
        )

    def formula(self, point: Sequence[int]) -> int:
        """sum_c kappa_c [eq_c sum a^i (C_i - (1 - act) C_i(0)) + lambda sum h + lambda^2 w z^x]."""
        batching, n = self.batching, self.key.rounds
        tau = [pow(batching.tau, 1 << bit, R) for bit in range(n)]
        evaluations = iter(self.evaluations(point))
        total, power = 0, 0
        for number, chip in enumerate(self.key.chips):
            own = point[n - chip.log_height :]
            rows = range(1 << chip.log_height)
            active = extension([int(row < self.heights[number]) for row in rows], own)
            values = [next(evaluations) for _ in range(chip.columns)]
            constraints = evaluate_tape(
                chip.tape, values, extension(rows, own), active,
                challenge_inputs(batching.alpha, batching.beta), self.words, R,
            )  # fmt: skip
            bracket = 0
            for value, zero in zip(constraints, chip.zero_values, strict=True):
                bracket += pow(batching.fold, power, R) * (value - (1 - active) * zero)
                power += 1
            for r, t in zip(own, tau[n - chip.log_height :], strict=True):
                bracket *= r * t + (1 - r) * (1 - t)
            bracket += batching.sum_weight * sum(values[chip.main_columns :])
            if number == self.key.pubdata_chip:
                powers = extension([pow(batching.word_base, row, R) for row in rows], own)
                bracket += batching.sum_weight**2 * values[0] * powers
            for r in point[: n - chip.log_height]:
                bracket *= r
            total += bracket
        return total % R


def extension(table: Sequence[int], point: Sequence[int]) -> int:
    values = list(table)
    for r in point:
        values = [((1 - r) * values[j] + r * values[j + 1]) % R for j in range(0, len(values), 2)]
    return values[0]


def draw_batching(rng: Random) -> Batching:
    return Batching(*(rng.randrange(R) for _ in range(6)))


def random_trial(key: VerifyingKey, rng: Random) -> Trial:
    columns = [
        [[rng.randrange(R) for _ in range(1 << chip.log_height)] for _ in range(chip.columns)]
        for chip in key.chips
    ]
    heights = tuple(rng.randrange((1 << chip.log_height) + 1) for chip in key.chips)
    words = tuple(rng.randrange(R) for _ in key.public_names)
    return Trial(key, columns, heights, words, draw_batching(rng))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_claim_is_the_formula_at_any_point(key: VerifyingKey, rng: Random) -> None:
    for _ in range(5):
        trial = random_trial(key, rng)
        point = [rng.randrange(R) for _ in range(key.rounds)]
        assert trial.expected(point) == trial.formula(point)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_claim_is_the_formula_at_every_corner(key: VerifyingKey, rng: Random) -> None:
    trial = random_trial(key, rng)
    for corner in product((0, 1), repeat=key.rounds):
        assert trial.expected(corner) == trial.formula(corner)


@cache
def honest_columns() -> tuple[tuple[int, ...], tuple[int, ...], Callable[[Batching], Trial]]:
    witness = toy_witness([1, 2, 3], [0, 2], [3])
    key = KEYS["equal heights"]
    backend = ReferenceBackend([(1, 2)] * (1 << key.log_chunk))

    def trial_for(batching: Batching) -> Trial:
        trace = backend.load(Circuit(key, toy_system()), witness.tables)
        backend.helpers(trace, challenge_inputs(batching.alpha, batching.beta), witness.words)
        columns = [[[int(v) for v in column] for column in chip] for chip in trace.columns]
        heights = tuple(witness.tables[chip.name].height for chip in key.chips)
        return Trial(key, columns, heights, witness.words, batching)

    return witness.words, witness.pubdata, trial_for


def cube_sum(trial: Trial) -> int:
    corners = product((0, 1), repeat=trial.key.rounds)
    return sum(trial.expected(corner) for corner in corners) % R


def test_over_the_cube_a_good_witness_leaves_the_published_words(rng: Random) -> None:
    _, pubdata, trial_for = honest_columns()
    for _ in range(3):
        batching = draw_batching(rng)
        claim = batching.sum_weight**2 * published_value(pubdata, batching.word_base) % R
        assert cube_sum(trial_for(batching)) == claim


# What no constraint of an inert row reads, or reads beside a zero: bus values, and bits.
FREE_WHEN_INERT = {
    "step": {"index", "position", "digit", "is_published"},
    "extra": {"digit", "square", "low"},
}


def test_over_the_cube_any_wrong_cell_is_seen(rng: Random) -> None:
    """Given one cell of any column moved, on an active row or on a padding row, main or helper."""
    _, pubdata, trial_for = honest_columns()
    batching = draw_batching(rng)
    claim = batching.sum_weight**2 * published_value(pubdata, batching.word_base) % R
    trial = trial_for(batching)
    chips = zip(toy_system().chips, trial.heights, trial.columns, strict=True)
    for chip, height, columns in chips:
        names = [each.name for each in (*chip.columns, *chip.helper_columns)]
        for name, column in zip(names, columns, strict=True):
            for row in sorted({0, len(column) - 1}):
                column[row] += 1
                is_free = row >= height and name in FREE_WHEN_INERT.get(chip.name, ())
                assert (cube_sum(trial) == claim) is is_free, (chip.name, name, row)
                column[row] -= 1


@pytest.mark.parametrize("pubdata", [(), (5,), (0, 0, 7), (R - 1, 1, 2, 3)])
def test_published_words_are_weighed_with_powers(pubdata: tuple[int, ...], rng: Random) -> None:
    base = rng.randrange(R)
    expected = sum(word * pow(base, j, R) for j, word in enumerate(pubdata)) % R
    assert published_value(pubdata, base) == expected
