"""The first sumcheck on kernels: constraints and bus sums of all chips (protocol 3.3).

A chip with fewer variables than the highest one sleeps in the first rounds: its part of the round
polynomial is then its total times the variable, as its constraints vanish on all rows. Awake, the
equality factor of the current variable is split off, so a chip is evaluated at as many points as
its own degree asks for; the value at 1 follows from the previous round.

What a chip's rows add to a round is a list of sums (`ChipRows`), so rows may be split up
anywhere; what the sums mean for the round polynomial is the other half (`ChipClaim`).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from circuits.field import R
from prover.compiled.columns import ChipColumns
from prover.kernels import fr, sumcheck, sumcheck_lanes
from prover.kernels.cells import MONTGOMERY, places_of
from prover.kernels.choice import KERNELS, Kernels
from prover.kernels.equality import SplitEquality
from prover.kernels.fold import columns_at
from prover.kernels.parallel import row_ranges, run_jobs, threads
from prover.kernels.plan import ChipPlan
from prover.kernels.program import BLOCK
from prover.kernels.sumcheck import (
    CLASSES,
    HELPERS,
    REST,
    Source,
    bind_rows,
    fold_factors,
    product_values,
)
from prover.kernels.tape import RowState
from prover.rounds import extend, value_at

_round_sums = sumcheck.round_sums if KERNELS is Kernels.SCALAR else sumcheck_lanes.round_sums
# Fewer rows than this times operands are not worth a second thread.
_CELLS_MIN = 1 << 12
Name = TypeVar("Name", bound=Hashable)
_NO_MATRIX = np.empty((0, 0, 4), dtype=np.uint64)


def add_up(jobs: Sequence[tuple]) -> list[int]:
    """What the jobs of one chip's rows add up to, see `sumcheck.round_sums`."""
    parts = [fr.to_ints(part) for part in run_jobs(_round_sums, jobs)]
    return [sum(each) % R for each in zip(*parts, strict=True)]


