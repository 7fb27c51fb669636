"""Worker processes and a coordinator process under SIGKILL and SIGSTOP."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from prover.cluster.events import EventKind
from prover.cluster.processes import ProcessFleet
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.executors import open_executor
from prover.prove import Stage
from tests.support.cluster_jobs import (
    SHARE_ALL,
    Watch,
    inline_proof,
    is_running,
    process_id,
    toy_job,
    wait_until,
)
from verifier.verify import verify

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 60


@contextmanager
def processes(folder, watch, workers=2, settings=SHARE_ALL):
    options = ExecutorOptions(ExecutorKind.PROCESS, workers, None, folder / "work", settings)
    with open_executor(options, watch) as executor:
        yield executor


@pytest.fixture(scope="module")
def crew(tmp_path_factory):
    """An executor with two worker processes for several tests, and who watches them."""
    watch = Watch()
    with processes(tmp_path_factory.mktemp("crew"), watch) as executor:
        yield executor, watch


STAGES = (Stage.COMMIT, Stage.HELPERS, Stage.SUMCHECK, Stage.REDUCTION, Stage.OPENING)


def one_of(watch) -> int:
    """The process id of a worker that is alive."""
    return max(watch.process_ids().values())


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_is_killed_in_a_stage_and_the_bytes_are_the_same(crew, quick_job, stage):
    executor, watch = crew
    before = len(watch.details(EventKind.LOST))
    watch.strike_in(stage, lambda: os.kill(one_of(watch), signal.SIGKILL))
    assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    ((_, detail),) = watch.details(EventKind.LOST)[before:]
    assert detail == "ended with exit code -9"


def test_a_proof_from_processes_is_accepted(crew, tmp_path):
    executor, watch = crew
    job = replace(toy_job(tmp_path), job_id="checked")
    proof = executor.prove(job, watch.stages.append)
    verify(job.key, job.words, job.pubdata, proof)


def test_a_worker_killed_between_two_jobs_is_replaced_for_the_next(crew, quick_job):
    executor, watch = crew
    executor.prove(quick_job, watch.stages.append)
    name, victim = next(iter(watch.process_ids().items()))
    reassigned = len(watch.details(EventKind.REASSIGNED))
    os.kill(victim, signal.SIGKILL)
    # The thread that reads what the worker says ends when it has said that the worker is gone.
    assert wait_until(lambda: f"{name} _read" not in {each.name for each in threading.enumerate()})
    executor.prove(quick_job, watch.stages.append)
    assert name not in watch.process_ids()
    assert len(watch.process_ids()) == 2
    assert len(watch.details(EventKind.REASSIGNED)) == reassigned


def test_a_job_follows_one_that_was_cut_short(crew, quick_job):
    executor, watch = crew

    def interrupt():
        raise KeyboardInterrupt

    for stage in (Stage.COMMIT, Stage.SUMCHECK, Stage.OPENING):
        watch.strike_in(stage, interrupt)
        with pytest.raises(KeyboardInterrupt):
            executor.prove(quick_job, watch.stages.append)
        other = replace(quick_job, job_id="next")
        assert executor.prove(other, watch.stages.append) == inline_proof(quick_job)
    assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    assert len(watch.process_ids()) == 2


def test_a_worker_heeds_no_signal_that_is_for_the_coordinator(quick_job, tmp_path):
    def tell(event):
        if event.kind is EventKind.JOINED:
            for sent in (signal.SIGTERM, signal.SIGINT):
                os.kill(process_id(event), sent)

    watch = Watch(tell)
    with processes(tmp_path, watch) as executor:
        assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    assert len(watch.details(EventKind.JOINED)) == 2
    assert watch.details(EventKind.LOST) == []


def test_the_main_function_of_a_worker_is_reached_without_heavy_imports():
    """So that it ignores signals before anything takes time."""
    program = "import sys, prover.cluster.worker_process; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "False\n"


FORGOTTEN = """
from prover.cluster.processes import ProcessFleet
from prover.cluster.fleet import Ready

if __name__ == "__main__":
    fleet = ProcessFleet(1)
    fleet.start("one")
    while not any(isinstance(each, Ready) for each in fleet.poll(1)):
        pass
"""


def test_workers_of_a_fleet_that_nobody_closed_end_with_its_process(tmp_path):
    script = tmp_path / "forgotten.py"
    script.write_text(FORGOTTEN)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, script], env=environment, timeout=DEADLINE_S, check=True)


@pytest.mark.slow
def test_a_worker_that_stands_still_is_dropped_and_ended(quick_job, tmp_path):
    watch = Watch()
    watch.strike_in(Stage.SUMCHECK, lambda: os.kill(one_of(watch), signal.SIGSTOP))
    settings = replace(SHARE_ALL, silence_max_s=5.0)
    with processes(tmp_path, watch, settings=settings) as executor:
        proof = executor.prove(quick_job, watch.stages.append)
        joined = {process_id(e) for e in watch.events if e.kind is EventKind.JOINED}
        (stopped_id,) = joined - set(watch.process_ids().values())
        assert wait_until(lambda: not is_running(stopped_id))
    assert proof == inline_proof(quick_job)
    ((_, detail),) = watch.details(EventKind.LOST)
    assert detail == "silent for more than 5 s"


def test_workers_end_with_the_executor(quick_job, tmp_path):
    watch = Watch()
    with processes(tmp_path, watch, workers=1) as executor:
        executor.prove(quick_job, watch.stages.append)
        worker_id = one_of(watch)
        assert is_running(worker_id)
    assert wait_until(lambda: not is_running(worker_id))


def test_a_message_to_a_worker_that_is_gone_is_no_error():
    fleet = ProcessFleet(1)
    fleet.start("one")
    fleet.stop("one")
    fleet.send("one", None)
    fleet.stop("one")
    fleet.close()


def run_child(folder: Path, kill_at: int) -> tuple[int, list[int]]:
    """Exit code of a coordinator process, and its workers' process ids."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.cluster_child", folder, str(kill_at)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S,
    )  # fmt: skip
    return done.returncode, [int(line) for line in done.stdout.split()]


@pytest.mark.slow
def test_a_killed_coordinator_goes_on_where_it_was(tmp_path):
    for kill_at in (2, 9):
        code, workers = run_child(tmp_path, kill_at)
        assert code == -signal.SIGKILL
        assert len(workers) == 2
        for worker_id in workers:
            assert wait_until(lambda pid=worker_id: not is_running(pid))
    assert not (tmp_path / "proof").exists()
    size = (tmp_path / "work" / "toy" / "checkpoint").stat().st_size
    assert 1000 < size < 1_000_000
    code, _ = run_child(tmp_path, 0)
    assert code == 0
    assert (tmp_path / "proof").read_bytes() == inline_proof(toy_job(tmp_path))
    assert list((tmp_path / "work").iterdir()) == []
