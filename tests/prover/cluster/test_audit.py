"""A wrong answer never reaches a proof, and whoever gave it is named."""

from dataclasses import replace
from itertools import count
from weakref import WeakSet

import numpy as np
import pytest

from circuits.field import Q, R
from prover.cluster import audit
from prover.cluster.backend import ClusterBackend
from prover.cluster.errors import ClusterError
from prover.cluster.events import EventKind
from prover.cluster.messages import Close, Task
from prover.cluster.shards import plan_shards
from prover.cluster.steplog import Follower
from prover.cluster.steps import (
    ColumnsAt,
    Combine,
    Commit,
    CommitRange,
    HandOver,
    Partial,
    Pieces,
    Points,
    RoundSums,
    Rows,
    Sums,
)
from prover.kernels import fr
from prover.kernels.sumcheck import HELPERS
from tests.support.cluster_jobs import SHARE_ALL, Watch, inline_proof, local_cluster
from tests.support.curve import generator_multiple
from tests.support.local_fleet import Fate, LocalFleet, honest


def flipped(partial):
    """The same with one low bit of one number flipped: a point becomes another one."""
    match partial:
        case Points(values):
            return Points((*values[:-1], generator_multiple(0xBAD)))
        case Sums(by_chip):
            # The first chip is the highest, so it never sleeps: what a sleeping one sums is in no
            # message. The first sum is the constraints' linear rest, which nothing contradicts.
            chip = min(by_chip)
            first, *rest = by_chip[chip]
            return Sums({**by_chip, chip: (first ^ 1, *rest)})
        case Rows(by_chip):
            chip = max(by_chip)
            piece, *rest = by_chip[chip]
            data = bytes([piece.data[0] ^ 1]) + piece.data[1:]
            return Rows({**by_chip, chip: (replace(piece, data=data), *rest)})
        case Pieces(((first, elements), *rest)):
            elements = elements.copy()
            elements[-1] = fr.add(elements[-1:], fr.from_ints([1]))[0]
            return Pieces(((first, elements), *rest))


class LieOnce:
    """Answers are as `change` makes them for the first task that is `wanted`, then honest."""

    def __init__(self, wanted, change=flipped):
        self._wanted = wanted
        self._change = change
        self.liar = ""
        self.task: Task | None = None
        self.truth: Partial | None = None

    def __call__(self, worker, task, partial):
        has_content = bool(getattr(partial, "by_chip", True))
        if self.liar or not has_content or not self._wanted(worker, task):
            return partial
        self.liar, self.task, self.truth = worker, task, partial
        return self._change(partial)

    def shards(self, job) -> set[str]:
        """What `flipped` changed, as an audit names it; of bulk answers all that was asked for."""
        match self.truth:
            case Points(values):
                chunk = self.task.ask.first + len(values) - 1
                chips = {piece.chip for piece in job.key.layout.pieces if piece.chunk == chunk}
            case Sums(by_chip):
                chips = {min(by_chip)}
            case Rows(by_chip):
                chips = {max(by_chip)}
            case _:
                chips = set(range(len(job.key.chips)))
        return {
            f"shards {span.first}..{span.stop - 1} of chip {job.key.chips[span.chip].name}"
            for span in self.task.spans
            if span.chip in chips
        }


def columns_of(lie, job) -> str:
    """The columns with cells in the last chunk, whose point is flipped; else all asked for."""
    cells = range(lie.task.ask.first, lie.task.ask.stop)
    last = job.key.layout.main_chunks - 1
    found: dict[int, list[tuple[int, bool]]] = {}
    for piece in job.key.layout.pieces:
        first = (piece.chunk << job.key.log_chunk) + piece.offset
        height = job.tables[job.key.chips[piece.chip].name].height
        if piece.chunk <= last and any(first + row in cells for row in range(height)):
            found.setdefault(piece.chip, []).append((piece.column, piece.chunk == last))
    if any(is_last for columns in found.values() for _, is_last in columns):
        found = {chip: [c for c in columns if c[1]] for chip, columns in found.items()}
    return ", ".join(
        f"columns {columns[0][0]}..{columns[-1][0]} of chip {job.key.chips[chip].name}"
        for chip, columns in found.items()
        if columns
    )


def prove_with(lie, job, folder, workers=3, script=None):
    watch = Watch()
    fleet = LocalFleet(lie=lie) if script is None else LocalFleet(script, lie)
    with local_cluster(folder, fleet, workers, watch=watch) as coordinator:
        proof = coordinator.prove(job)
    return proof, watch


NAMES = {
    "CommitCells": "commitment of the main columns",
    "Commit": "commitment of chunks",
    "RoundSums": "round sums",
    "HandOver": "folded rows",
    "ColumnsAt": "columns at the point",
    "Combine": "combination",
    "CommitRange": "commitment of a polynomial",
}


