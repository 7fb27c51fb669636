"""Proofs over workers in this process: the bytes of one, whatever happens to them."""

import itertools
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from prover.cluster import plans
from prover.cluster.errors import ClusterError, JobInUse, NoWorkerLeft
from prover.cluster.events import EventKind
from prover.cluster.fleet import Ready
from prover.cluster.folder import open_folder
from prover.cluster.messages import Task
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import Span
from prover.cluster.steps import Commit, CommitCells, CommitRange, Points
from prover.cluster.store import COLUMNS
from prover.errors import SetupMismatch, WitnessMismatch
from prover.kernels.plan import make_plan
from prover.prove import Stage
from tests.prover.test_prove import CASES, FORGED
from tests.support.cluster_jobs import SHARE_ALL, Watch, inline_proof, local_cluster, toy_job
from tests.support.local_fleet import Fate, LocalFleet
from verifier.errors import VerificationError
from verifier.verify import verify


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5])
def test_the_proof_is_the_same_for_any_number_of_workers(quick_job, tmp_path, workers):
    fleet, watch = LocalFleet(), Watch()
    with local_cluster(tmp_path, fleet, workers, watch=watch) as coordinator:
        proof = coordinator.prove(quick_job, watch.stages.append)
    assert proof == inline_proof(quick_job)
    assert watch.stages == list(Stage)
    assert len(watch.details(EventKind.JOINED)) == workers
    assert len({name for name, _ in fleet.tasks}) == workers
    assert not watch.details(EventKind.LOST)
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("case", CASES)
def test_every_case_of_the_protocol_gives_the_inline_proof(tmp_path, expect, case):
    shape, witness = CASES[case]
    job = toy_job(tmp_path, witness, shape)
    expected = expect(job)
    for log_shards, rows_handed_max in ((0, 1), (1, 4), (1, 4096), (6, 1)):
        settings = replace(SHARE_ALL, log_shards=log_shards, rows_handed_max=rows_handed_max)
        with local_cluster(tmp_path, LocalFleet(), 3, settings) as coordinator:
            assert coordinator.prove(job) == expected


def test_one_crew_proves_one_job_after_the_other(quick_job, tmp_path):
    fleet = LocalFleet()
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        first = coordinator.prove(quick_job)
        assert coordinator.prove(replace(quick_job, job_id="again")) == first
    assert len({name for name, _ in fleet.tasks}) == 2


def test_chips_with_few_rows_and_short_polynomials_stay_on_the_coordinator(quick_job, tmp_path):
    fleet = LocalFleet()
    settings = ClusterSettings(log_shards=1, rows_shared_min=16, coefficients_shared_min=33)
    with local_cluster(tmp_path, fleet, 2, settings) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    names = [chip.name for chip in quick_job.key.chips]
    spans = {span.chip for _, task in fleet.tasks for span in task.spans}
    assert {names[chip] for chip in spans} == {"squares"}
    lengths = [len(t.ask.elements) for _, t in fleet.tasks if isinstance(t.ask, CommitRange)]
    assert sum(lengths) == 64 + 63


def test_a_false_witness_gives_the_proof_that_the_verifier_refuses(tmp_path):
    job = toy_job(tmp_path, FORGED["wrong power"])
    watch = Watch()
    with local_cluster(tmp_path, LocalFleet(), 2, watch=watch) as coordinator:
        proof = coordinator.prove(job)
    assert proof == inline_proof(job)
    assert not watch.details(EventKind.GUILTY)
    with pytest.raises(VerificationError):
        verify(job.key, job.words, job.pubdata, proof)


def tasks_of_a_proof(job, folder) -> int:
    fleet = LocalFleet()
    with local_cluster(folder / "counted", fleet, 2) as coordinator:
        coordinator.prove(job)
    return len(fleet.tasks)


def at(positions, fate):
    """The fate of tasks at these positions of the whole run; others are answered."""
    numbers = count()
    return lambda worker, task: fate if next(numbers) in positions else Fate.ANSWERED


