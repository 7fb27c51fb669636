"""`plasmaperps prover`: setups, verifying keys and proofs, and the commands of prover nodes.

Libraries are imported by the commands, not here, so that --help answers at once.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from circuits.cli_support import (
    CommandFailed,
    ExitCode,
    atomic_write,
    bad_input,
    one_line_errors,
    progress,
)
from prover.bench.cli import bench
from prover.cli_options import ExecutorChoice, address_option, executor_options
from prover.node.cli import doctor, drain, run, status
from prover.node.jobs_cli import jobs
from prover.termination import unwinding

if TYPE_CHECKING:
    from circuits.witness.file import Witness
    from prover.cluster.events import ClusterEvent
    from prover.executor_options import ExecutorOptions
    from prover.executors import ProvingJob
    from prover.prove import StageClock
    from prover.srs_tools import Srs
    from verifier.key import VerifyingKey

_IN = click.Path(dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
_DIR = click.Path(file_okay=False, path_type=Path)
_LOG_SIZE = click.IntRange(1, 24)
STATEMENT_SUFFIX = ".statement"
WORK_SUFFIX = ".work"


def _input_errors() -> dict[type[Exception], ExitCode]:
    """What is wrong with the files of the command line, as opposed to with a proof."""
    from circuits.errors import CircuitError
    from prover.errors import ProverError
    from verifier.errors import KeyFileError
    from verifier.srs import SrsError

    return dict.fromkeys((CircuitError, ProverError, KeyFileError, SrsError), ExitCode.USAGE)


@click.group()
def prover() -> None:
    """Prepare a setup and prove batches, one at a time or as a node on a job store.

    \b
    Example:
      plasmaperps op run-file examples/margin_day.jsonl --out day
      plasmaperps prover prove day/batch-0001.witness -o day/batch-0001.proof
      plasmaperps prover doctor
    """


prover.add_command(bench)
prover.add_command(run)
prover.add_command(jobs)
prover.add_command(status)
prover.add_command(drain)
prover.add_command(doctor)


@prover.group()
def srs() -> None:
    """Make, import or check a structured reference string: powers of a secret, in G1.

    \b
    Example:
      plasmaperps prover srs import ceremony_20.ptau --log-size 18 -o ceremony.srs
      plasmaperps prover srs check ceremony.srs
    """


@srs.command("new")
@click.option("-o", "--out", "path", required=True, type=_OUT, help="File to write.")
@click.option(
    "--log-size", required=True, type=_LOG_SIZE,
    help="Log2 of the number of powers; a chunk of the shape must fit (S: 18, M: 20).",
)  # fmt: skip
def srs_new(path: Path, log_size: int) -> None:
    """Make a development setup. Its secret is public: its proofs convince nobody.

    Keys over it are marked insecure. `prove` makes the same setup by itself when its key asks for
    it, so this command is for other tools.

    \b
    Example:
      plasmaperps prover srs new --log-size 18 -o development.srs
    """
    from prover import srs_tools

    with one_line_errors(_input_errors()), progress("making powers", 1 << log_size) as advance:
        made = srs_tools.new_development(log_size, path, advance)
    _show(path, made)


@srs.command("import")
@click.argument("ptau", type=_IN, metavar="PTAU")
@click.option("-o", "--out", "path", required=True, type=_OUT, help="File to write.")
@click.option(
    "--log-size", required=True, type=_LOG_SIZE, help="Log2 of the number of powers to take."
)
def srs_import(ptau: Path, path: Path, log_size: int) -> None:
    """Take powers from PTAU, a ceremony file as snarkjs writes it, and check every one of them.

    \b
    Example:
      plasmaperps prover srs import ceremony_20.ptau --log-size 18 -o ceremony.srs
    """
    from prover import srs_tools

    with one_line_errors(_input_errors()), progress("checking powers", 1 << log_size) as advance:
        made = srs_tools.import_ptau(ptau, log_size, path, advance)
    _show(path, made)


@srs.command("check")
@click.argument("path", type=_IN, metavar="SRS")
def srs_check(path: Path) -> None:
    """Check every power in SRS: on the curve, and each the secret times the one before it.

    \b
    Example:
      plasmaperps prover srs check ceremony.srs
    """
    from prover import srs_tools

    with one_line_errors(_input_errors()):
        count = len(srs_tools.load(path).bases)
        with progress("checking powers", count) as advance:
            checked = srs_tools.check(path, advance)
    _show(path, checked)


@prover.command()
@click.option("-o", "--out", "path", required=True, type=_OUT, help="File to write.")
@click.option("--srs", "srs_path", required=True, type=_IN, help="Setup to make the key with.")
@click.option("--shape", "shape_name", required=True, help="Row capacities: S or M.")
def key(path: Path, srs_path: Path, shape_name: str) -> None:
    """Make the verifying key of this version's chips in one shape over a setup of your own.

    Keys over the development setup are packaged; they need no file.

    \b
    Example:
      plasmaperps prover key --shape S --srs ceremony.srs -o margin.key
    """
    from circuits.chips.system import SHAPES, margin_system
    from prover import srs_tools
    from verifier.key import make_key, save_key

    if shape_name not in SHAPES:
        known = " or ".join(SHAPES)
        message = f"--shape: expected {known}, got {shape_name}"
        raise CommandFailed(message, ExitCode.USAGE)
    shape = SHAPES[shape_name]
    with one_line_errors(_input_errors()):
        found = srs_tools.load(srs_path)
        if len(found.bases) < 1 << shape.log_chunk:
            wanted = f"at least 2^{shape.log_chunk} for shape {shape_name}"
            raise bad_input(srs_path, "powers", wanted, len(found.bases))
        made = make_key(margin_system(), shape, found.setup)
        with atomic_write(path, text=True) as stream:
            stream.write(save_key(made))
    insecure = ", INSECURE: its secret is public" if found.insecure else ""
    click.echo(f"{path}: shape {shape_name}, digest {made.digest.hex()}{insecure}")


@prover.command()
@click.argument("witness_path", type=_IN, metavar="WITNESS")
@click.option("-o", "--out", "proof_path", required=True, type=_OUT, help="Proof file to write.")
@click.option(
    "--statement", "statement_path", type=_OUT,
    help="Statement file to write.  [default: the proof's name ending in .statement]",
)  # fmt: skip
@click.option(
    "--key", "key_path", type=_IN,
    help="Verifying key.  [default: the packaged one of the witness's shape]",
)  # fmt: skip
@click.option(
    "--srs", "srs_path", type=_IN,
    help="Setup of the key.  [default: the development setup, made once and kept]",
)  # fmt: skip
@click.option(
    "--work-dir", type=_DIR,
    help="Where workers find the witness and a killed proof goes on.  "
    "[default: the proof's name ending in .work]",
)  # fmt: skip
@address_option
@executor_options
def prove(
    witness_path: Path,
    proof_path: Path,
    statement_path: Path | None,
    key_path: Path | None,
    srs_path: Path | None,
    work_dir: Path | None,
    choice: ExecutorChoice,
) -> None:
    """Prove WITNESS, check the proof, and write it with the statement that it proves.

    The first proof on a machine compiles the kernels, which takes up to a minute, and makes the
    development setup if that is what the key stands on. A witness that breaks a rule ends with
    exit code 5 and the first rule that it breaks; nothing is written then. A batch that needs more
    memory than the machine or container has left is refused before any work is done.

    The bytes of the proof are the same wherever it is made. With processes or Ray it survives
    the death of workers, and the same command goes on where a killed one was.

    \b
    Example:
      plasmaperps prover prove batch.witness -o batch.proof
      plasmaperps prover prove batch.witness -o batch.proof --executor process --workers 2
      plasmaperps verify proof batch.proof batch.statement
    """
    from circuits.chips.system import margin_system
    from circuits.statement import to_json
    from circuits.witness.file import Witness
    from prover.backend import Circuit
    from prover.memory import require_memory
    from prover.prove import StageClock
    from prover.proving import margin_job

    statement_path = statement_path or proof_path.with_suffix(STATEMENT_SUFFIX)
    _check_outputs(witness_path, proof_path, statement_path)
    clock = StageClock()
    folder = work_dir or proof_path.with_suffix(WORK_SUFFIX)
    options = choice.over(folder)
    with unwinding(), one_line_errors(_input_errors()):
        witness = Witness.load(witness_path, margin_system())
        verifying_key = _key_of(witness_path, witness, key_path)
        circuit = Circuit(verifying_key, margin_system())
        require_memory(circuit, witness.heights, options)
        name = f"batch-{witness.statement.batch_number}"
        job = margin_job(verifying_key, witness, _setup_of(verifying_key, srs_path), name)
        proof, peak = _prove(witness_path, witness, job, options, clock)
        if work_dir is None:
            with suppress(OSError):
                folder.rmdir()
        with atomic_write(statement_path, text=True) as stream:
            stream.write(to_json(witness.statement))
        with atomic_write(proof_path) as stream:
            stream.write(proof)
    _show_proof(proof_path, len(proof), witness, clock, peak)
    click.echo(f"{statement_path}: {len(witness.statement.pubdata)} published words")


def _show_proof(path: Path, size: int, witness: Witness, clock: StageClock, peak: int) -> None:
    from prover.processes import MIB
    from prover.prove import Stage

    stages = ", ".join(
        f"{stage} {clock.seconds[stage]:.1f}" for stage in Stage if stage in clock.seconds
    )
    click.echo(
        f"{path}: {size} bytes, batch {witness.statement.batch_number}, "
        f"shape {witness.shape_name}, {sum(clock.seconds.values()):.1f} s ({stages}), "
        f"peak {peak / MIB:.0f} MiB"
    )


def _check_outputs(witness: Path, proof: Path, statement: Path) -> None:
    """Before the work rather than after it: the outputs can be written and differ."""
    for path in (proof, statement):
        if not path.parent.is_dir():
            raise bad_input(path, "folder", "an existing folder", path.parent)
    if len({each.resolve() for each in (witness, proof, statement)}) < 3:
        raise bad_input(proof, "name", "three different files", f"{witness}, {proof}, {statement}")


def _key_of(witness_path: Path, witness: Witness, key_path: Path | None) -> VerifyingKey:
    from prover.proving import load_margin_key
    from verifier.cli import PACKAGED_KEYS

    found = load_margin_key(key_path or PACKAGED_KEYS / f"{witness.shape_name}.json")
    if found.shape_name != witness.shape_name:
        shape = f"shape {found.shape_name} of the key"
        raise bad_input(witness_path, "shape", shape, witness.shape_name)
    return found


def _setup_of(key: VerifyingKey, srs_path: Path | None) -> Path:
    """The file with the powers that the key stands on."""
    from prover.proving import setup_file

    with progress("preparing the development setup", 1 << key.log_chunk) as advance:
        return setup_file(key, srs_path, advance)


def _prove(
    witness_path: Path,
    witness: Witness,
    job: ProvingJob,
    options: ExecutorOptions,
    clock: StageClock,
) -> tuple[bytes, int]:
    """A proof that the verifier has accepted, and the most bytes that all processes took.

    Raises: CommandFailed with the first broken rule when the verifier refuses it.
    """
    from prover.errors import ProofRefused, RuleBroken
    from prover.executors import open_executor
    from prover.processes import peak_bytes
    from prover.prove import Stage
    from prover.proving import verify_proof

    with progress("proving", len(Stage)) as advance:

        def observe(stage: Stage) -> None:
            clock(stage)
            advance(1)

        with open_executor(options, _tell) as executor:
            proof = executor.prove(job, observe)
            # Workers end with the block, and what they took is not known any more.
            peak = peak_bytes()
    try:
        verify_proof(job.key, witness, proof)
    except (RuleBroken, ProofRefused) as error:
        message = f"{witness_path}: {error.got}"
        raise CommandFailed(message, ExitCode.VERIFICATION_FAILED) from None
    return proof, max(peak, peak_bytes())


def _tell(event: ClusterEvent) -> None:
    """What goes wrong on the way, one line each."""
    from prover.cluster.events import EventKind

    if event.kind not in (EventKind.JOINED, EventKind.ASKED):
        click.echo(f"{event}", err=True)


def _show(path: Path, found: Srs) -> None:
    insecure = ", INSECURE: its secret is public" if found.insecure else ""
    click.echo(
        f"{path}: {len(found.bases)} powers, source hash {found.source_hash.hex()}{insecure}"
    )
