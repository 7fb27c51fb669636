"""KernelBackend: the prover's array operations on compiled kernels, all threads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.air.tape import Tape
from circuits.field import R
from prover.backend import Circuit, Tables
from prover.compiled.columns import ChipColumns
from prover.compiled.reduction import KernelReduction
from prover.compiled.zerocheck import (
    ChipClaim,
    ChipPart,
    ChipRounds,
    ChipRows,
    KernelZerocheck,
    WordRounds,
)
from prover.errors import SetupTooShort
from prover.interactions import group_ends, interaction_tape
from prover.kernels import fr
from prover.kernels.cells import MONTGOMERY, as_argument, expand, places_of
from prover.kernels.fold import Stacked, add_stacked
from prover.kernels.logup import helper_columns
from prover.kernels.msm import Piece, msm, msm_many
from prover.kernels.opening import DividedPair, divide_pairs, divide_sum
from prover.kernels.plan import make_plan
from prover.kernels.program import value_program
from prover.kernels.tape import RowState, evaluate
from verifier.constraints import Batching
from verifier.logup import challenge_inputs
from verifier.sumcheck import squares
from verifier.transcript import Point

_FULL_BITS = 254


@dataclass(slots=True)
class KernelTrace:
    """The columns of every chip, to which `helpers` adds the helper columns."""

    circuit: Circuit
    chips: list[ChipColumns]


class KernelBackend:
    """Bound to a reference string: uint64[n, 8] points [tau^i]_1 in Montgomery form."""

    def __init__(self, bases: np.ndarray) -> None:
        self._bases = bases

    def load(self, circuit: Circuit, tables: Tables) -> KernelTrace:
        """Raises: SetupTooShort, ValueError for a full-width cell that is not below r."""
        cells = 1 << circuit.key.log_chunk
        if len(self._bases) < cells:
            raise SetupTooShort("reference string", f"at least {cells} powers", len(self._bases))
        chips = []
        for chip in circuit.key.chips:
            table = tables[chip.name]
            columns = ChipColumns.of(table.height, table.columns)
            if (place := columns.first_above_modulus()) is not None:
                column, row = place
                raise ValueError(f"chip {chip.name}, column {column}, row {row}: not below {R}")
            chips.append(columns)
        return KernelTrace(circuit, chips)

    def commit_chunks(self, trace: KernelTrace, chunks: range) -> list[Point]:
        key, system = trace.circuit.key, trace.circuit.system
        vectors: list[list[Piece]] = [[] for _ in chunks]
        for piece in key.layout.pieces:
            if piece.chunk in chunks:
                physical = system.chips[piece.chip].columns
                bits = _FULL_BITS
                if piece.column < len(physical):
                    bits = min(physical[piece.column].bits, _FULL_BITS)
                column = trace.chips[piece.chip].columns[piece.column]
                scalars = (piece.offset, as_argument(column), bits)
                vectors[piece.chunk - chunks.start].append(scalars)
        return msm_many(self._bases, vectors)

    def helpers(self, trace: KernelTrace, challenges: Sequence[int], words: Sequence[int]) -> None:
        for number, chip in enumerate(trace.circuit.system.chips):
            program = value_program(interaction_tape(chip, len(words), R), challenges, words)
            columns = trace.chips[number]
            found = helper_columns(columns.places, columns.height, program, group_ends(chip))
            if found is None:
                raise ZeroDivisionError(f"chip {chip.name}: a fingerprint is zero")
            trace.chips[number] = columns.followed_by(list(found))

    def zerocheck(
        self, trace: KernelTrace, batching: Batching, words: Sequence[int]
    ) -> KernelZerocheck:
        key = trace.circuit.key
        challenges = challenge_inputs(batching.alpha, batching.beta)
        tau_point = squares(batching.tau, key.rounds, R)
        word_weight = batching.sum_weight**2 % R
        chips, power = [], 1
        for number, (chip, columns) in enumerate(zip(key.chips, trace.chips, strict=True)):
            weights = []
            for _ in range(chip.tape.constraints):
                weights.append(power)
                power = power * batching.fold % R
            missing = key.rounds - chip.log_height
            rounds = published = None
            if chip.log_height:
                plan = make_plan(
                    chip.tape, chip.main_columns, challenges, words, weights, chip.zero_values
                )
                rows = ChipRows(columns, plan, RowState.start(columns.height))
                claim = ChipClaim(plan, batching.sum_weight, tau_point[missing:])
                rounds = ChipRounds(rows, claim)
            total = batching.sum_weight * columns.total(chip.main_columns)
            if number == key.pubdata_chip:
                powers = fr.powers(batching.word_base, 1 << chip.log_height)
                published = WordRounds(expand(columns.places, 0, columns.height), powers)
                total += word_weight * published.total()
            chips.append(ChipPart(columns, missing, total % R, rounds, published))
        return KernelZerocheck(chips, word_weight, key.round_degree)

    def reduction(self, trace: KernelTrace, point: Sequence[int], gamma: int) -> KernelReduction:
        return KernelReduction(trace.circuit.key, trace.chips, point, gamma)

    def combine(self, trace: KernelTrace, weights: Sequence[int]) -> np.ndarray:
        key = trace.circuit.key
        pieces = []
        for piece in key.layout.pieces:
            columns = trace.chips[piece.chip]
            place = columns.places[piece.column]
            pieces.append((piece.offset, columns.height, place, weights[piece.chunk]))
        return add_stacked(1 << key.log_chunk, Stacked.of(pieces))

    def commit(self, polynomial: np.ndarray) -> Point:
        return msm(self._bases, [(0, fr.from_montgomery(polynomial), _FULL_BITS)])

    def fold(self, polynomial: np.ndarray, challenge: int) -> np.ndarray:
        return fr.fold(polynomial, challenge)

    def evaluate(self, polynomial: np.ndarray, x: int) -> int:
        return fr.evaluate(polynomial, x)

    def divide_pairs(
        self, terms: Iterable[tuple[np.ndarray, int, int, int]], length: int
    ) -> np.ndarray:
        return divide_pairs([DividedPair(*term) for term in terms], length)

    def divide_sum(self, terms: Iterable[tuple[int, np.ndarray]], x: int) -> np.ndarray:
        return divide_sum(terms, x)

    def eval_tape(
        self,
        tape: Tape,
        columns: Sequence[int],
        row: int,
        active: int,
        challenges: Sequence[int],
        words: Sequence[int],
    ) -> list[int]:
        program = value_program(tape, challenges, words)
        cells = fr.from_ints(columns).reshape(-1, 1, 4)
        # No row is full, so row 0 takes the partial activity: any value can be set.
        state = RowState(0, active, row, 0)
        values = evaluate(program, places_of(list(cells), MONTGOMERY), 1, state)
        return fr.to_ints(values.reshape(-1, 4))
