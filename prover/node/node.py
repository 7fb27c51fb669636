"""A node: carries out what its core decides, on a job store, a spool and a way to prove."""

from __future__ import annotations

import errno
import gc
import os
import secrets
import socket
import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from time import perf_counter

from circuits.cli_support import ExitCode
from prover.cluster.errors import ClusterError, JobInUse
from prover.errors import NotEnoughMemory
from prover.node import core, notices
from prover.node.core import Failure, FailureKind, NodeCore, Occupied, ProvenBatch, Shortage
from prover.node.errors import (
    FileDamaged,
    JobNotFound,
    StaleLease,
    StoreError,
    StoreUnavailable,
    WrongState,
)
from prover.node.heart import Heart, Timing, Wake
from prover.node.jobs import Job, JobState
from prover.node.patience import AT_ONCE, Patience
from prover.node.port import WitnessRefused, Work
from prover.node.roster import NodeRecord, Orders, Roster
from prover.node.sight import StoreSight
from prover.node.signals import two_signals
from prover.node.spool import Spool, SpooledProof
from prover.node.store import JobStore
from prover.prove import Stage
from verifier.errors import VerificationError

PATIENCE_S = 30.0
"""How long one try outlasts a store that is away; then the node waits and tries again."""

_LOOKER = "node"
# Why a proof in the spool is of no use: its job, its witness or the proof itself is another.
_USELESS_PROOF = (JobNotFound, WrongState, VerificationError)
# Why it cannot be checked now: its statement is damaged until somebody adds the batch again.
_UNCHECKED_PROOF = (FileDamaged, WitnessRefused)


class _LeaseLost(Exception):
    """The job in hand is another node's by now, so its proof would be refused."""


class _LeaveNow(BaseException):
    """Told to leave at once, in the middle of a proof. No `except Exception` may hold it up."""


