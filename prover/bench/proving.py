"""Whole proofs: the yardstick for some number of trades, and batches from witness files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from circuits.air.chip import System
from circuits.chips.system import margin_system
from circuits.witness.file import Witness
from prover.backend import Tables
from prover.bench.measure import VERIFY, Measurement, Run, StopWatch
from prover.bench.yardstick.system import key_for, yardstick_system
from prover.bench.yardstick.trades import Trades, make_trades
from prover.bench.yardstick.witness import build_witness
from prover.compiled.backend import KernelBackend
from prover.prove import Stage, ignore, prove
from prover.srs_tools import Srs, development
from verifier.cli import PACKAGED_KEYS
from verifier.key import VerifyingKey, load_key
from verifier.verify import verify

WITNESS = "witness"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """All that a proof is made from, but for the setup."""

    key: VerifyingKey
    system: System
    words: Sequence[int]
    pubdata: Sequence[int]
    tables: Tables


def yardstick_job(trades: Trades) -> Job:
    """The yardstick of signed trades. Raises: ConstraintError for a signature that is none."""
    witness = build_witness(trades)
    return Job(
        key_for(len(trades)), yardstick_system(), witness.words, witness.pubdata, witness.tables
    )


def batch_job(witness: Witness) -> Job:
    """A batch under the packaged key of its shape."""
    key = load_key(PACKAGED_KEYS / f"{witness.shape_name}.json")
    tables = {table.name: table for table in witness.tables}
    statement = witness.statement
    return Job(key, margin_system(), statement.words(), statement.pubdata, tables)


def setup_of(key: VerifyingKey) -> Srs:
    """The development setup for a key, made once and kept in the cache folder."""
    return development(key.log_chunk, no_progress)


def no_progress(steps: int) -> None:
    """Progress that nobody watches."""


def make_proof(job: Job, srs: Srs, observe: Callable[[Stage], None] = ignore) -> bytes:
    """The proof of a job, made in this process and not yet verified."""
    backend = KernelBackend(srs.bases)
    return prove(job.key, job.system, job.words, job.pubdata, job.tables, backend, observe)


def measure_yardstick(trades: int, repeat: int, advance: Progress = no_progress) -> Measurement:
    """Prove a yardstick of so many trades; signing them is not part of the work.

    Raises: VerificationError when a proof is refused.
    """
    signed = make_trades(trades)
    srs = setup_of(key_for(trades))
    runs = _runs(lambda: yardstick_job(signed), srs, repeat, advance)
    return Measurement("yardstick", "trade", trades, runs, verified=True)


def measure_batch(path: Path, repeat: int, advance: Progress = no_progress) -> Measurement:
    """Prove the batch of a witness file; the stage `witness` reads the file.

    Raises: CircuitError for a bad file, VerificationError when a proof is refused.
    """
    system = margin_system()
    first = Witness.load(path, system)
    commands, key = first.statement.command_count, batch_job(first).key
    del first
    runs = _runs(lambda: batch_job(Witness.load(path, system)), setup_of(key), repeat, advance)
    return Measurement("batch", "command", max(commands, 1), runs, verified=True)


def _runs(build: Callable[[], Job], srs: Srs, repeat: int, advance: Progress) -> tuple[Run, ...]:
    """Build, prove and verify so often; every proof that counts has been accepted."""
    runs = []
    for _ in range(repeat):
        watch = StopWatch()
        watch.begin(WITNESS)
        job = build()
        proof = make_proof(job, srs, _observer(watch))
        watch.begin(VERIFY)
        verify(job.key, job.words, job.pubdata, proof)
        runs.append(watch.stop())
        del job
        advance(1)
    return tuple(runs)


def _observer(watch: StopWatch) -> Callable[[Stage], None]:
    def observe(stage: Stage) -> None:
        if stage is Stage.DONE:
            watch.pause()
        else:
            watch.begin(stage.value)

    return observe
