"""Who was wrong: every answer of a refused proof once more, in the coordinator.

A proof is deterministic: run again over the recorded answers it asks the same, so each worker's
part can be computed anew and compared with what the ledger says it answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from prover.cluster.checkpoint import Checkpoint
from prover.cluster.ledger import Coefficients, Entry, Ledger
from prover.cluster.machine import Machine, commit_range
from prover.cluster.messages import Job
from prover.cluster.parcels import rows_of
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import Span
from prover.cluster.steplog import Follower, StepLog
from prover.cluster.steps import (
    Asked,
    Combine,
    CommitCells,
    CommitRange,
    Partial,
    Points,
    Rows,
    Sums,
    Told,
    add_points,
    digest,
    elements_digest,
    name_of,
    total,
)
from verifier.transcript import Point

COORDINATOR = ""


@dataclass(frozen=True, slots=True)
class Guilt:
    """The first wrong answer. `worker` is COORDINATOR when no worker of this run gave it."""

    number: int
    worker: str
    detail: str


class GuiltyFound(Exception):
    """Ends the audit's run of the proof."""

    def __init__(self, guilt: Guilt) -> None:
        super().__init__(guilt.detail)
        self.guilt = guilt


class AuditDone(Exception):
    """Ends the audit's run of the proof: what comes now was never asked."""


class Auditor:
    """Steps that are answered from the record, each answer compared with one computed here.

    `new_machine` makes a machine without spans over the job's witness.
    Raises: GuiltyFound, AuditDone.
    """

    def __init__(
        self,
        job: Job,
        bases: np.ndarray,
        new_machine: Callable[[], Machine],
        checkpoint: Checkpoint,
        ledger: Ledger,
        settings: ClusterSettings,
    ) -> None:
        self._job = job
        self._bases = bases
        self._new_machine = new_machine
        self._checkpoint = checkpoint
        self._ledger = ledger
        self._settings = settings
        self._log = StepLog()
        home = tuple(job.plan.home_spans())
        self._home = Follower(new_machine(), home, self._log, takes_over=True)
        self._followers: dict[tuple[Span, ...], Follower] = {}

    def tell(self, step: Told) -> None:
        """Followers hear of it when they are asked."""
        self._log.tell(step)

    def ask(self, step: Asked, *, shared: bool) -> Partial:
        """Compare every worker's part, then the sum."""
        number, place = self._log.ask(step)
        recorded = self._checkpoint.find(number, place)
        if recorded is None and not (isinstance(step, Combine) and self._ledger.knows(number)):
            raise AuditDone
        answer = total(self._parts(number, step, shared=shared))
        self._check_total(number, step, answer, recorded)
        return answer

    def commit(self, elements: np.ndarray) -> Point:
        """Compare every worker's range, then the sum."""
        step = CommitRange(0, elements)
        if len(elements) < self._settings.coefficients_shared_min:
            return commit_range(self._bases, step).values[0]
        number, place = self._log.ask(step)
        recorded = self._checkpoint.find(number, place)
        if recorded is None:
            raise AuditDone
        parts = []
        entries = [
            (entry, entry.part)
            for entry in self._ledger.entries(number)
            if isinstance(entry.part, Coefficients)
        ]
        for _, sent in entries:
            if elements_digest(elements[sent.first : sent.stop]) != sent.digest:
                detail = f"wrong question of the coordinator in step {number}, {name_of(step)}"
                raise GuiltyFound(Guilt(number, COORDINATOR, detail))
        for entry, sent in entries:
            part = CommitRange(sent.first, elements[sent.first : sent.stop])
            parts.append(commit_range(self._bases, part))
            self._compare(number, step, entry, parts[-1])
        # The ranges of all workers make up the polynomial; those of an earlier run are not known.
        parts = parts or [commit_range(self._bases, step)]
        answer = Points(add_points([part.values for part in parts]))
        self._check_total(number, step, answer, recorded)
        return answer.values[0]

    def _parts(self, number: int, step: Asked, *, shared: bool) -> list[Partial]:
        """What all workers and the coordinator should have answered, and no worker did not."""
        is_known = self._ledger.knows(number)
        if isinstance(step, CommitCells) and is_known:
            return [self._check(number, step, e) for e in self._ledger.entries(number)]
        parts = [self._home.answer(step)]
        if shared and self._job.plan.shared and not isinstance(step, CommitCells):
            if is_known:
                parts += [self._check(number, step, e) for e in self._ledger.entries(number)]
            else:
                parts.append(self._follower(tuple(self._job.plan.shared_spans())).answer(step))
        return parts

    def _follower(self, spans: tuple[Span, ...]) -> Follower:
        """Who holds just these spans. Others that hold some of them are of an ownership that is
        over, as the parts of a step share no row; all followers together hold each row once."""
        if spans not in self._followers:
            self._followers = {
                each: follower
                for each, follower in self._followers.items()
                if not any(a.overlaps(b) for a in each for b in spans)
            }
            self._followers[spans] = Follower(self._new_machine(), spans, self._log)
        return self._followers[spans]

    def _check(self, number: int, step: Asked, entry: Entry) -> Partial:
        match entry.part:
            case CommitCells() as cells:
                expected = self._home.answer(cells)
            case Coefficients():
                raise TypeError(f"expected a part of {name_of(step)}, got coefficients")
            case spans:
                expected = self._follower(spans).answer(step)
        self._compare(number, step, entry, expected)
        return expected

    def _compare(
        self, number: int, step: Asked | CommitRange, entry: Entry, expected: Partial
    ) -> None:
        if digest(expected) != entry.digest:
            where = _where(self._job, step, entry, expected)
            detail = f"wrong answer to step {number}, {name_of(step)}: {where}"
            raise GuiltyFound(Guilt(number, entry.worker, detail))

    def _check_total(
        self,
        number: int,
        step: Asked | CommitRange,
        expected: Partial,
        recorded: Partial | None,
    ) -> None:
        if recorded is not None and digest(expected) != digest(recorded):
            who = "the coordinator" if self._ledger.knows(number) else "an earlier run"
            detail = f"wrong answer of {who} to step {number}, {name_of(step)}"
            raise GuiltyFound(Guilt(number, COORDINATOR, detail))