@pytest.mark.parametrize("later", [0, 4])
@pytest.mark.parametrize("kind", list(NAMES))
def test_a_flipped_bit_is_found_named_and_made_good(quick_job, tmp_path, kind, later):
    seen = count()

    def wanted(worker, task):
        return type(task.ask).__name__ == kind and next(seen) >= later

    lie = LieOnce(wanted)
    proof, watch = prove_with(lie, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    if lie.task is None:
        # There are fewer asks of this kind.
        assert later
        return
    ((guilty, detail),) = watch.details(EventKind.GUILTY)
    assert guilty == lie.liar
    assert NAMES[kind] in detail
    if kind == "CommitRange":
        first, length = lie.task.ask.first, len(lie.task.ask.elements)
        assert detail.endswith(f": coefficients {first}..{first + length - 1}")
    elif kind == "CommitCells":
        assert detail.rpartition(": ")[2] == columns_of(lie, quick_job)
    else:
        assert set(detail.rpartition(": ")[2].split(", ")) == lie.shards(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.LOST)] == [lie.liar]


def test_a_wrong_question_is_nobody_else_s_fault(quick_job, tmp_path, monkeypatch):
    right, wrong = ClusterBackend.fold, iter([True])

    def fold(self, polynomial, challenge):
        folded = right(self, polynomial, challenge)
        if next(wrong, False):
            folded = folded.copy()
            folded[0] = fr.add(folded[:1], fr.from_ints([1]))[0]
        return folded

    monkeypatch.setattr(ClusterBackend, "fold", fold)
    proof, watch = prove_with(honest, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    ((guilty, detail),) = watch.details(EventKind.GUILTY)
    assert guilty == ""
    assert detail.startswith("wrong question of the coordinator in step ")
    assert not watch.details(EventKind.LOST)


@pytest.mark.parametrize("deaths", [(), (5,), (5, 12, 20, 28, 33)])
def test_an_audit_holds_every_row_once(quick_job, tmp_path, monkeypatch, deaths):
    """However often rows changed hands, and after workers let go of theirs."""
    numbers, living, held, kept = count(), WeakSet(), [], []
    fleet = LocalFleet(
        lambda worker, task: Fate.DIES if task.spans and next(numbers) in deaths else Fate.ANSWERED,
        LieOnce(lambda worker, task: isinstance(task.ask, Combine)),
    )

    class Watched(Follower):
        def __init__(self, machine, spans, log, *, takes_over=False):
            super().__init__(machine, spans, log, takes_over=takes_over)
            kept.extend(m for local in fleet.workers.values() for m in local.inbox)
            if not takes_over:
                living.add(self)
                self.shards = sum(span.stop - span.first for span in spans)
                held.append(sum(each.shards for each in living))

    monkeypatch.setattr(audit, "Follower", Watched)
    with local_cluster(tmp_path, fleet, 6) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    log_heights = [chip.log_height for chip in quick_job.key.chips]
    heights = [quick_job.tables[chip.name].height for chip in quick_job.key.chips]
    plan = plan_shards(heights, log_heights, SHARE_ALL)
    assert max(held) == sum(span.stop for span in plan.shared_spans())
    assert len(held) > len(deaths)
    assert any(isinstance(message, Close) for message in kept)


def test_two_liars_are_both_found(quick_job, tmp_path):
    liars = {"worker-1": Commit, "worker-2": Combine}

    def both(worker, task, partial):
        return flipped(partial) if isinstance(task.ask, liars.get(worker, ())) else partial

    proof, watch = prove_with(both, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.GUILTY)] == ["worker-1", "worker-2"]


def test_what_an_heir_answered_wrong_is_told_from_what_the_dead_answered(quick_job, tmp_path):
    numbers = count()

    def script(worker, task):
        is_round = isinstance(task.ask, RoundSums)
        return Fate.DIES if is_round and next(numbers) == 4 else Fate.ANSWERED

    def wanted(worker, task):
        return isinstance(task.ask, RoundSums) and task.adopted

    lie = LieOnce(wanted)
    proof, watch = prove_with(lie, quick_job, tmp_path, script=script)
    assert proof == inline_proof(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.GUILTY)] == [lie.liar]


def test_sums_that_contradict_the_round_before_are_found_at_once(quick_job, tmp_path):
    def helpers_wrong(partial):
        chip = min(partial.by_chip)
        values = list(partial.by_chip[chip])
        values[HELPERS] ^= 1
        return Sums({**partial.by_chip, chip: tuple(values)})

    lie = LieOnce(lambda worker, task: isinstance(task.ask, RoundSums), helpers_wrong)
    proof, watch = prove_with(lie, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    asked = [event.kind for event in watch.events].index(EventKind.GUILTY)
    steps = [e.detail for e in watch.events[:asked] if e.kind is EventKind.ASKED]
    assert steps[2:] == ["round sums", "round sums"]
    assert [worker for worker, _ in watch.details(EventKind.GUILTY)] == [lie.liar]


def test_a_worker_that_lies_always_is_dropped_and_the_rest_prove(quick_job, tmp_path):
    def lie(worker, task, partial):
        is_bad = worker == "worker-2" and isinstance(task.ask, RoundSums)
        return flipped(partial) if is_bad and partial.by_chip else partial

    proof, watch = prove_with(lie, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.GUILTY)] == ["worker-2"]


