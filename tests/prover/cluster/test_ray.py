"""Workers as Ray actors on one machine."""

import os
import signal

import pytest

from prover.cluster.events import EventKind
from prover.prove import Stage
from tests.support.cluster_jobs import Watch, inline_proof
from tests.support.ray_clusters import RAY_MARKS, ray_executor

pytestmark = RAY_MARKS


@pytest.fixture(scope="module")
def crew(tmp_path_factory):
    """An executor with two actors on a Ray of their own, and who watches them."""
    watch = Watch()
    with ray_executor(tmp_path_factory.mktemp("ray"), watch) as executor:
        yield executor, watch


def test_the_bytes_are_those_of_every_executor(crew, quick_job):
    executor, watch = crew
    assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    assert sorted(watch.process_ids()) == ["worker-1", "worker-2"]
    assert watch.details(EventKind.LOST) == []


def test_an_actor_is_killed_and_the_bytes_are_the_same(crew, quick_job):
    executor, watch = crew
    victim, process_id = next(iter(watch.process_ids().items()))
    watch.strike_in(Stage.SUMCHECK, lambda: os.kill(process_id, signal.SIGKILL))
    assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    ((lost, reason),) = watch.details(EventKind.LOST)
    assert lost == victim
    assert "Actor" in reason
    # The next job has two workers again.
    assert executor.prove(quick_job, watch.stages.append) == inline_proof(quick_job)
    assert len(watch.process_ids()) == 2


def test_reports_are_off_and_authentication_is_on(crew):
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_DEDUP_LOGS_SKIP_REGEX"] == "."
