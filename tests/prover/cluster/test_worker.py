"""A worker by its messages alone."""

from dataclasses import replace

from prover.cluster.messages import Close, Job, Open, Task
from prover.cluster.settings import ClusterSettings
from prover.cluster.shards import plan_shards
from prover.cluster.steps import Commit, CommitRange, Points
from prover.cluster.store import WitnessStore
from prover.cluster.worker import Worker, place
from prover.compiled.backend import KernelBackend
from prover.kernels import fr
from prover.kernels.msm import points_from_ints
from tests.support.cluster_jobs import toy_job
from tests.support.toy_system import toy_bases


def opened(folder):
    """A worker, the message that opens its job, and the plan of the toy's chips."""
    job = toy_job(folder)
    heights = [job.tables[chip.name].height for chip in job.key.chips]
    plan = plan_shards(
        heights,
        [chip.log_height for chip in job.key.chips],
        ClusterSettings(rows_shared_min=1, log_shards=1),
    )
    WitnessStore.persist(folder / "witness", job.key, plan, job.tables)
    message = Open(
        Job.of(job.key, job.system, job.words, plan), str(folder / "witness"), str(job.bases_path)
    )
    worker = Worker()
    assert worker.handle(message) is None
    return worker, message, plan


def commit(number, spans, adopted=()):
    return Task(number, (), tuple(adopted), (), Commit(0, 1), tuple(spans))


def test_a_task_is_answered_under_its_number(tmp_path):
    worker, _, plan = opened(tmp_path)
    spans = plan.shared_spans()
    reply = worker.handle(commit(7, spans, spans))
    assert reply.number == 7
    assert reply.failure == ""
    assert isinstance(reply.partial, Points)
    assert worker.handle(commit(8, spans)).partial == reply.partial


def test_a_range_of_a_polynomial_needs_no_rows(tmp_path):
    worker, _, _ = opened(tmp_path)
    elements = fr.from_ints(range(3, 10))
    reply = worker.handle(Task(1, (), (), (), CommitRange(0, elements), ()))
    backend = KernelBackend(points_from_ints(toy_bases(64)))
    assert reply.partial == Points((backend.commit(elements),))


def test_without_a_job_a_task_fails_and_says_why(tmp_path):
    assert Worker().handle(commit(1, ())).failure == "no job is open"
    worker, message, plan = opened(tmp_path)
    assert worker.handle(Close()) is None
    assert worker.handle(commit(2, ())).failure == "no job is open"
    (tmp_path / "witness" / "manifest.json").write_text("{}")
    assert worker.handle(message) is None
    reply = worker.handle(commit(3, plan.shared_spans()))
    assert reply.partial is None
    assert reply.failure.startswith("StoreMismatch: ")


def test_a_wrong_copy_of_the_setup_is_told_of(tmp_path):
    """The same file name on another machine, and another string in it."""
    worker, message, plan = opened(tmp_path)
    key = message.job.key
    setup = replace(key.setup, source_hash=bytes(31) + b"\1")
    other = replace(message, job=replace(message.job, key=replace(key, setup=setup)))
    assert worker.handle(other) is None
    reply = worker.handle(commit(1, plan.shared_spans()))
    assert reply.partial is None
    assert reply.failure.startswith(f"SetupMismatch: {message.bases}: source hash for the key")


def test_a_worker_says_where_it_runs():
    assert place().startswith("process ")