def _where(job: Job, step: Asked | CommitRange, entry: Entry, expected: Partial) -> str:
    """The shards, the columns or the coefficients that a wrong answer is about."""
    match entry.part:
        case Coefficients(first, stop, _):
            return f"coefficients {first}..{stop - 1}"
        case CommitCells() as cells:
            wrong = _wrong_chunks(0, entry.partial, expected)
            everywhere = set(range(job.key.layout.main_chunks))
            return ", ".join(_columns(job, cells, wrong) or _columns(job, cells, everywhere))
        case spans:
            chips = _wrong_chips(job, step, entry.partial, expected)
            return ", ".join(
                f"shards {span.first}..{span.stop - 1} of chip {job.key.chips[span.chip].name}"
                for span in [span for span in spans if span.chip in chips] or spans
            )


def _columns(job: Job, cells: CommitCells, chunks: set[int]) -> list[str]:
    """The main columns, chip by chip, that have one of these cells in one of these chunks."""
    found: dict[int, list[int]] = {}
    for piece in job.key.layout.pieces:
        height = job.plan.chips[piece.chip].height
        if piece.chunk in chunks and rows_of(
            piece, range(cells.first, cells.stop), job.key.log_chunk, height
        ):
            found.setdefault(piece.chip, []).append(piece.column)
    return [
        f"columns {min(columns)}..{max(columns)} of chip {job.key.chips[chip].name}"
        for chip, columns in found.items()
    ]


def _wrong_chunks(first: int, got: Partial | None, expected: Partial) -> set[int]:
    """Chunks, the first of which is `first`, for which the points differ."""
    if not isinstance(got, Points) or not isinstance(expected, Points):
        return set()
    pairs = zip(got.values, expected.values, strict=True)
    return {first + number for number, (a, b) in enumerate(pairs) if a != b}


def _wrong_chips(
    job: Job, step: Asked | CommitRange, got: Partial | None, expected: Partial
) -> Sequence[int] | set[int]:
    if isinstance(got, Points) and isinstance(expected, Points):
        chunks = _wrong_chunks(getattr(step, "first", 0), got, expected)
        return {piece.chip for piece in job.key.layout.pieces if piece.chunk in chunks}
    if isinstance(got, Sums | Rows) and isinstance(expected, Sums | Rows):
        chips = {*got.by_chip, *expected.by_chip}
        return {chip for chip in chips if got.by_chip.get(chip) != expected.by_chip.get(chip)}
    return range(len(job.key.chips))
