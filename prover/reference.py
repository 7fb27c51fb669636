"""ReferenceBackend: the protocol's formulas over whole tables, one formula to a line.

Nothing is skipped, shared or guessed: every column is written out to its full height, and for the
first sumcheck to the height of the highest chip. Its proofs are the ones the kernels must match.

Arrays are galois arrays of Fr elements. Cost: about a microsecond per element and operation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import galois
import numpy as np

from circuits.air.tape import Tape, run_tape
from circuits.field import R
from prover.backend import Circuit, Tables
from prover.errors import SetupTooShort
from prover.interactions import group_ends, interaction_tape
from verifier.constraints import Batching
from verifier.logup import challenge_inputs
from verifier.pairing import multi_scalar
from verifier.sumcheck import squares
from verifier.transcript import Point

# 5 generates the multiplicative group, so galois need not factor r - 1 to find a generator.
Fr = galois.GF(R, primitive_element=5, verify=False)
Array: TypeAlias = galois.FieldArray


def eq_table(point: Sequence[int]) -> Array:
    """prod_b (1 - r_b)(1 - x_b) + r_b x_b for all x, coordinate 0 in the low bit of x."""
    table = Fr([1])
    for r in point:
        table = np.concatenate([table * Fr((1 - r) % R), table * Fr(r)])
    return table


def bind(table: Array, challenge: int) -> Array:
    """(1 - r) f[2j] + r f[2j+1]; also a table at one point t of the low variable."""
    return table[0::2] + Fr(challenge) * (table[1::2] - table[0::2])


def tape_values(
    tape: Tape,
    columns: Sequence[Array],
    row: Array,
    active: Array,
    challenges: Sequence[int],
    words: Sequence[int],
) -> list[Array]:
    """All emitted values, each an array over the rows."""
    values: list[Array] = [row] * tape.constraints
    fixed = [Fr(value) for value in (*tape.constants, *challenges, *words)]
    run_tape(
        tape,
        [*columns, row, active, *fixed],
        values.__setitem__,
        lambda a, b: a * b,
        lambda a, b: a + b,
        lambda a, b: a - b,
    )
    # A constraint that reads no row gives one value for all of them.
    return [value + Fr.Zeros(len(row)) for value in values]


def divide(f: Array, x: int) -> Array:
    """(f(X) - f(x)) / (X - x): q_j = sum over i > j of f_i x^(i-j-1)."""
    quotient = [Fr(0)]
    for value in f[:0:-1]:
        quotient.append(value + Fr(x) * quotient[-1])
    return Fr([int(value) for value in quotient[:0:-1]])


def total(values: Array) -> int:
    return int(np.sum(values))


@dataclass(frozen=True, slots=True)
class ReferenceTrace:
    """columns[c][j] over all 2^n_c rows of chip c, with [row < height] and the row number."""

    circuit: Circuit
    columns: list[list[Array]]
    active: list[Array]
    row: list[Array]

    def chunk(self, number: int) -> Array:
        """P_k."""
        key = self.circuit.key
        cells = Fr.Zeros(1 << key.log_chunk)
        for piece in key.layout.pieces:
            if piece.chunk == number:
                column = self.columns[piece.chip][piece.column]
                cells[piece.offset : piece.offset + len(column)] = column
        return cells


class ReferenceZerocheck:
    """G = sum_c kappa_c [eq_c sum_i a^i (C_i - (1 - act_c) C_i(0)) + lambda sum h] + published."""

    def __init__(self, trace: ReferenceTrace, batching: Batching, words: Sequence[int]) -> None:
        self._key, self._batching, self._words = trace.circuit.key, batching, words
        self._challenges = challenge_inputs(batching.alpha, batching.beta)
        tau_point = squares(batching.tau, self._key.rounds, R)
        # Per chip: kappa, equality, active, row, powers of the word base, then the columns.
        self._tables: list[list[Array]] = []
        for number, chip in enumerate(self._key.chips):
            missing = self._key.rounds - chip.log_height
            rows = 1 << chip.log_height
            powers = Fr([pow(batching.word_base, j, R) for j in range(rows)])
            low_variables = Fr([0] * ((1 << missing) - 1) + [1])
            own = [
                eq_table(tau_point[missing:]), trace.active[number], trace.row[number], powers,
                *trace.columns[number],
            ]  # fmt: skip
            self._tables.append(
                [np.tile(low_variables, rows), *(np.repeat(each, 1 << missing) for each in own)]
            )

    def _sum_at(self, t: int) -> int:
        """sum over the remaining variables of G with the lowest one set to t."""
        whole, weight = 0, Fr(1)
        for number, chip in enumerate(self._key.chips):
            bound = [bind(each, t) for each in self._tables[number]]
            kappa, equality, active, row, powers, *columns = bound
            values = tape_values(chip.tape, columns, row, active, self._challenges, self._words)
            constrained = Fr.Zeros(len(row))
            for value, zero in zip(values, chip.zero_values, strict=True):
                constrained += weight * (value - (Fr(1) - active) * Fr(zero))
                weight = weight * Fr(self._batching.fold)
            helpers = sum(columns[chip.main_columns :], Fr.Zeros(len(row)))
            bracket = equality * constrained + Fr(self._batching.sum_weight) * helpers
            if number == self._key.pubdata_chip:
                bracket += Fr(self._batching.sum_weight) ** 2 * columns[0] * powers
            whole += total(kappa * bracket)
        return whole % R

    def round_values(self) -> list[int]:
        return [self._sum_at(t) for t in range(self._key.round_degree + 1)]

    def bind(self, challenge: int) -> None:
        self._tables = [[bind(each, challenge) for each in chip] for chip in self._tables]

    def evaluations(self) -> list[int]:
        return [int(column[0]) for chip in self._tables for column in chip[5:]]


class ReferenceReduction:
    """sum_k P_k(y) W_k(y), W_k = sum over its columns of gamma^j eq(r_c, y_low) eq(o, y_high)."""

    def __init__(self, trace: ReferenceTrace, point: Sequence[int], gamma: int) -> None:
        key = trace.circuit.key
        chunks = range(key.layout.chunks)
        weights = [Fr.Zeros(1 << key.log_chunk) for _ in chunks]
        for number, piece in enumerate(key.layout.pieces):
            table = eq_table(point[key.rounds - piece.log_height :])
            place = slice(piece.offset, piece.offset + len(table))
            weights[piece.chunk][place] = Fr(pow(gamma, number, R)) * table
        self._pairs = [(trace.chunk(k), weights[k]) for k in chunks]

    def round_values(self) -> list[int]:
        return [sum(total(bind(p, t) * bind(w, t)) for p, w in self._pairs) % R for t in range(3)]

    def bind(self, challenge: int) -> None:
        self._pairs = [(bind(p, challenge), bind(w, challenge)) for p, w in self._pairs]


class ReferenceBackend:
    """Bound to a reference string: points [tau^i]_1 as integer pairs."""

    def __init__(self, bases: Sequence[Point]) -> None:
        self._bases = bases

    def load(self, circuit: Circuit, tables: Tables) -> ReferenceTrace:
        cells = 1 << circuit.key.log_chunk
        if len(self._bases) < cells:
            raise SetupTooShort("reference string", f"at least {cells} powers", len(self._bases))
        columns, active, row = [], [], []
        for chip in circuit.key.chips:
            table, rows = tables[chip.name], 1 << chip.log_height
            padding = [0] * (rows - table.height)
            columns.append([Fr(_integers(each) + padding) for each in table.columns])
            active.append(Fr([1] * table.height + padding))
            row.append(Fr(list(range(rows))))
        return ReferenceTrace(circuit, columns, active, row)

    def commit_chunks(self, trace: ReferenceTrace, chunks: range) -> list[Point]:
        return [self.commit(trace.chunk(number)) for number in chunks]

    def helpers(
        self, trace: ReferenceTrace, challenges: Sequence[int], words: Sequence[int]
    ) -> None:
        """h_g = sum over the group of act sign_j m_j / d_j."""
        for number, chip in enumerate(trace.circuit.system.chips):
            tape = interaction_tape(chip, len(words), R)
            columns, active = trace.columns[number], trace.active[number]
            values = tape_values(tape, columns, trace.row[number], active, challenges, words)
            denominators, numerators = (
                values[: len(chip.interactions)], values[len(chip.interactions) :],
            )  # fmt: skip
            begin = 0
            for end in group_ends(chip):
                helper = Fr.Zeros(len(active))
                for j in range(begin, end):
                    helper += active * numerators[j] / denominators[j]
                columns.append(helper)
                begin = end

    def zerocheck(
        self, trace: ReferenceTrace, batching: Batching, words: Sequence[int]
    ) -> ReferenceZerocheck:
        return ReferenceZerocheck(trace, batching, words)

    def reduction(
        self, trace: ReferenceTrace, point: Sequence[int], gamma: int
    ) -> ReferenceReduction:
        return ReferenceReduction(trace, point, gamma)

    def combine(self, trace: ReferenceTrace, weights: Sequence[int]) -> Array:
        combined = Fr.Zeros(1 << trace.circuit.key.log_chunk)
        for number, weight in enumerate(weights):
            combined += Fr(weight) * trace.chunk(number)
        return combined

    def commit(self, polynomial: Array) -> Point:
        scalars = [int(value) for value in polynomial]
        used = [(point, s) for point, s in zip(self._bases, scalars, strict=False) if s]
        return multi_scalar([point for point, _ in used], [s for _, s in used])

    def fold(self, polynomial: Array, challenge: int) -> Array:
        return bind(polynomial, challenge)

    def evaluate(self, polynomial: Array, x: int) -> int:
        return sum(int(value) * pow(x, i, R) for i, value in enumerate(polynomial)) % R

    def divide_pairs(self, terms: Iterable[tuple[Array, int, int, int]], length: int) -> Array:
        result = Fr.Zeros(length)
        for f, root, plus, minus in terms:
            for weight, x in ((plus, root), (minus, -root % R)):
                result[: len(f) - 1] += Fr(weight) * divide(f, x)
        return result

    def divide_sum(self, terms: Iterable[tuple[int, Array]], x: int) -> Array:
        taken = list(terms)
        total = Fr.Zeros(max(len(f) for _, f in taken))
        for weight, f in taken:
            total[: len(f)] += Fr(weight) * f
        return divide(total, x)

    def eval_tape(
        self,
        tape: Tape,
        columns: Sequence[int],
        row: int,
        active: int,
        challenges: Sequence[int],
        words: Sequence[int],
    ) -> list[int]:
        cells = [Fr([value]) for value in columns]
        values = tape_values(tape, cells, Fr([row]), Fr([active]), challenges, words)
        return [int(value[0]) for value in values]


def _integers(column: np.ndarray) -> list[int]:
    """Cells of a typed column: plain, or four limbs, low first."""
    if column.ndim == 1:
        return [int(value) for value in column]
    return [sum(int(limb) << (64 * k) for k, limb in enumerate(cell)) for cell in column]
