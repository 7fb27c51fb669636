"""What can be told of a single answer at a glance: most flipped bits do not pass.

An answer that passes has the shape that was asked for, so that nobody trips over it later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.field import R
from prover.cluster.messages import Job
from prover.cluster.parcels import LooseParcel, Parcel, SpanParcel
from prover.cluster.plans import Plans
from prover.cluster.shards import Span
from prover.cluster.span_sumchecks import WORD_SUMS, empty_sums, matrix_of
from prover.cluster.steps import (
    Bind,
    ColumnsAt,
    Combine,
    Commit,
    CommitCells,
    HandOver,
    Partial,
    Pieces,
    Points,
    RoundSums,
    Rows,
    StartReduction,
    StartZerocheck,
    Step,
    Sums,
    needed,
)
from verifier.transcript import is_on_curve

# The type that answers an ask, and what finds a fault in one.
_Check = tuple[type, Callable[[Any], str]]


def fault_of(
    partial: Partial, parcel: Parcel, job: Job, plans: Plans, steps: Sequence[Step]
) -> str:
    """Why this cannot be the answer to that parcel; empty when it may be.

    `steps` are those before the ask. What came may be anything that can be sent.
    """
    kind, fault_in = _check(parcel, _Place.of(job, plans, steps))
    if not isinstance(partial, kind):
        return f"expected {kind.__name__}, got {type(partial).__name__}"
    try:
        return fault_in(partial)
    except Exception as error:  # it has not the fields, or the fields have not the types
        return f"expected {kind.__name__}, got {type(error).__name__}: {error}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the running sumcheck stands."""

    job: Job
    plans: Plans
    start: StartZerocheck | StartReduction | None
    position: int
    left: frozenset[int]

    @staticmethod
    def of(job: Job, plans: Plans, steps: Sequence[Step]) -> _Place:
        start, position, left = None, 0, frozenset[int]()
        for step in needed(steps):
            match step:
                case StartZerocheck() | StartReduction():
                    start = step
                case Bind():
                    position += 1
                case HandOver(chips):
                    left |= frozenset(chips)
                case _:
                    pass
        return _Place(job, plans, start, position, left)

    def sums(self, chip: int) -> int:
        """How many sums of a shared chip answer `RoundSums`."""
        rounds, log_height = self.job.key.rounds, self.job.key.chips[chip].log_height
        if chip in self.left:
            return 0
        if not isinstance(self.start, StartZerocheck):
            return 2 if self.position < log_height else 0
        if self.position < rounds - log_height:
            return 0 if self.position else 2
        return len(empty_sums(self.plans.of(self.start.batching, chip))) + WORD_SUMS

    def folded_rows(self, span: Span) -> int:
        """How many rows of a span are handed over."""
        start, stop = self.job.plan.rows(span)
        folds = self.position
        if isinstance(self.start, StartZerocheck):
            folds -= self.job.key.rounds - self.job.key.chips[span.chip].log_height
        return -(-(stop - start) >> folds)

    def folded_columns(self, chip: int) -> int:
        """How many columns of a chip are handed over."""
        if not isinstance(self.start, StartZerocheck):
            return 1
        has_words = chip == self.job.key.pubdata_chip
        return self.plans.of(self.start.batching, chip).stored + has_words


def _check(parcel: Parcel, place: _Place) -> _Check:
    if isinstance(parcel, LooseParcel):
        main_chunks = place.job.key.layout.main_chunks
        count = main_chunks if isinstance(parcel.ask, CommitCells) else 1
        return Points, lambda found: _point_fault(found, count)
    chips = sorted({span.chip for span in parcel.spans})
    match parcel.ask:
        case CommitCells():
            raise TypeError("expected a loose parcel of the main chunks, got one of spans")
        case Commit(first, stop):
            return Points, lambda found: _point_fault(found, stop - first)
        case RoundSums():
            sums = {chip: count for chip in chips if (count := place.sums(chip))}
            return Sums, lambda found: _sum_fault(found, sums)
        case ColumnsAt(wanted):
            columns = {chip: place.job.key.chips[chip].columns for chip in chips if chip in wanted}
            return Sums, lambda found: _sum_fault(found, columns)
        case HandOver():
            return Rows, lambda found: _row_fault(found, parcel, place)
        case Combine():
            return Pieces, lambda found: _piece_fault(found, 1 << place.job.key.log_chunk)


def _point_fault(partial: Points, count: int) -> str:
    if len(partial.values) != count:
        return f"expected {count} points, got {len(partial.values)}"
    for number, point in enumerate(partial.values):
        x, y = point
        if not _are_integers(point) or min(x, y) < 0 or not is_on_curve(point):
            return f"point {number}: expected a curve point, got {point}"
    return ""


def _sum_fault(partial: Sums, wanted: Mapping[int, int]) -> str:
    found = {chip: len(values) for chip, values in partial.by_chip.items()}
    if found != wanted:
        return f"expected as many sums by chip as {wanted}, got {found}"
    for chip, values in partial.by_chip.items():
        for number, value in enumerate(values):
            if not _are_integers([value]) or not 0 <= value < R:
                return f"chip {chip}: sum {number}: expected an integer below r, got {value}"
    return ""


def _row_fault(partial: Rows, parcel: SpanParcel, place: _Place) -> str:
    leaving = parcel.ask.chips if isinstance(parcel.ask, HandOver) else ()
    wanted = sorted(
        (span.chip, span.first, place.folded_rows(span), place.folded_columns(span.chip))
        for span in parcel.spans
        if span.chip in leaving
    )
    found = [
        (chip, piece.first, piece.count, piece.columns)
        for chip, pieces in sorted(partial.by_chip.items())
        for piece in pieces
    ]
    if found != wanted:
        return f"expected rows of (chip, first shard, rows, columns) {wanted}, got {found}"
    for chip, pieces in partial.by_chip.items():
        try:
            matrix_of(pieces)
        except ValueError as error:
            return f"chip {chip}: {error}"
    return ""


def _piece_fault(partial: Pieces, cells: int) -> str:
    for first, elements in partial.parts:
        if elements.dtype != np.uint64 or not elements.flags.c_contiguous:
            return f"expected coefficients as uint64, got {elements.dtype}"
        if first < 0 or first + len(elements) > cells or elements.shape[1:] != (4,):
            place = f"{list(elements.shape)} at {first}"
            return f"expected coefficients inside [0, {cells}), got {place}"
    return ""


def _are_integers(values: Sequence[object]) -> bool:
    return all(type(value) is int for value in values)
