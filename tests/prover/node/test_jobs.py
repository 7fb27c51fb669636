"""What can happen to a job: every pair of state and event, and what each sets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prover.node import jobs
from prover.node.errors import StaleLease, WrongState
from prover.node.jobs import ATTEMPTS_MAX, RETRY_DELAY_MS, TRANSITIONS, Event, Job, JobState

NOW, LEASE = 5_000, 1_000
PROOF = jobs.ProofFile("job.proof", "ab" * 32)
JOB = Job(3, 7, 12, "S", "cd" * 32, "ef" * 32, added_ms=1)
LEASED = jobs.lease(JOB, "one", 4, NOW, LEASE)

DO = {
    Event.LEASE: lambda job: jobs.lease(job, "two", 9, NOW + LEASE, LEASE),
    Event.RENEW: lambda job: jobs.renew(job, job.token, NOW, LEASE),
    Event.PUBLISH: lambda job: jobs.publish(job, job.token, PROOF, NOW),
    Event.ADOPT: lambda job: jobs.adopt(job, job.witness_hash, PROOF, NOW),
    Event.REFUSE: lambda job: jobs.refuse(job, job.token, "broken"),
    Event.TRY_AGAIN: lambda job: jobs.try_again(job, job.token, "crashed", NOW),
    Event.PARK: lambda job: jobs.try_again(
        replace(job, attempts=ATTEMPTS_MAX), job.token, "crashed", NOW
    ),
    Event.POSTPONE: lambda job: jobs.postpone(job, job.token, "no memory", NOW),
    Event.RELEASE: lambda job: jobs.release(job, job.token, NOW),
    Event.RETRY: lambda job: jobs.retry(job, NOW),
}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", JobState)
def test_the_table_says_what_happens(state: JobState, event: Event) -> None:
    job = replace(LEASED, state=state)
    following = TRANSITIONS.get((state, event))
    if (state, event) in ((JobState.PROVEN, Event.ADOPT), (JobState.QUEUED, Event.RELEASE)):
        assert DO[event](job) == job
    elif following is None:
        with pytest.raises((WrongState, StaleLease)):
            DO[event](job)
    else:
        assert DO[event](job).state is following


def test_a_lease_counts_an_attempt_and_says_who_until_when() -> None:
    leased = jobs.lease(JOB, "one", 4, NOW, LEASE)
    assert leased == replace(
        JOB, state=JobState.LEASED, node="one", token=4, attempts=1, free_at_ms=NOW + LEASE
    )


def test_a_lease_that_has_not_ended_is_not_taken_over() -> None:
    with pytest.raises(WrongState) as caught:
        jobs.lease(LEASED, "two", 5, NOW + LEASE - 1, LEASE)
    assert str(caught.value) == "job 3: expected a job that is free, got leased, held by 'one'"


def test_the_holder_of_an_ended_lease_goes_on_until_another_takes_the_job() -> None:
    later = NOW + 10 * LEASE
    assert jobs.renew(LEASED, 4, later, LEASE).free_at_ms == later + LEASE
    assert jobs.publish(LEASED, 4, PROOF, later).state is JobState.PROVEN
    taken = jobs.lease(LEASED, "two", 5, later, LEASE)
    for late in (
        lambda: jobs.renew(taken, 4, later, LEASE),
        lambda: jobs.publish(taken, 4, PROOF, later),
        lambda: jobs.refuse(taken, 4, "broken"),
        lambda: jobs.try_again(taken, 4, "crashed", later),
        lambda: jobs.postpone(taken, 4, "no memory", later),
        lambda: jobs.release(taken, 4, later),
    ):
        with pytest.raises(StaleLease) as caught:
            late()
        assert str(caught.value) == "job 3: expected token 5 of node two, got token 4"


def test_publishing_the_same_proof_again_changes_nothing_and_another_is_refused() -> None:
    proven = jobs.publish(LEASED, 4, PROOF, NOW)
    assert (proven.proof_file, proven.proof_hash, proven.proven_ms) == (*_parts(PROOF), NOW)
    assert jobs.publish(proven, 4, PROOF, NOW + 9) == proven
    others = replace(PROOF, hash="ef" * 32), replace(PROOF, name="job-spool.proof")
    for token, proof in ((5, PROOF), *((4, other) for other in others)):
        with pytest.raises(StaleLease) as caught:
            jobs.publish(proven, token, proof, NOW)
        expected = f"job 3: expected a lease with token {token}, got a job that is proven"
        assert str(caught.value) == expected


def _parts(proof: jobs.ProofFile) -> tuple[str, str]:
    return proof.name, proof.hash


def test_a_proof_of_an_earlier_lease_is_adopted_once_and_only_for_its_witness() -> None:
    for job in (JOB, LEASED, jobs.refuse(LEASED, 4, "broken")):
        adopted = jobs.adopt(job, JOB.witness_hash, PROOF, NOW)
        assert (adopted.state, adopted.reason) == (JobState.PROVEN, "")
        assert jobs.adopt(adopted, JOB.witness_hash, replace(PROOF, name="other"), 0) == adopted
    with pytest.raises(WrongState) as caught:
        jobs.adopt(JOB, "ff" * 32, PROOF, NOW)
    assert str(caught.value) == (
        f"job 3: expected a proof from witness {JOB.witness_hash}, got {'ff' * 32}"
    )


def test_attempts_wait_longer_each_time_and_the_last_one_parks_the_job() -> None:
    job, waits = JOB, []
    for attempt in range(1, ATTEMPTS_MAX + 1):
        job = jobs.try_again(jobs.lease(job, "one", attempt, job.free_at_ms, 1), attempt, "oom", 0)
        waits.append(job.free_at_ms)
    assert job.state is JobState.PARKED
    assert (job.reason, job.attempts) == ("oom", ATTEMPTS_MAX)
    assert waits[: ATTEMPTS_MAX - 1] == [RETRY_DELAY_MS << n for n in range(ATTEMPTS_MAX - 1)]
    assert jobs.retry(job, NOW) == replace(
        job, state=JobState.QUEUED, attempts=0, reason="", free_at_ms=NOW
    )


def test_a_job_whose_nodes_all_fell_silent_is_parked_by_the_next_that_asks() -> None:
    job = JOB
    for token in range(1, ATTEMPTS_MAX + 1):
        job = jobs.lease(job, f"node-{token}", token, job.free_at_ms, LEASE)
    parked = jobs.lease(job, "next", 9, job.free_at_ms, LEASE)
    assert parked.state is JobState.PARKED
    assert parked.reason == "node node-3 went silent in attempt 3"
    other = jobs.lease(replace(job, reason="out of memory"), "next", 9, job.free_at_ms, LEASE)
    assert other.reason == f"{parked.reason}; before that: out of memory"


def test_a_job_that_is_given_back_has_lost_no_attempt() -> None:
    assert jobs.release(LEASED, 4, NOW) == replace(
        JOB, token=4, node="one", attempts=0, free_at_ms=NOW
    )


def test_a_job_that_is_postponed_has_lost_no_attempt_and_says_why() -> None:
    assert jobs.postpone(LEASED, 4, "no memory", NOW) == replace(
        JOB, token=4, node="one", attempts=0, reason="no memory", free_at_ms=NOW + RETRY_DELAY_MS
    )


@pytest.mark.parametrize("attempts", [1, ATTEMPTS_MAX])
def test_what_has_ended_a_lease_may_be_said_again(attempts: int) -> None:
    leased = replace(LEASED, attempts=attempts)
    for end in (
        lambda job, reason: jobs.refuse(job, 4, reason),
        lambda job, reason: jobs.try_again(job, 4, reason, NOW),
        lambda job, reason: jobs.postpone(job, 4, reason, NOW),
        lambda job, reason: jobs.release(job, 4, NOW + len(reason)),
    ):
        ended = end(leased, "why")
        assert end(ended, "why") == ended
        with pytest.raises(StaleLease):
            end(replace(ended, token=5), "why")