def test_workers_that_all_lie_always_end_the_proof(quick_job, tmp_path):
    def lie(worker, task, partial):
        return flipped(partial) if isinstance(task.ask, Commit) else partial

    watch = Watch()
    settings = replace(SHARE_ALL, replacements_max=1)
    cluster = local_cluster(tmp_path, LocalFleet(lie=lie), 2, settings, watch)
    with cluster as coordinator, pytest.raises(ClusterError) as caught:
        coordinator.prove(quick_job)
    assert str(caught.value).startswith("workers: expected right answers, got wrong answer to step")
    assert len(watch.details(EventKind.GUILTY)) == 2 + 1


def each_chip(sums, change):
    return Sums({chip: change(values) for chip, values in sums.by_chip.items()})


IMPLAUSIBLE = {
    "off the curve": (Commit, lambda p: Points(((1, 3), *p.values[1:])), "point 0: expected a"),
    "not below q": (CommitRange, lambda p: Points(((1 + Q, 2),)), "point 0: expected a"),
    "too few points": (Commit, lambda p: Points(p.values[1:]), " points, got "),
    "not below r": (
        RoundSums,
        lambda p: each_chip(p, lambda values: (values[0] + R, *values[1:])),
        "sum 0: expected an integer below r, got ",
    ),
    "no sums for points": (Commit, lambda p: Sums({}), "expected Points, got Sums"),
    "no integer": (RoundSums, lambda p: each_chip(p, lambda v: (0.5, *v[1:])), "below r, got 0.5"),
    "no numbers": (RoundSums, lambda p: each_chip(p, lambda v: None), "Sums, got TypeError"),
    "no coordinates": (Commit, lambda p: Points((None, *p.values[1:])), "Points, got TypeError"),
    "no sums of a round": (RoundSums, lambda p: Sums({}), ", got {}"),
    "one sum too few": (RoundSums, lambda p: each_chip(p, lambda v: v[1:]), "as many sums by chip"),
    "no columns": (ColumnsAt, lambda p: Sums({}), ", got {}"),
    "one column too many": (
        ColumnsAt, lambda p: each_chip(p, lambda v: (0, *v)), "expected as many sums by chip as "
    ),
    "another chip": (ColumnsAt, lambda p: Sums({99: (1,)}), "got {99: 1}"),
    "missing rows": (HandOver, lambda p: Rows({}), "expected rows of (chip, first shard, rows, "),
    "twice the columns": (
        HandOver,
        lambda p: Rows(
            {
                chip: tuple(
                    replace(piece, columns=2 * piece.columns, data=2 * piece.data)
                    for piece in pieces
                )
                for chip, pieces in p.by_chip.items()
            }
        ),
        "expected rows of (chip, first shard, rows, ",
    ),
    "rows not below r": (
        HandOver,
        lambda p: Rows(
            {
                chip: tuple(replace(piece, data=b"\xff" * len(piece.data)) for piece in pieces)
                for chip, pieces in p.by_chip.items()
            }
        ),
        "expected an integer below",
    ),
    "outside": (Combine, lambda p: Pieces(((60, fr.zeros(5)),)), "inside [0, 64), got [5, 4] at"),
    "another shape": (
        Combine, lambda p: Pieces(((0, np.zeros((1, 3), dtype=np.uint64)),)), "got [1, 3] at 0"
    ),
    "another type": (Combine, lambda p: Pieces(((0, np.zeros((1, 4))),)), "got float64"),
}  # fmt: skip


@pytest.mark.parametrize("name", IMPLAUSIBLE)
def test_what_cannot_be_right_is_refused_at_once(quick_job, tmp_path, name):
    kind, change, told = IMPLAUSIBLE[name]

    def wanted(worker, task):
        return isinstance(task.ask, kind)

    lie = LieOnce(wanted, change)
    proof, watch = prove_with(lie, quick_job, tmp_path)
    assert proof == inline_proof(quick_job)
    ((guilty, detail),) = watch.details(EventKind.GUILTY)
    assert guilty == lie.liar
    assert told in detail
    assert watch.details(EventKind.LOST) == [(lie.liar, detail)]
    # The others went on with the same step.
    assert len(watch.details(EventKind.REASSIGNED)) == 1
