"""A job and what can happen to it: pure functions over one table, free of I/O and of clocks.

A lease is good while its token is the job's latest. Its end only says from when on another node
may take the job; until one does, the holder may still renew it or publish under it. What ends a
lease may be said again, with the same token and reason: the job stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from prover.node.errors import StaleLease, WrongState

ATTEMPTS_MAX = 3
"""Leases that end without a proof and without a verdict before a job is set aside."""

RETRY_DELAY_MS = 5_000
"""After the first attempt that failed; doubles with each further one."""


class JobState(StrEnum):
    """Where a job is; the last three rest until somebody asks for them."""

    QUEUED = "queued"
    LEASED = "leased"
    PROVEN = "proven"
    FAILED = "failed"
    PARKED = "parked"


class Event(StrEnum):
    """What can happen to a job."""

    LEASE = "lease"
    RENEW = "renew"
    PUBLISH = "publish"
    ADOPT = "adopt"
    REFUSE = "refuse"
    TRY_AGAIN = "try again"
    PARK = "park"
    POSTPONE = "postpone"
    RELEASE = "release"
    RETRY = "retry"


TRANSITIONS: Mapping[tuple[JobState, Event], JobState] = {
    (JobState.QUEUED, Event.LEASE): JobState.LEASED,
    # A node takes over where the lease of another has ended, or parks the job at its last attempt.
    (JobState.LEASED, Event.LEASE): JobState.LEASED,
    (JobState.LEASED, Event.RENEW): JobState.LEASED,
    (JobState.LEASED, Event.PUBLISH): JobState.PROVEN,
    (JobState.LEASED, Event.REFUSE): JobState.FAILED,
    (JobState.LEASED, Event.TRY_AGAIN): JobState.QUEUED,
    (JobState.LEASED, Event.PARK): JobState.PARKED,
    (JobState.LEASED, Event.POSTPONE): JobState.QUEUED,
    (JobState.LEASED, Event.RELEASE): JobState.QUEUED,
    # A proof that holds is welcome wherever it comes from, once.
    (JobState.QUEUED, Event.ADOPT): JobState.PROVEN,
    (JobState.LEASED, Event.ADOPT): JobState.PROVEN,
    (JobState.FAILED, Event.ADOPT): JobState.PROVEN,
    (JobState.PARKED, Event.ADOPT): JobState.PROVEN,
    (JobState.FAILED, Event.RETRY): JobState.QUEUED,
    (JobState.PARKED, Event.RETRY): JobState.QUEUED,
}


@dataclass(frozen=True, slots=True)
class Job:
    """One batch to be proven.

    `attempts` counts leases, without those that were given back. From `free_at_ms` on a node may
    take the job, if it is queued or leased. `token` and `node` are of the latest lease.
    """

    id: int
    domain: int
    batch_number: int
    shape_name: str
    witness_hash: str
    statement_hash: str
    added_ms: int
    state: JobState = JobState.QUEUED
    attempts: int = 0
    token: int = 0
    node: str = ""
    free_at_ms: int = 0
    reason: str = ""
    proof_file: str = ""
    proof_hash: str = ""
    proven_ms: int = 0

    @property
    def place(self) -> str:
        """How an error names it."""
        return f"job {self.id}"

    def is_held(self, now_ms: int) -> bool:
        """Whether a node holds it whose lease has not ended."""
        return self.state is JobState.LEASED and self.free_at_ms > now_ms


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A proof as the store keeps it: file name in the folder of proofs, and SHA-256."""

    name: str
    hash: str


def is_free(job: Job, now_ms: int) -> bool:
    """Whether a node may take it now."""
    return job.state in (JobState.QUEUED, JobState.LEASED) and job.free_at_ms <= now_ms


def lease(job: Job, node: str, token: int, now_ms: int, lease_ms: int) -> Job:
    """The job in the hands of a node, or parked if its last lease ended with its last attempt.

    Raises: WrongState for a job that is not free.
    """
    if not is_free(job, now_ms):
        raise WrongState(job.place, "a job that is free", f"{job.state}, held by {job.node!r}")
    if job.attempts >= ATTEMPTS_MAX:
        earlier = f"; before that: {job.reason}" if job.reason else ""
        reason = f"node {job.node} went silent in attempt {job.attempts}{earlier}"
        return replace(_moved(job, Event.PARK), reason=reason)
    return replace(
        _moved(job, Event.LEASE),
        node=node,
        token=token,
        attempts=job.attempts + 1,
        free_at_ms=now_ms + lease_ms,
    )


