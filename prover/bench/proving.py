"""Whole proofs: the yardstick for some number of trades, and batches from witness files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from circuits.chips.system import margin_system
from circuits.witness.file import Witness
from prover import srs_tools
from prover.backend import Circuit
from prover.bench.measure import VERIFY, Measurement, Run, StopWatch
from prover.bench.setting import Setting
from prover.bench.yardstick.system import key_for, rows_for, yardstick_system
from prover.bench.yardstick.trades import Trades, make_trades
from prover.bench.yardstick.witness import build_witness
from prover.cluster.events import Notify, ignore_event
from prover.errors import FalseStatementAccepted
from prover.executor_options import ExecutorOptions
from prover.executors import Executor, ProvingJob, open_executor
from prover.memory import require_memory
from prover.prove import Stage
from prover.proving import first_failure, margin_job, setup_file
from verifier.cli import PACKAGED_KEYS
from verifier.errors import VerificationError
from verifier.key import VerifyingKey, load_key
from verifier.verify import verify

WITNESS = "witness"
Progress = Callable[[int], None]


def yardstick_job(trades: Trades) -> ProvingJob:
    """The yardstick of signed trades. Raises: ConstraintError for a signature that is none."""
    witness = build_witness(trades)
    key = key_for(len(trades))
    return ProvingJob(
        key,
        yardstick_system(),
        witness.words,
        witness.pubdata,
        witness.tables,
        srs_tools.development_path(key.log_chunk),
        key.shape_name,
    )


def batch_job(witness: Witness) -> ProvingJob:
    """A batch under the packaged key of its shape."""
    key = load_key(PACKAGED_KEYS / f"{witness.shape_name}.json")
    bases_path = srs_tools.development_path(key.log_chunk)
    return margin_job(key, witness, bases_path, f"batch-{witness.statement.batch_number}")


def prepare_setup(key: VerifyingKey) -> None:
    """Make the development setup for a key, unless the cache folder has it."""
    setup_file(key, None, no_progress)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the measurements of one command run on."""

    executor: Executor
    options: ExecutorOptions


@contextmanager
def opened(setting: Setting, notify: Notify = ignore_event) -> Iterator[Bench]:
    """The executor of a setting, over a folder that goes away with it."""
    with TemporaryDirectory(prefix="plasmaperps-bench-") as folder:
        workers = max(setting.workers, 1)
        options = ExecutorOptions(setting.executor, workers, None, Path(folder))
        with open_executor(options, notify) as executor:
            yield Bench(executor, options)


def no_progress(steps: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to prove again and again: so many units of it, and how its job is built.

    `explain` tells people why a proof of it was refused.
    """

    name: str
    unit: str
    size: int
    build: Callable[[], ProvingJob]
    explain: Callable[[VerificationError], str]


def yardstick_task(bench: Bench, trades: int) -> Task:
    """A yardstick of so many trades, signed here, with its setup made. Raises: NotEnoughMemory."""
    key = key_for(trades)
    require_memory(Circuit(key, yardstick_system()), rows_for(trades), bench.options)
    signed = make_trades(trades)
    prepare_setup(key)

    def explain(error: VerificationError) -> str:
        return f"{key.shape_name}: {error}"

    return Task("yardstick", "trade", trades, lambda: yardstick_job(signed), explain)


def batch_task(bench: Bench, path: Path) -> Task:
    """The batch of a witness file, with its setup made; building the job reads the file.

    Raises: CircuitError for a bad file; NotEnoughMemory.
    """
    system = margin_system()
    first = Witness.load(path, system)
    commands, key = first.statement.command_count, batch_job(first).key
    require_memory(Circuit(key, system), first.heights, bench.options)
    del first
    prepare_setup(key)

    def build() -> ProvingJob:
        return batch_job(Witness.load(path, system))

    def explain(error: VerificationError) -> str:
        return f"{path}: {first_failure(Witness.load(path, system)) or error}"

    return Task("batch", "command", max(commands, 1), build, explain)


def measure_yardstick(
    bench: Bench, trades: int, repeat: int, advance: Progress = no_progress
) -> Measurement:
    """Prove a yardstick of so many trades; signing them is not part of the work.

    Raises: NotEnoughMemory; FalseStatementAccepted.
    """
    return _measure(bench, yardstick_task(bench, trades), repeat, advance)


def measure_batch(
    bench: Bench, path: Path, repeat: int, advance: Progress = no_progress
) -> Measurement:
    """Prove the batch of a witness file; the stage `witness` reads the file.

    Raises: CircuitError for a bad file; NotEnoughMemory; FalseStatementAccepted.
    """
    return _measure(bench, batch_task(bench, path), repeat, advance)


def _measure(bench: Bench, task: Task, repeat: int, advance: Progress) -> Measurement:
    """Build, prove and verify so often; a proof that is refused is the last one.

    The first one must be refused for another statement as well.
    """
    runs: list[Run] = []
    problem = ""
    while len(runs) < repeat and not problem:
        watch = StopWatch(has_workers=bench.options.local_workers > 0)
        watch.begin(WITNESS)
        job = task.build()
        proof = bench.executor.prove(job, _observer(watch))
        watch.begin(VERIFY)
        refusal = _refusal(job, proof)
        runs.append(watch.stop())
        if refusal is not None:
            problem = task.explain(refusal)
        elif len(runs) == 1:
            require_refusal(job, proof)
        del job
        advance(1)
    verified = not problem
    return Measurement(task.name, task.unit, task.size, tuple(runs), verified, problem)


def _refusal(job: ProvingJob, proof: bytes) -> VerificationError | None:
    """What the verifier says against a proof, None where it accepts it."""
    try:
        verify(job.key, job.words, job.pubdata, proof)
    except VerificationError as error:
        return error
    return None


def require_refusal(job: ProvingJob, proof: bytes) -> None:
    """The verifier takes the proof for no other statement. Raises: FalseStatementAccepted."""
    first, *others = job.words
    if _refusal(replace(job, words=[first ^ 1, *others]), proof) is not None:
        return
    raise FalseStatementAccepted("verifier", "another statement refused", "accepted")


def _observer(watch: StopWatch) -> Callable[[Stage], None]:
    def observe(stage: Stage) -> None:
        if stage is Stage.DONE:
            watch.pause()
        else:
            watch.begin(stage.value)

    return observe
