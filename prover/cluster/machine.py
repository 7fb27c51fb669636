"""The rows that one process owns of a proof, as a state machine without input or output.

The state is a function of the spans and of the steps told. Workers run a machine over the spans
that they are given; the coordinator runs one over the chips that are not shared, which takes over
the others when they are folded far enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from prover.cluster.messages import Job
from prover.cluster.parcels import rows_of
from prover.cluster.plans import Plans
from prover.cluster.shards import Span
from prover.cluster.span_sumchecks import SpanReduction, SpanZerocheck
from prover.cluster.span_trace import FULL_BITS, SpanTrace
from prover.cluster.steps import (
    Adopt,
    Asked,
    Bind,
    ColumnsAt,
    Combine,
    Commit,
    CommitCells,
    CommitRange,
    HandOver,
    Helpers,
    Partial,
    Pieces,
    Points,
    RoundSums,
    Rows,
    StartReduction,
    StartZerocheck,
    Step,
    Sums,
    add_sums,
    join_rows,
)
from prover.compiled.zerocheck import run_rounds
from prover.kernels import fr
from prover.kernels.cells import as_argument
from prover.kernels.fold import Stacked, add_stacked
from prover.kernels.msm import Piece as MsmPiece
from prover.kernels.msm import msm, msm_many
from prover.kernels.plan import ChipPlan
from verifier.transcript import INFINITY, Point


class ColumnSource(Protocol):
    """Where the main columns lie: a witness store, or tables in memory."""

    def columns(self, span: Span) -> Sequence[np.ndarray]:
        """The span's rows of every main column, in the types of `prover.backend.Table`."""
        ...

    def column(self, chip: int, number: int) -> np.ndarray:
        """The active rows of one main column."""
        ...


