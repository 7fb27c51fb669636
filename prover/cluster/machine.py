"""The rows that one process owns of a proof, as a state machine without input or output.

The state is a function of the spans and of the steps told. Workers run a machine over the spans
that they are given; the coordinator runs one over the chips that are not shared, which takes over
the others when they are folded to one row a shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from prover.cluster.messages import Job
from prover.cluster.shards import Span
from prover.cluster.span_sumchecks import SpanReduction, SpanZerocheck, ZerocheckChip
from prover.cluster.span_trace import SpanTrace
from prover.cluster.steps import (
    Adopt,
    Asked,
    Bind,
    ColumnsAt,
    Combine,
    Commit,
    Evaluations,
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
from prover.kernels import fr
from prover.kernels.msm import msm


class ColumnSource(Protocol):
    """Where the main columns lie: a witness store, or tables in memory."""

    def columns(self, span: Span) -> Sequence[np.ndarray]:
        """The span's rows of every main column, in the types of `prover.backend.Table`."""
        ...


class Machine:
    """Spans of a trace and their part in the running sumcheck.

    Raises: ZeroDivisionError when a fingerprint vanishes, ValueError for a cell that is not below
    r, and what the column source raises.
    """

    def __init__(self, job: Job, bases: np.ndarray, source: ColumnSource) -> None:
        self._job = job
        self._bases = bases
        self._source = source
        self._traces: dict[Span, SpanTrace] = {}
        self._running: dict[Span, SpanZerocheck | SpanReduction] = {}
        self._start: StartZerocheck | StartReduction | None = None
        self._challenges: list[int] = []
        self._zerocheck_chips: dict[int, ZerocheckChip] = {}

    def adopt(self, spans: Iterable[Span], history: Sequence[Step]) -> None:
        """Load spans and bring them to the state after `history`, as `steps.needed` gives it.

        Assumes: a machine that owns spans already has been told the same steps.
        """
        fresh = Machine(self._job, self._bases, self._source)
        for span in spans:
            fresh._traces[span] = SpanTrace(self._job, span, self._source.columns(span))
        for step in history:
            fresh.tell(step)
        self._traces |= fresh._traces
        self._running |= fresh._running
        self._start = fresh._start
        self._challenges = fresh._challenges
        self._zerocheck_chips |= fresh._zerocheck_chips

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
        match ask:
            case Commit(first, stop):
                return Points(tuple(self._commit(chunk, wanted) for chunk in range(first, stop)))
            case RoundSums():
                return Sums(add_sums([self._round_sums(span) for span in self._of(wanted)]))
            case HandOver(chips):
                leaving = [span for span in self._of(wanted) if span.chip in chips]
                return join_rows([self._leave(span) for span in leaving])
            case ColumnsAt(chips):
                traces = [t for t in self._traces_of(wanted) if t.span.chip in chips]
                return Sums(add_sums([self._columns_at(trace) for trace in traces]))
            case Evaluations():
                return Sums({span.chip: self._evaluations(span) for span in self._of(wanted)})
            case Combine(weights):
                return self._combine(weights, wanted)

    def _of(self, wanted: set[Span]) -> list[Span]:
        return sorted(span for span in self._running if span in wanted)

    def _traces_of(self, wanted: set[Span]) -> list[SpanTrace]:
        return [self._traces[span] for span in sorted(self._traces) if span in wanted]

    def _missing(self, chip: int) -> int:
        """How many rounds of the first sumcheck a chip sleeps; of the second, none."""
        key = self._job.key
        is_first = isinstance(self._start, StartZerocheck)
        return key.rounds - key.chips[chip].log_height if is_first else 0

    def _bound(self, chip: int) -> list[int]:
        """The challenges that a chip's own variables are bound to."""
        missing = self._missing(chip)
        return self._challenges[missing : missing + self._job.key.chips[chip].log_height]

    def _begin(self, start: StartZerocheck | StartReduction) -> None:
        self._start = start
        self._challenges = []
        self._running = {}
        self._zerocheck_chips = {}
        for span, trace in self._traces.items():
            if isinstance(start, StartZerocheck):
                chip = self._zerocheck_chip(start, span.chip)
                block = 1 << self._job.plan.chips[span.chip].log_block
                self._running[span] = SpanZerocheck.of_trace(chip, trace, block)
            else:
                self._running[span] = SpanReduction.of_trace(self._job, start, trace)

    def _zerocheck_chip(self, start: StartZerocheck, number: int) -> ZerocheckChip:
        if number not in self._zerocheck_chips:
            self._zerocheck_chips[number] = ZerocheckChip.of(self._job, start, number)
        return self._zerocheck_chips[number]

    def _bind(self, challenge: int) -> None:
        position = len(self._challenges)
        self._challenges.append(challenge)
        for span, running in self._running.items():
            missing = self._missing(span.chip)
            if missing <= position < missing + self._job.key.chips[span.chip].log_height:
                running.bind(challenge)

    def _take_over(self, rows: Rows) -> None:
        start, key = self._start, self._job.key
        for number, pieces in rows.by_chip.items():
            span, bound = self._job.plan.whole(number), self._bound(number)
            if isinstance(start, StartZerocheck):
                chip = self._zerocheck_chip(start, number)
                self._running[span] = SpanZerocheck.of_rows(chip, pieces, bound)
            elif start is not None:
                chip_point = start.point[key.rounds - key.chips[number].log_height :]
                self._running[span] = SpanReduction.of_rows(chip_point, pieces, bound)

    def _commit(self, chunk: int, wanted: set[Span]) -> tuple[int, int]:
        pieces = []
        for piece in self._job.key.layout.pieces:
            if piece.chunk == chunk:
                for trace in self._traces_of(wanted):
                    if trace.span.chip == piece.chip:
                        pieces.append(trace.msm_piece(piece))
        return msm(self._bases, pieces)

    def _round_sums(self, span: Span) -> dict[int, tuple[int, ...]]:
        """Nothing for a chip that sleeps, but before the first challenge its sums all the same."""
        running, position = self._running[span], len(self._challenges)
        missing, log_height = self._missing(span.chip), self._job.key.chips[span.chip].log_height
        is_awake = missing <= position < missing + log_height
        if isinstance(running, SpanReduction):
            return {span.chip: running.sums()} if is_awake else {}
        if is_awake or not position:
            return {span.chip: running.sums(is_awake=is_awake)}
        return {}

    def _leave(self, span: Span) -> Rows:
        return Rows({span.chip: (self._running.pop(span).rows(span.first),)})

    def _columns_at(self, trace: SpanTrace) -> dict[int, tuple[int, ...]]:
        return {trace.span.chip: trace.columns_at(self._bound(trace.span.chip))}

    def _evaluations(self, span: Span) -> tuple[int, ...]:
        running = self._running[span]
        if not isinstance(running, SpanZerocheck):
            raise TypeError("expected the first sumcheck, got the second")
        return running.evaluations()

    def _combine(self, weights: Sequence[int], wanted: set[Span]) -> Pieces:
        """The contribution, cut to where it can be other than zero."""
        key = self._job.key
        combined = fr.zeros(1 << key.log_chunk)
        ranges = []
        for trace in self._traces_of(wanted):
            for piece in key.layout.pieces:
                if piece.chip == trace.span.chip:
                    trace.add_to(combined, piece, weights[piece.chunk])
                    start = piece.offset + trace.first
                    ranges.append((start, start + trace.rows))
        return Pieces(tuple((start, combined[start:stop]) for start, stop in _merged(ranges)))


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif start < stop:
            merged.append((start, stop))
    return merged
