"""One proof, wherever it is made; and what is told when it cannot be made there."""

import sys
from dataclasses import replace

import pytest

from circuits.chips.system import SHAPE_S, margin_system
from prover import kernels
from prover.cluster import processes, ray_fleet
from prover.cluster.settings import ClusterSettings
from prover.errors import SetupMismatch, SetupTooShort
from prover.executor_options import ExecutorKind, ExecutorOptions
from prover.executors import ProvingJob, open_executor
from prover.prove import Stage
from prover.srs_tools import development, development_path
from sequencer.batch_files import witness_of
from tests.support.batches import rich_batch
from tests.support.cluster_jobs import inline_proof, local_cluster, toy_job
from tests.support.local_fleet import LocalFleet
from verifier.key import make_key
from verifier.verify import verify


def options(folder, kind=ExecutorKind.INLINE, workers=2):
    return ExecutorOptions(kind, workers, None, folder / "work")


def test_inline_proves_job_after_job_and_needs_no_folder(tmp_path):
    job, stages = toy_job(tmp_path), []
    with open_executor(options(tmp_path)) as executor:
        proof = executor.prove(job, stages.append)
        assert executor.prove(replace(job, job_id="again")) == proof
    assert proof == inline_proof(job)
    assert stages == list(Stage)
    assert not (tmp_path / "work").exists()


def test_a_setup_that_is_not_the_key_s_is_refused(tmp_path):
    job = toy_job(tmp_path)
    other = replace(job.key.setup, source_hash=bytes(31) + b"\1")
    higher = replace(job.key, log_chunk=7)
    with open_executor(options(tmp_path)) as executor:
        with pytest.raises(SetupMismatch) as caught:
            executor.prove(replace(job, key=replace(job.key, setup=other)))
        assert str(caught.value) == (
            f"{job.bases_path}: source hash for the key of shape {job.key.shape_name}: "
            f"expected {'00' * 31}01, got {'00' * 32}"
        )
        with pytest.raises(SetupTooShort) as caught:
            executor.prove(replace(job, key=higher))
        assert str(caught.value) == (
            f"{job.bases_path}: powers: expected at least 2^7 for shape toy-4-3, got 64"
        )


def test_a_missing_ray_is_a_missing_module(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        open_executor(options(tmp_path, ExecutorKind.RAY)).__enter__()
    assert caught.value.name == "ray"


class NoFleet:
    """Stands for a fleet when it only counts that one would be made."""

    def __init__(self, *arguments):
        raise InterruptedError


@pytest.mark.parametrize(
    ("kind", "address", "is_here"),
    [
        (ExecutorKind.PROCESS, None, True),
        (ExecutorKind.RAY, None, True),
        (ExecutorKind.RAY, "10.0.0.1:6379", False),
    ],
)
def test_kernels_are_compiled_once_before_workers_of_this_machine_start(
    tmp_path, monkeypatch, kind, address, is_here
):
    calls = []
    monkeypatch.setattr(kernels, "warm", lambda: calls.append("warm"))
    monkeypatch.setattr(processes, "ProcessFleet", NoFleet)
    monkeypatch.setattr(ray_fleet, "RayFleet", NoFleet)
    monkeypatch.setattr(ray_fleet, "import_ray", lambda *, is_local: calls.append("ray"))
    executor = open_executor(replace(options(tmp_path, kind), address=address))
    with pytest.raises(InterruptedError):
        executor.__enter__()
    assert calls == ["ray"] * (kind is ExecutorKind.RAY) + ["warm"] * is_here


def margin_job() -> ProvingJob:
    batch = witness_of(rich_batch())
    setup = development(SHAPE_S.log_chunk, lambda count: None).setup
    return ProvingJob(
        make_key(margin_system(), SHAPE_S, setup),
        margin_system(),
        batch.statement.words(),
        batch.statement.pubdata,
        {table.name: table for table in batch.tables},
        development_path(SHAPE_S.log_chunk),
        "margin",
    )


@pytest.mark.slow
def test_a_margin_batch_has_the_same_proof_everywhere(tmp_path):
    job = margin_job()
    with open_executor(options(tmp_path)) as executor:
        expected = executor.prove(job)
    verify(job.key, job.words, job.pubdata, expected)
    with open_executor(options(tmp_path, ExecutorKind.PROCESS)) as executor:
        assert executor.prove(job) == expected
    # Many chips shared, in shards whose first rows are aligned to few bits.
    settings = ClusterSettings(log_shards=4, rows_shared_min=20, coefficients_shared_min=1000)
    with local_cluster(tmp_path, LocalFleet(), 3, settings) as coordinator:
        assert coordinator.prove(job) == expected