def renew(job: Job, token: int, now_ms: int, lease_ms: int) -> Job:
    """The job with its lease prolonged. Raises: StaleLease."""
    _require_token(job, token)
    return replace(_moved(job, Event.RENEW), free_at_ms=now_ms + lease_ms)


def publish(job: Job, token: int, proof: ProofFile, now_ms: int) -> Job:
    """The job with its proof; unchanged if this lease has given it this proof already.

    Raises: StaleLease, also when the same proof came from a spool meanwhile.
    """
    published = job.token, job.proof_file, job.proof_hash
    if job.state is JobState.PROVEN and published == (token, proof.name, proof.hash):
        return job
    _require_token(job, token)
    return _proven(job, Event.PUBLISH, proof, now_ms)


def adopt(job: Job, witness_hash: str, proof: ProofFile, now_ms: int) -> Job:
    """The job with a proof that was made under an earlier lease; unchanged if it is proven.

    Assumes: the caller has verified the proof against the job's statement.
    Raises: WrongState when the proof was made from another witness.
    """
    if job.witness_hash != witness_hash:
        raise WrongState(job.place, f"a proof from witness {job.witness_hash}", witness_hash)
    if job.state is JobState.PROVEN:
        return job
    return _proven(job, Event.ADOPT, proof, now_ms)


def refuse(job: Job, token: int, reason: str) -> Job:
    """The job that no attempt can prove: its witness is damaged or breaks a rule.

    Raises: StaleLease.
    """
    if _was_ended(job, token, reason, JobState.FAILED):
        return job
    _require_token(job, token)
    return replace(_moved(job, Event.REFUSE), reason=reason)


def try_again(job: Job, token: int, reason: str, now_ms: int) -> Job:
    """The job after an attempt that says nothing about its witness: queued, or parked at last.

    Raises: StaleLease.
    """
    if _was_ended(job, token, reason, JobState.QUEUED, JobState.PARKED):
        return job
    _require_token(job, token)
    if job.attempts >= ATTEMPTS_MAX:
        return replace(_moved(job, Event.PARK), reason=reason)
    delay_ms = RETRY_DELAY_MS << job.attempts - 1
    return replace(_moved(job, Event.TRY_AGAIN), reason=reason, free_at_ms=now_ms + delay_ms)


def postpone(job: Job, token: int, reason: str, now_ms: int) -> Job:
    """The job given back by a machine that cannot prove it now; it is no attempt.

    Raises: StaleLease.
    """
    if _was_ended(job, token, reason, JobState.QUEUED):
        return job
    _require_token(job, token)
    return replace(
        _moved(job, Event.POSTPONE),
        attempts=job.attempts - 1,
        reason=reason,
        free_at_ms=now_ms + RETRY_DELAY_MS,
    )


def release(job: Job, token: int, now_ms: int) -> Job:
    """The job given back untouched; it is no attempt. Raises: StaleLease."""
    if _was_ended(job, token, job.reason, JobState.QUEUED):
        return job
    _require_token(job, token)
    return replace(_moved(job, Event.RELEASE), attempts=job.attempts - 1, free_at_ms=now_ms)


def retry(job: Job, now_ms: int) -> Job:
    """The job queued again with all its attempts. Raises: WrongState unless failed or parked."""
    return replace(_moved(job, Event.RETRY), attempts=0, reason="", free_at_ms=now_ms)


def _proven(job: Job, event: Event, proof: ProofFile, now_ms: int) -> Job:
    return replace(
        _moved(job, event),
        proof_file=proof.name,
        proof_hash=proof.hash,
        proven_ms=now_ms,
        reason="",
    )


def _was_ended(job: Job, token: int, reason: str, *states: JobState) -> bool:
    """Whether the lease with this token has ended in one of these ways."""
    return job.state in states and (job.token, job.reason) == (token, reason)


def _require_token(job: Job, token: int) -> None:
    if job.state is not JobState.LEASED:
        raise StaleLease(job.place, f"a lease with token {token}", f"a job that is {job.state}")
    if job.token != token:
        raise StaleLease(job.place, f"token {job.token} of node {job.node}", f"token {token}")


def _moved(job: Job, event: Event) -> Job:
    following = TRANSITIONS.get((job.state, event))
    if following is None:
        allowed = " or ".join(state for state, each in TRANSITIONS if each is event)
        raise WrongState(job.place, f"{allowed} before {event}", job.state)
    return replace(job, state=following)