class Node:
    """One node on one store.

    Assumes: `run` is called from the main thread if signals are to be handled.
    """

    def __init__(
        self,
        store: JobStore,
        spool: Spool,
        work: Work,
        node_core: NodeCore,
        watch: notices.Watch,
        clock_ms: Callable[[], int],
        timing: Timing,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.core = node_core
        self._wake = Wake()
        self._store = store.with_patience(Patience(PATIENCE_S, self._wait_on))
        self._brisk_store = store.with_patience(AT_ONCE)
        self._spool = spool
        self._work = work
        self._watch = watch
        self._clock_ms = clock_ms
        self._timing = timing
        now_ms = clock_ms()
        self._record = NodeRecord(self.name, started_ms=now_ms, seen_ms=now_ms)
        self._roster = Roster(self._brisk_store)
        self._sight = StoreSight(watch)
        self._heart = Heart(
            self._roster,
            self._record,
            timing,
            watch,
            self._sight,
            clock_ms,
            self._on_orders,
            lambda: self.core.is_draining,
        )
        self._is_proving = False

    def run(self) -> ExitCode:
        """Work until told to stop; the exit code says how that was.

        Raises: StoreDraining before anything is taken; NotAStore.
        """
        with two_signals(self.drain, self.leave), ExitStack() as stack:
            # Before it is listed: whether it was is not known when the answer gets lost.
            stack.callback(self._sign_off)
            stack.callback(self._heart.stop)
            while not isinstance(action := self.core.next(), core.Leave):
                self._do(action)
        counts = self.core.published_count, self.core.failed_count
        self._watch(notices.Left(int(action.exit_code), *counts))
        return action.exit_code

    def drain(self) -> None:
        """Finish the job in hand and take no more; may be called from a signal handler."""
        self.core.is_drain_signalled = True
        self._wake.set()
        self._heart.nudge()

    def leave(self) -> None:
        """Release the job in hand and stop; in a signal handler it interrupts a proof."""
        self.core.is_leaving = True
        self._wake.set()
        if self._is_proving:
            raise _LeaveNow

    def _on_orders(self, orders: Orders) -> None:
        if self.core.is_drain_ordered != orders.is_asked_to_drain:
            self.core.is_drain_ordered = orders.is_asked_to_drain
            self._wake.set()

    def _wait_on(self, seconds: float) -> bool:
        self._wake.wait(seconds)
        return not self.core.is_leaving

    def _do(self, action: core.Action) -> None:
        try:
            match action:
                case core.Join():
                    self._join()
                case core.Recover():
                    self._recover()
                case core.Take(passed_over):
                    self._take(passed_over)
                case core.Prove(job):
                    self._prove(job)
                case core.Publish(job, proven):
                    self._publish(job, proven)
                case core.Report(job, failure):
                    self._report(job, failure)
                case core.Postpone(job, hindrance):
                    self._postpone(job, hindrance)
                case core.Review(job_ids):
                    self.core.on_reviewed(self._proven_of(job_ids))
                case core.Release(job):
                    self._release(job)
                case core.Wait(seconds):
                    self._wake.wait(seconds)
            if not isinstance(action, core.Wait):
                self._sight.found(_LOOKER)
        except StoreUnavailable as error:
            self._sight.lost(_LOOKER, str(error))
            self.core.on_away()
        except (StaleLease, JobNotFound) as error:
            if self.core.job is not None:
                self._lose(self.core.job, str(error))

    def _join(self) -> None:
        self._roster.join(self._record)
        self.core.on_joined()
        self._watch(notices.Started(self.name, str(self._store.folder)))
        self._heart.start()

    def _sign_off(self) -> None:
        with suppress(StoreError):
            self._roster.leave(self.name)

    def _take(self, passed_over: frozenset[int]) -> None:
        shapes = self._work.shapes
        store, now_ms = self._brisk_store, self._clock_ms()
        job = store.lease(self.name, now_ms, self._timing.lease_ms, shapes, passed_over)
        if job is None:
            self.core.on_nothing(store.waiting(shapes))
            return
        self.core.on_taken(job)
        self._heart.begin(job)
        self._heart.nudge()
        self._watch(notices.Taken(job.id, job.batch_number, job.shape_name, job.attempts))

    def _prove(self, job: Job) -> None:
        try:
            result = self._outcome(job)
        except _LeaveNow:
            return
        except _LeaseLost:
            self._lose(job, "the lease ended before the proof did")
            return
        self.core.on_result(result)
        if isinstance(result, ProvenBatch):
            self._keep(job, result)

    def _outcome(self, job: Job) -> core.Result:
        """What comes of a job. Raises: StoreUnavailable; _LeaseLost; _LeaveNow."""
        try:
            witness = self._store.checked_witness(job)
            self._is_proving = True
            return self._work.prove(job, witness, self._observer(job))
        except _LeaseLost:
            raise
        except StoreUnavailable as error:
            # While the database answers, it is this one file that cannot be read.
            self._brisk_store.job(job.id)
            return Failure(FailureKind.DEFECT, str(error), is_final=False)
        except FileDamaged as error:
            return Failure(FailureKind.WITNESS, str(error), is_final=True)
        except WitnessRefused as error:
            return Failure(error.kind, str(error), is_final=True)
        except NotEnoughMemory as error:
            return Shortage(str(error))
        except JobInUse as error:
            # Whose lease has ended lets go of the folder at its next stage.
            return Occupied(str(error))
        except ClusterError as error:
            return Failure(FailureKind.CLUSTER, str(error), is_final=False)
        except Exception as error:
            if _is_out_of_memory(error):
                return Failure(FailureKind.MEMORY, str(error) or "out of memory", is_final=False)
            traceback.print_exc()
            return Failure(FailureKind.DEFECT, f"{type(error).__name__}: {error}", is_final=False)
        finally:
            self._is_proving = False
            gc.collect()

    def _observer(self, job: Job) -> Callable[[Stage], None]:
        begun: list[tuple[Stage, float]] = []

        def observe(stage: Stage) -> None:
            now = perf_counter()
            if begun:
                last, since = begun.pop()
                # A proof that begins anew comes from DONE, which is none of its stages.
                if last is not Stage.DONE:
                    self._watch(notices.StageEnded(job.id, last, now - since))
            begun.append((stage, now))
            self._heart.stage("verify" if stage is Stage.DONE else stage)
            self._watch(notices.StageBegun(job.id, stage))
            if self.core.is_leaving:
                # The signal came before the proof began, or was lost on code that holds exceptions.
                raise _LeaveNow
            if self._heart.is_lease_lost:
                raise _LeaseLost

        return observe

    def _keep(self, job: Job, proven: ProvenBatch) -> None:
        """From now on the proof outlives this process."""
        try:
            self._spool.keep(self._spooled(job, proven.proof))
        except OSError as error:
            self._watch(notices.SpoolFailed(job.id, str(error)))

    def _publish(self, job: Job, proven: ProvenBatch) -> None:
        self._store.publish(job.id, job.token, proven.proof, self._clock_ms())
        self._drop(self._spooled(job, proven.proof))
        self.core.on_recorded()
        self._heart.end(self.core.published_count)
        self._watch(
            notices.Published(
                job.id,
                job.batch_number,
                proven.prove_seconds,
                proven.verify_seconds,
                proven.cells,
                is_from_spool=False,
            )
        )

    def _report(self, job: Job, failure: Failure) -> None:
        if failure.is_final:
            self._store.refuse(job.id, job.token, failure.reason)
        else:
            self._store.try_again(job.id, job.token, failure.reason, self._clock_ms())
        self.core.on_recorded()
        self._heart.end(self.core.published_count)
        kind, is_final, reason = failure.kind, failure.is_final, failure.reason
        self._watch(notices.Failed(job.id, job.batch_number, kind, is_final, reason))

    def _postpone(self, job: Job, hindrance: Shortage | Occupied) -> None:
        reason = hindrance.reason
        self._store.postpone(job.id, job.token, reason, self._clock_ms())
        self.core.on_postponed()
        self._heart.end(self.core.published_count)
        if isinstance(hindrance, Occupied):
            self._watch(notices.Postponed(job.id, job.batch_number, reason))
            return
        kind = FailureKind.MEMORY
        self._watch(notices.Failed(job.id, job.batch_number, kind, False, reason))

    def _proven_of(self, job_ids: frozenset[int]) -> set[int]:
        states = {job.id: job.state for job in self._store.jobs()}
        return {number for number in job_ids if states.get(number) is JobState.PROVEN}

    def _release(self, job: Job) -> None:
        with suppress(StoreError):
            self._brisk_store.release(job.id, job.token, self._clock_ms())
            self._watch(notices.Released(job.id, job.batch_number))
        self.core.on_released()
        self._heart.end(self.core.published_count)

    def _lose(self, job: Job, reason: str) -> None:
        # Whoever holds the job now proves it again; a second publication is never tried.
        self._drop(self._spooled(job, b""))
        self.core.on_lost()
        self._heart.end(self.core.published_count)
        self._watch(notices.LeaseLost(job.id, job.batch_number, reason))

    def _recover(self) -> None:
        """Publish what lies in the spool for this store, as far as it is wanted."""
        for spooled in self._spool.found(self._store.id):
            try:
                is_done = self._adopt(spooled)
            except _USELESS_PROOF as error:
                self._watch(notices.SpoolFailed(spooled.job_id, str(error)))
                is_done = True
            except _UNCHECKED_PROOF as error:
                self._watch(notices.SpoolFailed(spooled.job_id, str(error)))
                is_done = False
            if is_done:
                self._drop(spooled)
        self.core.on_recovered()

    def _adopt(self, spooled: SpooledProof) -> bool:
        """Publish a proof unless its job is proven; False leaves it to a node with its key."""
        job = self._store.job(spooled.job_id)
        if job.state is JobState.PROVEN:
            return True
        if job.shape_name not in self._work.shapes:
            return False
        self._work.check(job, self._statement(job), spooled.proof)
        is_own = self._store.adopt(
            job.id, spooled.witness_hash, spooled.token, spooled.proof, self._clock_ms()
        )
        if is_own:
            told = notices.Published(job.id, job.batch_number, 0.0, 0.0, 0, is_from_spool=True)
            self._watch(told)
        return True

    def _statement(self, job: Job) -> str:
        try:
            return self._store.statement(job)
        except StoreUnavailable as error:
            # As for a witness: while the database answers, it is this one file.
            self._brisk_store.job(job.id)
            raise FileDamaged(error.place, error.expected, error.got) from error

    def _spooled(self, job: Job, proof: bytes) -> SpooledProof:
        return SpooledProof(self._store.id, job.id, job.token, job.witness_hash, proof)

    def _drop(self, spooled: SpooledProof) -> None:
        # A proof that stays behind is found to be published when it is looked at next.
        with suppress(OSError):
            self._spool.drop(spooled)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether Python or the system had no memory left; maps and processes are the system's."""
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno == errno.ENOMEM
    )