@pytest.mark.parametrize("fate", [Fate.DIES, Fate.DIES_AFTER])
def test_a_worker_may_die_at_any_task(quick_job, tmp_path, fate):
    expected = inline_proof(quick_job)
    # Every task but those of one worker in three: they are the same asks.
    for position in range(fate is Fate.DIES, tasks_of_a_proof(quick_job, tmp_path), 3):
        watch = Watch()
        fleet = LocalFleet(at({position}, fate))
        with local_cluster(tmp_path, fleet, 3, watch=watch) as coordinator:
            assert coordinator.prove(quick_job) == expected
        ((lost, reason),) = watch.details(EventKind.LOST)
        assert reason == "ended with exit code -9"
        if fate is Fate.DIES:
            # One that dies behind its last answer may have nothing left to hand over.
            ((heirless, detail),) = watch.details(EventKind.REASSIGNED)
            assert heirless == lost
            others = {f"worker-{number}" for number in (1, 2, 3)} - {lost}
            assert detail.endswith(f"shards go to {', '.join(sorted(others))}")


def test_a_new_owner_gets_only_what_the_lost_one_had(quick_job, tmp_path):
    deaths: list[str] = []
    numbers = count()

    def script(worker, task):
        if not task.spans or next(numbers) != 7:
            return Fate.ANSWERED
        deaths.append(worker)
        return Fate.DIES

    fleet = LocalFleet(script)
    with local_cluster(tmp_path, fleet, 3) as coordinator:
        coordinator.prove(quick_job)
    adopted: dict[tuple[int, int], int] = {}
    for _, task in fleet.tasks:
        for span in task.adopted:
            for shard in range(span.first, span.stop):
                adopted[span.chip, shard] = adopted.get((span.chip, shard), 0) + 1
    lost = {
        (span.chip, shard)
        for name, task in fleet.tasks
        if name in deaths
        for span in task.adopted
        for shard in range(span.first, span.stop)
    }
    assert {place for place, times in adopted.items() if times == 2} == lost
    assert set(adopted.values()) == {1, 2}


def test_cells_of_a_lost_worker_are_committed_to_by_others(quick_job, tmp_path):
    """All that it had been given: what it was at, and what lay ready for it."""
    fleet, watch = LocalFleet(at({2}, Fate.DIES)), Watch()
    with local_cluster(tmp_path, fleet, 3, watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    ((lost, _),) = watch.details(EventKind.LOST)
    cells = [(name, task.ask) for name, task in fleet.tasks if isinstance(task.ask, CommitCells)]
    ((again, times),) = Counter(ask for _, ask in cells).most_common(1)
    assert times == 2
    assert next(name for name, ask in cells if ask == again) == lost
    assert sum(name == lost for name, _ in cells) == 1
    answered = sorted((ask.first, ask.stop) for ask in {ask for _, ask in cells})
    assert all(a[1] == b[0] for a, b in itertools.pairwise(answered))


def test_a_slow_worker_gets_fewer_cells(quick_job, tmp_path):
    class Uneven(LocalFleet):
        """worker-1 takes a message when all others have none."""

        def poll(self, timeout_s):
            others = [local for name, local in self.workers.items() if name != "worker-1"]
            for local in self.workers.values():
                local.stands = local not in others and any(other.inbox for other in others)
            return super().poll(timeout_s)

    fleet = Uneven()
    with local_cluster(tmp_path, fleet, 3) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    shares = Counter(name for name, task in fleet.tasks if isinstance(task.ask, CommitCells))
    assert shares["worker-1"] == 2
    assert min(shares["worker-2"], shares["worker-3"]) > 2


def test_shards_may_be_handed_on_more_than_once(quick_job, tmp_path):
    fleet, watch = LocalFleet(at({3, 11, 20}, Fate.DIES)), Watch()
    with local_cluster(tmp_path, fleet, 4, watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    assert len(watch.details(EventKind.LOST)) == 3


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        (Fate.SILENT, "silent for more than 30 s"),
        (Fate.SLOW, "slow: no answer within 60 s"),
    ],
)
@pytest.mark.parametrize("position", [0, 9, 30])
def test_a_worker_that_stands_still_is_dropped(quick_job, tmp_path, fate, reason, position):
    fleet, watch = LocalFleet(at({position}, fate)), Watch()
    settings = replace(SHARE_ALL, reply_max_s=60.0)
    with local_cluster(tmp_path, fleet, 2, settings, watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    ((lost, told),) = watch.details(EventKind.LOST)
    assert told == reason
    assert lost not in fleet.workers
    assert fleet.time_s <= 62


def test_a_worker_whose_task_fails_is_dropped_with_its_reason(quick_job, tmp_path):
    def damage(event):
        """A cell changes on the disk before a worker reads it."""
        if event.kind is EventKind.ASKED and not watch.details(EventKind.LOST):
            path = tmp_path / "work" / "toy" / "witness" / COLUMNS
            data = bytearray(path.read_bytes())
            data[4 * 2] ^= 1
            path.write_bytes(data)

    watch = Watch(damage)
    cluster = local_cluster(tmp_path, LocalFleet(), 2, watch=watch)
    with cluster as coordinator, pytest.raises(NoWorkerLeft) as caught:
        coordinator.prove(quick_job)
    assert "StoreMismatch: " in str(caught.value)
    assert "chip step, shard 1: expected checksum " in str(caught.value)


def test_when_all_die_new_ones_are_started_up_to_a_limit(quick_job, tmp_path):
    fleet, watch = LocalFleet(at({4, 5, 12, 13}, Fate.DIES)), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.JOINED)] == [
        f"worker-{number}" for number in range(1, 7)
    ]

    deaths = LocalFleet(lambda worker, task: Fate.DIES)
    settings = replace(SHARE_ALL, replacements_max=3)
    watch = Watch()
    cluster = local_cluster(tmp_path, deaths, 2, settings, watch)
    with cluster as coordinator, pytest.raises(NoWorkerLeft) as caught:
        coordinator.prove(quick_job)
    assert len(watch.details(EventKind.JOINED)) == 2 + 3
    assert str(caught.value) == (
        "cluster: expected a worker, got none: worker-5 ended with exit code -9"
    )