class ChipRows:
    """Rows of one chip from round to round: columns at first, then folded operands.

    `state` gives ROW and ACTIVE of these rows. Every round takes its jobs once.
    """

    def __init__(self, cells: ChipColumns | np.ndarray, plan: ChipPlan, state: RowState) -> None:
        """`cells` are the columns, or stored operands. Shape: uint64[operands, rows, 4]."""
        self._plan = plan
        self._state = state
        # What the kernels read; `_kept` owns the memory behind the places.
        self._kept = cells
        self._linear = plan.linear()
        self._challenge: int | None = None
        self._out = _NO_MATRIX
        if isinstance(cells, np.ndarray):
            self._rows = cells.shape[1]
            self._read_operands(cells)
        else:
            self._rows = cells.height
            self._places = np.ascontiguousarray(cells.places[plan.columns.columns])
            self._pads = fr.zeros(len(self._places))

    def jobs(self, equality: SplitEquality, wanted: np.ndarray) -> list[tuple]:
        """Arguments of `round_sums` for this round, one tuple per thread; folds what was bound.

        `equality` is over the variables above the current one.
        """
        source_rows, factors = self._rows, fr.zeros(0)
        pads = next_pads = self._pads
        if self._challenge is not None:
            self._rows = (self._rows + 1) // 2
            factors = fold_factors(self._challenge)
            self._out = np.empty((self._plan.stored, self._rows, 4), dtype=np.uint64)
            if self._is_folded:
                next_pads = self._pads_now()
        source = Source(self._places, source_rows, pads, factors)
        pairs = (self._rows + 1) // 2
        blocks = -(-pairs // BLOCK)
        parts = threads() if pairs * (2 + self._plan.stored) >= _CELLS_MIN else 1
        return [
            (
                start * BLOCK, min(stop * BLOCK, pairs), source, self._linear, self._plan.points,
                self._state.full, self._state.scalars(), next_pads, self._out,
                equality.low, equality.high, wanted,
            )
            for start, stop in (row_ranges(blocks, parts) if blocks else [])
        ]  # fmt: skip

    def finish(self) -> None:
        """After the jobs have run: the folded operands take the place of what they came from."""
        if self._challenge is None:
            return
        self._kept, self._out, self._challenge = self._out, _NO_MATRIX, None
        self._read_operands(self._kept)

    def folded(self) -> np.ndarray:
        """The stored operands once a challenge is bound, without the sums of their round.

        Shape: uint64[operands, rows, 4].
        """
        if self._challenge is not None:
            pairs = (self._rows + 3) // 4
            nothing = SplitEquality(fr.zeros(max(pairs, 1)), fr.zeros(1))
            run_jobs(_round_sums, self.jobs(nothing, np.zeros(self._plan.degree + 1, dtype=bool)))
            self.finish()
        if not isinstance(self._kept, np.ndarray):
            raise TypeError("expected rows that are folded, got columns")
        return self._kept

    def bind(self, challenge: int) -> None:
        """Fix the lowest variable; memory is touched by the next round's jobs."""
        self._challenge = challenge
        self._state = self._state.bind(challenge)

    def _read_operands(self, operands: np.ndarray) -> None:
        self._places = places_of(list(operands), MONTGOMERY)
        self._linear = self._linear._replace(code=self._linear.code[:0], slots=0)
        self._pads = self._pads_now()

    @property
    def _is_folded(self) -> bool:
        return isinstance(self._kept, np.ndarray)

    def _pads_now(self) -> np.ndarray:
        """Operands in the missing row behind an odd number of rows; any for an even one."""
        if self._rows % 2 == 0:
            return fr.zeros(self._plan.stored)
        number = self._state.number_base + self._state.number_step * self._rows
        return fr.from_ints(self._plan.pads_at(number))


class ChipClaim:
    """What the sums over a chip's rows mean: constraints and weighted helper sums.

    Assumes: all constraints vanish on all rows, so the first claim is zero.
    """

    def __init__(self, plan: ChipPlan, sum_weight: int, tau: Sequence[int]) -> None:
        self._sum_weight = sum_weight
        self._low_degree = plan.points.low_degree
        self._tau = list(tau)
        self._scale = 1
        self._claim = 0
        self._values: list[int] = []
        # In the first round the polynomial is zero at 0 and at 1; later 1 follows from the claim.
        self.wanted = np.arange(max(plan.degree, 1) + 1) > 1

    @property
    def tau_above(self) -> list[int]:
        """The equality point of the variables above the current one."""
        return self._tau[1:]

    def values(self, sums: Sequence[int], count: int) -> list[int]:
        """Values at 0 .. count - 1, from the sums of all rows."""
        even, odd = sums[HELPERS : HELPERS + 2]
        tau, factor = self._tau[0], self._scale
        self._values = self._constraint_values(sums)
        equality = (factor * (1 - tau + t * (2 * tau - 1)) for t in range(count))
        constrained = extend(self._values, count)
        return [
            (self._sum_weight * (even + t * (odd - even)) + a * b) % R
            for t, (a, b) in enumerate(zip(equality, constrained, strict=True))
        ]

    def bind(self, challenge: int) -> None:
        tau = self._tau.pop(0)
        self._claim = value_at(self._values, challenge)
        self._scale = self._scale * (1 - tau + challenge * (2 * tau - 1)) % R
        self.wanted[0] = True

    def _constraint_values(self, sums: Sequence[int]) -> list[int]:
        points = len(self.wanted)
        low = sums[CLASSES : CLASSES + self._low_degree + 1]
        parts = (
            sums[CLASSES + points :],
            extend(low, points) if low else [0] * points,
            extend(sums[REST : REST + 2], points),
        )
        values = [sum(part) % R for part in zip(*parts, strict=True)]
        if not self.wanted[0]:
            values[0] = 0
        # tau is a power of a challenge, so it is not zero.
        tau = self._tau[0]
        values[1] = (self._claim - (1 - tau) * values[0]) * pow(tau, -1, R) % R
        return values


class ChipRounds:
    """One chip's bracket, with all its rows here."""

    def __init__(self, rows: ChipRows, claim: ChipClaim) -> None:
        self._rows = rows
        self._claim = claim

    def jobs(self) -> list[tuple]:
        """See `ChipRows.jobs`."""
        return self._rows.jobs(SplitEquality.of(self._claim.tau_above), self._claim.wanted)

    def values(self, sums: Sequence[int], count: int) -> list[int]:
        """Values at 0 .. count - 1, from the sums of all jobs."""
        self._rows.finish()
        return self._claim.values(sums, count)

    def bind(self, challenge: int) -> None:
        self._claim.bind(challenge)
        self._rows.bind(challenge)


class WordRounds:
    """sum over rows of published word * power of the word base."""

    def __init__(self, words: np.ndarray, powers: np.ndarray) -> None:
        self._words = words
        self._powers = powers

    def total(self) -> int:
        return fr.inner_product(self._words, self._powers[: len(self._words)])

    def values(self, count: int) -> list[int]:
        """Values at 0 .. count - 1."""
        return extend(product_values(self._words, self._powers), count)

    def bind(self, challenge: int) -> None:
        self._words = bind_rows(self._words, challenge)
        self._powers = fr.fold(self._powers, challenge)


@dataclass(slots=True)
class ChipPart:
    """A chip in the sumcheck. It sleeps for `missing` rounds; its sum over all rows is `total`."""

    columns: ChipColumns
    missing: int
    total: int
    rounds: ChipRounds | None  # none without row variables
    words: WordRounds | None
    factor: int = 1


class KernelZerocheck:
    """All chips; published words weigh `word_weight`."""

    def __init__(self, chips: Sequence[ChipPart], word_weight: int, degree: int) -> None:
        self._chips = chips
        self._word_weight = word_weight
        self._count = degree + 1
        self._point: list[int] = []

    def round_values(self) -> list[int]:
        sums = self._sums()
        totals = [0] * self._count
        for number, chip in enumerate(self._chips):
            if chip.missing > len(self._point):
                values = [t * chip.total for t in range(self._count)]
            else:
                values = self._awake_values(chip, sums.get(number))
            totals = [a + chip.factor * b for a, b in zip(totals, values, strict=True)]
        return [value % R for value in totals]

    def bind(self, challenge: int) -> None:
        for chip in self._chips:
            if chip.missing > len(self._point):
                chip.factor = chip.factor * challenge % R
                continue
            for part in (chip.rounds, chip.words):
                if part is not None:
                    part.bind(challenge)
        self._point.append(challenge)

    def evaluations(self) -> list[int]:
        return [
            value
            for chip in self._chips
            for value in columns_at(
                chip.columns.places, chip.columns.height, self._point[chip.missing :]
            )
        ]

    def _awake_values(self, chip: ChipPart, sums: list[int] | None) -> list[int]:
        values = [0] * self._count
        if chip.rounds is not None and sums is not None:
            values = chip.rounds.values(sums, self._count)
        if chip.words is not None:
            parts = chip.words.values(self._count)
            values = [a + self._word_weight * b for a, b in zip(values, parts, strict=True)]
        return values

    def _sums(self) -> dict[int, list[int]]:
        """Sums of this round by number of the chip."""
        return run_rounds(
            {
                number: chip.rounds.jobs()
                for number, chip in enumerate(self._chips)
                if chip.rounds is not None and chip.missing <= len(self._point)
            }
        )


def run_rounds(jobs: Mapping[Name, Sequence[tuple]]) -> dict[Name, list[int]]:
    """Run the jobs of several chips side by side; add up the sums of each."""
    named = [(name, job) for name, each in jobs.items() for job in each]
    found = run_jobs(_round_sums, [job for _, job in named])
    values = iter(fr.to_ints(np.concatenate(found)) if found else ())
    sums: dict[Name, list[int]] = {}
    for (name, _), part in zip(named, found, strict=True):
        new = [next(values) for _ in part]
        old = sums.get(name, [0] * len(part))
        sums[name] = [a + b for a, b in zip(old, new, strict=True)]
    return sums