class Machine:
    """Spans of a trace and their part in the running sumcheck.

    Raises: ZeroDivisionError when a fingerprint vanishes, ValueError for a cell that is not below
    r, and what the column source raises.
    """

    def __init__(self, job: Job, plans: Plans, bases: np.ndarray, source: ColumnSource) -> None:
        self._job = job
        self._plans = plans
        self._bases = bases
        self._source = source
        self._traces: dict[Span, SpanTrace] = {}
        self._running: dict[Span, SpanZerocheck | SpanReduction] = {}
        self._start: StartZerocheck | StartReduction | None = None
        self._challenges: list[int] = []

    def adopt(self, spans: Iterable[Span], history: Sequence[Step]) -> None:
        """Load spans and bring them to the state after `history`, as `steps.needed` gives it.

        Assumes: a machine that owns spans already has been told the same steps.
        """
        fresh = Machine(self._job, self._plans, self._bases, self._source)
        for span in spans:
            fresh._traces[span] = SpanTrace(self._job, span, self._source.columns(span))
        for step in history:
            fresh.tell(step)
        self._traces |= fresh._traces
        self._running |= fresh._running
        self._start = fresh._start
        self._challenges = fresh._challenges

    def tell(self, step: Step) -> None:
        """Change the state; of the asks only `HandOver` does."""
        match step:
            case Helpers(challenges):
                for trace in self._traces.values():
                    trace.fill_helpers(challenges)
            case StartZerocheck() | StartReduction():
                self._begin(step)
            case Bind(challenge):
                self._bind(challenge)
            case Adopt(rows):
                self._take_over(rows)
            case HandOver(chips):
                self._running = {
                    span: running
                    for span, running in self._running.items()
                    if span.chip not in chips
                }
            case _:
                pass

    def answer(self, ask: Asked, spans: Iterable[Span] | None = None) -> Partial:
        """What these spans contribute; all that there are, and what was taken over, unless told."""
        wanted = {*self._traces, *self._running} if spans is None else set(spans)
        running = sorted(span for span in self._running if span in wanted)
        traces = [self._traces[span] for span in sorted(self._traces) if span in wanted]
        match ask:
            case CommitCells(first, stop):
                return Points(tuple(self._commit_cells(range(first, stop))))
            case Commit(first, stop):
                return Points(tuple(self._commit(range(first, stop), traces)))
            case RoundSums():
                return Sums(self._round_sums(running, traces))
            case HandOver(chips):
                leaving = [span for span in running if span.chip in chips]
                return join_rows([self._leave(span) for span in leaving])
            case ColumnsAt(chips):
                parts = [self._columns_at(trace) for trace in traces if trace.span.chip in chips]
                return Sums(add_sums(parts))
            case Combine(weights):
                return self._combine(weights, traces)

    def _missing(self, chip: int) -> int:
        """How many rounds of the first sumcheck a chip sleeps; of the second, none."""
        key = self._job.key
        is_first = isinstance(self._start, StartZerocheck)
        return key.rounds - key.chips[chip].log_height if is_first else 0

    def _is_awake(self, chip: int, position: int) -> bool:
        missing = self._missing(chip)
        return missing <= position < missing + self._job.key.chips[chip].log_height

    def _bound(self, chip: int) -> list[int]:
        """The challenges that a chip's own variables are bound to."""
        missing = self._missing(chip)
        return self._challenges[missing : missing + self._job.key.chips[chip].log_height]

    def _begin(self, start: StartZerocheck | StartReduction) -> None:
        self._start = start
        self._challenges = []
        self._running = {}
        for span, trace in self._traces.items():
            # A chip without variables has nothing to fold: its one row is its value.
            if not self._job.key.chips[span.chip].log_height:
                continue
            if isinstance(start, StartZerocheck):
                common = self._common(start, span.chip)
                self._running[span] = SpanZerocheck.of_trace(*common, trace)
            else:
                self._running[span] = SpanReduction.of_trace(self._job, start, trace)

    def _common(self, start: StartZerocheck, number: int) -> tuple[ChipPlan, list[int], int | None]:
        """Plan, equality point and word base of a chip."""
        batching = start.batching
        has_words = number == self._job.key.pubdata_chip
        return (
            self._plans.of(batching, number),
            self._plans.tau_point(batching, number),
            batching.word_base if has_words else None,
        )

    def _bind(self, challenge: int) -> None:
        position = len(self._challenges)
        self._challenges.append(challenge)
        for span, running in self._running.items():
            if self._is_awake(span.chip, position):
                running.bind(challenge)

    def _take_over(self, rows: Rows) -> None:
        start, key, plan = self._start, self._job.key, self._job.plan
        for number, pieces in rows.by_chip.items():
            span, bound = plan.whole(number), self._bound(number)
            if isinstance(start, StartZerocheck):
                common, height = self._common(start, number), plan.chips[number].height
                self._running[span] = SpanZerocheck.of_rows(*common, height, pieces, bound)
            elif start is not None:
                chip_point = start.point[key.rounds - key.chips[number].log_height :]
                self._running[span] = SpanReduction.of_rows(chip_point, pieces, len(bound))

    def _commit(self, chunks: range, traces: Sequence[SpanTrace]) -> list[Point]:
        vectors: list[list[MsmPiece]] = [[] for _ in chunks]
        for piece in self._job.key.layout.pieces:
            if piece.chunk in chunks:
                scalars = [t.msm_piece(piece) for t in traces if t.span.chip == piece.chip]
                vectors[piece.chunk - chunks.start] += scalars
        return msm_many(self._bases, vectors)

    def _commit_cells(self, cells: range) -> list[Point]:
        key = self._job.key
        first, stop = cells.start >> key.log_chunk, -(-cells.stop >> key.log_chunk)
        vectors: list[list[MsmPiece]] = [[] for _ in range(first, stop)]
        for piece in key.layout.pieces:
            rows = rows_of(piece, cells, key.log_chunk, self._job.plan.chips[piece.chip].height)
            if piece.chunk < key.layout.main_chunks and rows:
                column = self._source.column(piece.chip, piece.column)[rows.start : rows.stop]
                bits = min(self._job.column_bits[piece.chip][piece.column], FULL_BITS)
                scalars = (piece.offset + rows.start, as_argument(column), bits)
                vectors[piece.chunk - first].append(scalars)
        points = msm_many(self._bases, vectors)
        return [INFINITY] * first + points + [INFINITY] * (key.layout.main_chunks - stop)

    def _round_sums(
        self, spans: Sequence[Span], traces: Sequence[SpanTrace]
    ) -> dict[int, tuple[int, ...]]:
        """Nothing for a chip that sleeps, but before the first challenge its totals."""
        position = len(self._challenges)
        awake = [span for span in spans if self._is_awake(span.chip, position)]
        running = {span: self._running[span] for span in awake}
        found = run_rounds(
            {span: each.jobs() for span, each in running.items() if isinstance(each, SpanZerocheck)}
        )
        parts: list[dict[int, tuple[int, ...]]] = []
        for span, each in running.items():
            if isinstance(each, SpanZerocheck):
                parts.append({span.chip: each.sums(found.get(span, ()))})
            else:
                parts.append({span.chip: each.sums()})
        if not position and isinstance(self._start, StartZerocheck):
            parts += [self._totals(trace) for trace in traces if trace.span not in running]
        return add_sums(parts)

    def _totals(self, trace: SpanTrace) -> dict[int, tuple[int, ...]]:
        batching = self._start.batching if isinstance(self._start, StartZerocheck) else None
        has_words = batching is not None and trace.span.chip == self._job.key.pubdata_chip
        base = batching.word_base if batching is not None and has_words else None
        return {trace.span.chip: trace.totals(base)}

    def _columns_at(self, trace: SpanTrace) -> dict[int, tuple[int, ...]]:
        return {trace.span.chip: trace.columns_at(self._bound(trace.span.chip))}

    def _leave(self, span: Span) -> Rows:
        return Rows({span.chip: (self._running.pop(span).rows(span.first),)})

    def _combine(self, weights: Sequence[int], traces: Sequence[SpanTrace]) -> Pieces:
        """The contribution, cut to where it can be other than zero."""
        key = self._job.key
        stacked, ranges = [], []
        for trace in traces:
            for piece in key.layout.pieces:
                if piece.chip == trace.span.chip:
                    part = trace.stacked_piece(piece, weights[piece.chunk])
                    stacked.append(part)
                    ranges.append((part[0], part[0] + part[1]))
        combined = add_stacked(1 << key.log_chunk, Stacked.of(stacked))
        return Pieces(tuple((start, combined[start:stop]) for start, stop in _merged(ranges)))


def commit_range(bases: np.ndarray, ask: CommitRange) -> Points:
    """The answer to an ask that needs no rows."""
    return Points((msm(bases, [(ask.first, fr.from_montgomery(ask.elements), FULL_BITS)]),))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif start < stop:
            merged.append((start, stop))
    return merged