def test_workers_that_do_not_start_are_told_of(quick_job, tmp_path):
    fleet, watch = LocalFleet(starts=lambda worker: worker == "worker-2"), Watch()
    with local_cluster(tmp_path, fleet, 3, watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    # Two ended before there was a job, and so did those that came in their place.
    assert watch.details(EventKind.LOST) == [
        (f"worker-{number}", "did not start") for number in (1, 3, 4, 5)
    ]
    cluster = local_cluster(tmp_path, LocalFleet(starts=lambda worker: False), 2)
    with cluster as coordinator, pytest.raises(NoWorkerLeft) as caught:
        coordinator.prove(quick_job)
    # The job starts two in place of the first two, and four replacements after them.
    assert str(caught.value) == "cluster: expected a worker, got none: worker-8 did not start"


def test_two_losses_at_once_leave_no_step_without_an_answer(quick_job, tmp_path):
    """One worker is dropped for its answer while the loss of the last other one is dealt with."""

    def script(worker, task):
        is_second = worker == "worker-2" and isinstance(task.ask, Commit)
        return Fate.DIES if is_second else Fate.ANSWERED

    def lie(worker, task, partial):
        return Points(()) if worker == "worker-1" and isinstance(task.ask, Commit) else partial

    fleet, watch = LocalFleet(script, lie), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.LOST)] == ["worker-2", "worker-1"]
    assert len(watch.details(EventKind.REASSIGNED)) == 2


def test_replacements_that_do_not_start_are_replaced_as_well(quick_job, tmp_path):
    lost = ("worker-1", "worker-2")
    fleet = LocalFleet(
        lambda worker, task: Fate.DIES if worker in lost else Fate.ANSWERED,
        starts=lambda worker: worker not in ("worker-3", "worker-4"),
    )
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
        assert set(fleet.workers) == {"worker-5", "worker-6"}


@pytest.mark.parametrize("late", [2, 4])
def test_workers_that_all_die_before_they_are_ready_are_replaced(quick_job, tmp_path, late):
    dead = [f"worker-{number + 1}" for number in range(late)]
    fleet = LocalFleet(starts=lambda worker: worker not in dead)
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        assert coordinator.prove(quick_job) == inline_proof(quick_job)
        assert set(fleet.workers) == {f"worker-{late + 1}", f"worker-{late + 2}"}


def test_the_coordinator_makes_plans_while_workers_make_theirs(quick_job, tmp_path, monkeypatch):
    """None before the workers are asked, and all before it waits for them."""
    fleet, made = LocalFleet(), []

    def make(*arguments):
        asked = sum(isinstance(m, Task) for w in fleet.workers.values() for m in w.inbox)
        made.append(asked)
        return make_plan(*arguments)

    monkeypatch.setattr(plans, "make_plan", make)
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        coordinator.prove(quick_job)
    chips = sum(chip.log_height > 0 for chip in quick_job.key.chips)
    # Both messages wait while the coordinator makes its own; then each worker takes one.
    assert made[:chips] == [2] * chips
    assert set(made[chips:]) == {1, 0}


