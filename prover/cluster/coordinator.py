"""The executor over workers: one proof after the other, each checked before it is handed out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import numpy as np

from prover.backend import Circuit, Tables
from prover.cluster.audit import COORDINATOR, AuditDone, Auditor, Guilt, GuiltyFound
from prover.cluster.backend import ClusterBackend
from prover.cluster.checkpoint import Checkpoint
from prover.cluster.crew import Crew
from prover.cluster.engine import Engine
from prover.cluster.errors import ClusterError, InconsistentRound
from prover.cluster.events import ClusterEvent, EventKind, Notify
from prover.cluster.fleet import Fleet
from prover.cluster.folder import JobFolder, open_folder
from prover.cluster.ledger import Ledger
from prover.cluster.machine import Machine
from prover.cluster.messages import Job, Open
from prover.cluster.plans import Plans
from prover.cluster.shards import plan_shards
from prover.cluster.steplog import Steps
from prover.cluster.store import TableSource, WitnessStore
from prover.executor_options import ExecutorOptions
from prover.executors import ProvingJob, Setups
from prover.prove import Stage, ignore, prove
from prover.witness import check_tables
from verifier.errors import VerificationError
from verifier.transcript import words_to_bytes
from verifier.verify import verify

# How often the coordinator may find itself, or an earlier run, wrong before it gives up.
_OWN_FAULTS_MAX = 2


@contextmanager
def open_coordinator(
    fleet: Fleet, options: ExecutorOptions, notify: Notify
) -> Iterator[Coordinator]:
    """A coordinator whose workers are started now, while its caller prepares the first job."""
    with closing(fleet):
        crew = Crew(fleet, options.settings, notify)
        crew.start(options.workers)
        yield Coordinator(crew, options, notify)


class Coordinator:
    """Proves on a crew of workers."""

    def __init__(self, crew: Crew, options: ExecutorOptions, notify: Notify) -> None:
        self._crew = crew
        self._options = options
        self._notify = notify
        self._setups = Setups()

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        """See `Executor.prove`. A call that was killed goes on where it was when it is repeated.

        The proof of a witness that breaks a rule is returned as it is, for the caller's verifier
        to refuse: every answer that went into it was found right.
        Raises, beside what prove() raises: ClusterError, SetupMismatch, OSError.
        """
        bases = self._setups.of(job.key, job.bases_path).bases
        with open_folder(self._options.work_dir, job.job_id) as folder:
            run = JobRun(job, bases, folder, self._crew, self._options, self._notify)
            try:
                with closing(run):
                    proof = run.prove(observe)
            finally:
                self._crew.close_job()
            folder.remove()
        return proof


class JobRun:
    """One job, until its proof is accepted or is refused for no machine's fault."""

    def __init__(
        self,
        job: ProvingJob,
        bases: np.ndarray,
        folder: JobFolder,
        crew: Crew,
        options: ExecutorOptions,
        notify: Notify,
    ) -> None:
        self._job = job
        self._bases = bases
        self._folder = folder
        self._crew = crew
        self._options = options
        self._notify = notify
        self._ledger = Ledger()
        self._checkpoint: Checkpoint | None = None

    def close(self) -> None:
        """Let go of the checkpoint file."""
        if self._checkpoint is not None:
            self._checkpoint.close()
            self._checkpoint = None

    def prove(self, observe: Callable[[Stage], None]) -> bytes:
        """Run the proof; if it is refused, find who was wrong and run it again without them.

        Every run may start workers for those that were dropped, so their number is limited here.
        """
        own_faults = worker_faults = 0
        worker_faults_max = self._options.workers + self._options.settings.replacements_max
        while True:
            proof = b""
            try:
                proof = self._run(self._begin, observe)
                verify(self._job.key, self._job.words, self._job.pubdata, proof)
                return proof
            except (InconsistentRound, VerificationError) as error:
                refusal = error
            # Workers let go of the witness, as the audit holds what they held.
            self._crew.close_job()
            guilt = self._audit()
            if guilt is None:
                if isinstance(refusal, InconsistentRound):
                    raise refusal
                return proof
            own_faults += guilt.worker == COORDINATOR
            worker_faults += guilt.worker != COORDINATOR
            if own_faults > _OWN_FAULTS_MAX:
                raise ClusterError("coordinator", "right answers", guilt.detail)
            if worker_faults > worker_faults_max:
                raise ClusterError("workers", "right answers", guilt.detail)
            self._punish(guilt)

    def _run(
        self,
        begin: Callable[[Circuit, Tables], tuple[Job, Plans, Steps]],
        observe: Callable[[Stage], None],
    ) -> bytes:
        job, backend = self._job, ClusterBackend(self._bases, begin)
        return prove(job.key, job.system, job.words, job.pubdata, job.tables, backend, observe)

    def _begin(self, circuit: Circuit, tables: Tables) -> tuple[Job, Plans, Steps]:
        """The witness on disk and checked before a worker hears of the job."""
        job = self._cluster_job()
        plans = Plans(job)
        store = WitnessStore.persist(self._folder.store, circuit.key, job.plan, tables)
        if self._checkpoint is None:
            self._checkpoint = Checkpoint(self._folder.checkpoint, self._identity(store))
        engine = Engine(
            self._crew,
            self._options.workers,
            Open(job, str(self._folder.store.resolve()), str(self._job.bases_path.resolve())),
            plans,
            self._machine(job, plans),
            self._bases,
            self._checkpoint,
            self._ledger,
            self._options.settings,
            self._notify,
        )
        return job, plans, engine

    def _audit(self) -> Guilt | None:
        """Who gave the first wrong answer, if anybody did."""

        def begin(circuit: Circuit, tables: Tables) -> tuple[Job, Plans, Steps]:
            if self._checkpoint is None:
                raise RuntimeError("expected a checkpoint, got none")
            job = self._cluster_job()
            plans = Plans(job)
            auditor = Auditor(
                job, self._bases, lambda: self._machine(job, plans), self._checkpoint,
                self._ledger, self._options.settings,
            )  # fmt: skip
            return job, plans, auditor

        try:
            self._run(begin, ignore)
        except GuiltyFound as found:
            return found.guilt
        except (AuditDone, InconsistentRound):
            pass
        return None

    def _punish(self, guilt: Guilt) -> None:
        """Drop who was wrong and forget all answers from the wrong one on."""
        self._notify(ClusterEvent(EventKind.GUILTY, guilt.worker, guilt.detail))
        if guilt.worker != COORDINATOR:
            self._crew.drop(guilt.worker, guilt.detail)
        self._ledger.truncate(guilt.number)
        if self._checkpoint is not None:
            self._checkpoint.truncate(guilt.number)

    def _cluster_job(self) -> Job:
        job, settings = self._job, self._options.settings
        heights = check_tables(job.key, job.system, job.tables, job.pubdata)
        log_heights = [chip.log_height for chip in job.key.chips]
        plan = plan_shards(heights, log_heights, settings)
        return Job.of(job.key, job.system, job.words, plan)

    def _machine(self, job: Job, plans: Plans) -> Machine:
        source = TableSource(job.key, job.plan, self._job.tables)
        return Machine(job, plans, self._bases, source)

    def _identity(self, store: WitnessStore) -> dict[str, str]:
        """What a checkpoint belongs to."""
        job, settings = self._job, self._options.settings
        statement = words_to_bytes((len(job.words), *job.words, len(job.pubdata), *job.pubdata))
        return {
            "plasmaperps": "checkpoint 2",
            "job": job.job_id,
            "key": job.key.digest.hex(),
            "statement": hashlib.sha256(statement).hexdigest(),
            "witness": store.digest,
            "shared from": f"{settings.rows_shared_min} rows as 2^{settings.log_shards} shards "
            f"down to {settings.rows_handed_max}, {settings.coefficients_shared_min} coefficients",
        }
