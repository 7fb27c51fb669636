"""Proving again and again: memory early and late, and proofs that must be equal."""

from collections.abc import Iterator

import pytest

from prover.bench import soak
from prover.bench.proving import Job, setup_of, yardstick_job
from prover.bench.soak import ProofsDiffer, Soak, run_soak
from tests.support.yardstick import trades_of


@pytest.fixture(scope="module")
def job() -> Job:
    return yardstick_job(trades_of(1))


def proofs(monkeypatch: pytest.MonkeyPatch, made: Iterator[bytes]) -> None:
    monkeypatch.setattr(soak, "make_proof", lambda job, srs: next(made))
    monkeypatch.setattr(soak, "verify", lambda *arguments: None)


def test_the_last_proof_is_compared_with_a_tenth_of_the_way(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    proofs(monkeypatch, iter([b"proof"] * 40))
    sizes = iter([100.0, 110.0, 118.0, 120.0, *[121.0] * 35, 123.0])
    found = run_soak(job, setup_of(job.key), 40, resident=lambda: next(sizes))
    assert (found.early, found.early_mib, found.late_mib) == (4, 120.0, 123.0)
    assert found.growth_percent == pytest.approx(2.5)
    assert found.is_steady


def test_growth_above_five_percent_is_not_steady() -> None:
    assert Soak((100.0, 104.9)).is_steady
    assert not Soak((100.0, 105.1)).is_steady
    assert Soak((100.0, 90.0)).is_steady


def test_another_proof_than_the_first_is_named(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    proofs(monkeypatch, iter([b"proof", b"proof", b"prooF"]))
    with pytest.raises(ProofsDiffer) as caught:
        run_soak(job, setup_of(job.key), 3)
    assert str(caught.value) == "proof 3: expected the bytes of the first, got others"