class SlowFleet(LocalFleet):
    """Workers of some names never get ready, until they are let in."""

    def __init__(self, late):
        super().__init__()
        self.late = set(late)

    def start(self, worker):
        super().start(worker)
        if worker in self.late:
            self._signals.pop()

    def let_in(self, worker):
        self.late.discard(worker)
        self._signals.append(Ready(worker, "this process"))


def test_a_worker_that_cannot_be_placed_is_waited_for_once_and_not_long(quick_job, tmp_path):
    fleet, watch = SlowFleet(["worker-2"]), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        for name in ("one", "two"):
            assert coordinator.prove(replace(quick_job, job_id=name)) == inline_proof(quick_job)
            assert 0 < fleet.time_s - SHARE_ALL.patience_s < 5
        # One that was only late takes part from the next job on.
        fleet.let_in("worker-2")
        coordinator.prove(replace(quick_job, job_id="three"))
    assert {worker for worker, _ in fleet.tasks} == {"worker-1", "worker-2"}
    assert not watch.details(EventKind.LOST)


def test_the_first_worker_is_waited_for_as_long_as_it_may_take(quick_job, tmp_path):
    fleet = SlowFleet(["worker-1", "worker-2"])
    cluster = local_cluster(tmp_path, fleet, 2)
    with cluster as coordinator, pytest.raises(NoWorkerLeft, match="did not start within 300 s"):
        coordinator.prove(quick_job)
    assert fleet.time_s == SHARE_ALL.start_max_s + 0.5


def test_a_worker_lost_between_two_jobs_is_replaced_for_the_next(quick_job, tmp_path):
    fleet, watch = LocalFleet(), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        coordinator.prove(quick_job)
        fleet.end("worker-1")
        first = len(fleet.tasks)
        coordinator.prove(quick_job)
    assert {worker for worker, _ in fleet.tasks[first:]} == {"worker-2", "worker-3"}
    assert not watch.details(EventKind.REASSIGNED)


def test_a_worker_lost_with_the_last_job_is_replaced_for_the_next(quick_job, tmp_path):
    fleet, watch = LocalFleet(at({3}, Fate.DIES)), Watch()
    with local_cluster(tmp_path, fleet, 2, watch=watch) as coordinator:
        coordinator.prove(quick_job)
        coordinator.prove(quick_job)
    assert [worker for worker, _ in watch.details(EventKind.JOINED)] == [
        "worker-1", "worker-2", "worker-3"
    ]  # fmt: skip


def test_a_job_is_worked_on_once_at_a_time(quick_job, tmp_path):
    with local_cluster(tmp_path, LocalFleet()) as coordinator:
        with open_folder(tmp_path / "work", "toy"), pytest.raises(JobInUse) as caught:
            coordinator.prove(quick_job)
        assert str(caught.value) == (
            f"{tmp_path / 'work' / 'toy'}: expected a job that nobody works on, got a locked one"
        )
        assert coordinator.prove(quick_job)


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x" * 129])
def test_a_job_id_is_a_plain_name(quick_job, tmp_path, name):
    cluster = local_cluster(tmp_path, LocalFleet())
    with cluster as coordinator, pytest.raises(ClusterError, match="job id: expected up to 128"):
        coordinator.prove(replace(quick_job, job_id=name))


def test_a_job_that_does_not_fit_its_key_is_refused(quick_job, tmp_path):
    setup = replace(quick_job.key.setup, source_hash=bytes(31) + b"\1")
    other_key = replace(quick_job, key=replace(quick_job.key, setup=setup))
    with local_cluster(tmp_path, LocalFleet()) as coordinator:
        for job, refusal in (
            (replace(quick_job, tables={}), WitnessMismatch), (other_key, SetupMismatch)
        ):  # fmt: skip
            with pytest.raises(refusal) as caught:
                coordinator.prove(job)
    assert str(caught.value).startswith(
        f"{quick_job.bases_path}: source hash for the key of shape "
    )


def test_tasks_carry_steps_once(quick_job, tmp_path):
    """What a worker was told is not told again; columns are in no message."""
    fleet = LocalFleet()
    with local_cluster(tmp_path, fleet, 2) as coordinator:
        coordinator.prove(quick_job)
    for name in ("worker-1", "worker-2"):
        tasks: list[Task] = [task for worker, task in fleet.tasks if worker == name and task.spans]
        told = [step for task in tasks for step in task.steps]
        assert len({id(step) for step in told}) == len(told)
        assert [bool(task.adopted) for task in tasks] == [True] + [False] * (len(tasks) - 1)
        assert isinstance(tasks[0].adopted[0], Span)
