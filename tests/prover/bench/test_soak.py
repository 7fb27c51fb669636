"""Proving again and again: memory early and late, and proofs that must be equal."""

from collections.abc import Callable

import pytest

from prover.bench import soak
from prover.bench.proving import yardstick_job
from prover.bench.soak import ProofsDiffer, Soak, run_soak
from prover.executors import ProvingJob
from prover.processes import MIB
from prover.prove import Stage, ignore
from tests.support.yardstick import trades_of


class Made:
    """An executor whose proofs are made up."""

    def __init__(self, proofs: list[bytes]) -> None:
        self._proofs = iter(proofs)

    def prove(self, job: ProvingJob, observe: Callable[[Stage], None] = ignore) -> bytes:
        return next(self._proofs)


@pytest.fixture(scope="module")
def job() -> ProvingJob:
    return yardstick_job(trades_of(1))


@pytest.fixture(autouse=True)
def accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "verify", lambda *arguments: None)


def test_the_last_proof_is_compared_with_a_tenth_of_the_way(job: ProvingJob) -> None:
    sizes_mib = iter([100, 110, 118, 120, *[121] * 35, 123])
    found = run_soak(Made([b"proof"] * 40), job, 40, resident=lambda: next(sizes_mib) * MIB)
    assert (found.early, found.early_mib, found.late_mib) == (4, 120.0, 123.0)
    assert found.growth_percent == pytest.approx(2.5)
    assert found.is_steady


def test_growth_above_five_percent_is_not_steady() -> None:
    assert Soak((100.0, 104.9)).is_steady
    assert not Soak((100.0, 105.1)).is_steady
    assert Soak((100.0, 90.0)).is_steady


def test_another_proof_than_the_first_is_named(job: ProvingJob) -> None:
    with pytest.raises(ProofsDiffer) as caught:
        run_soak(Made([b"proof", b"proof", b"prooF"]), job, 3)
    assert str(caught.value) == "proof 3: expected the bytes of the first, got others"
