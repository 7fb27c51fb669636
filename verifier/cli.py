"""`plasmaperps verify`: whether a proof holds, and what a verifying key stands for.

Libraries are imported by the commands, not here, so that --help answers at once.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from circuits.cli_support import CommandFailed, ExitCode, bad_input, one_line_errors

if TYPE_CHECKING:
    from circuits.statement import Statement
    from verifier.key import VerifyingKey

PACKAGED_KEYS = Path(__file__).parent / "keys"
INSECURE = "INSECURE: the secret of this setup is public, so anyone can forge proofs"

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def verify() -> None:
    """Check a proof or a verifying key.

    A proof is accepted or refused on public data alone: the key, the statement and the proof.

    \b
    Example:
      plasmaperps verify key margin.key
      plasmaperps verify proof --key margin.key batch.proof batch.statement
    """


@verify.command()
@click.option(
    "--key", "key_path", type=_FILE, metavar="KEY",
    help="Verifying key. Without it, the packaged key whose proofs have this length.",
)  # fmt: skip
@click.argument("proof_path", type=_FILE, metavar="PROOF")
@click.argument("statement_path", type=_FILE, metavar="STATEMENT")
def proof(key_path: Path | None, proof_path: Path, statement_path: Path) -> None:
    """Check that PROOF proves STATEMENT, a statement file in JSON.

    Prints one line with the shape, the batch, the key's digest and the seconds it took. Exits with
    5 when the proof is refused, with 2 when a file cannot be read.

    What is not checked here: that the batch follows the one before it, and that its L1 requests
    were made. The settlement contract checks both when the batch is posted.

    \b
    Example:
      plasmaperps verify proof --key margin.key batch.proof batch.statement
    """
    from circuits.statement import PUBLIC_WORDS
    from verifier.errors import KeyFileError, VerificationError
    from verifier.key import load_key
    from verifier.verify import verify as verify_proof

    with one_line_errors({KeyFileError: ExitCode.USAGE}):
        data = proof_path.read_bytes()
        statement = _read_statement(statement_path)
        key = load_key(key_path) if key_path else _packaged_key(proof_path, len(data))
    if key.public_names != PUBLIC_WORDS:
        raise bad_input(
            key_path or PACKAGED_KEYS, "public words", "those of a batch",
            ", ".join(key.public_names),
        )  # fmt: skip
    start = perf_counter()
    with one_line_errors({VerificationError: ExitCode.VERIFICATION_FAILED}):
        verify_proof(key, statement.words(), statement.pubdata, data)
    seconds = perf_counter() - start
    warning = f" ({INSECURE})" if key.setup.insecure else ""
    click.echo(
        f"accepted: shape {key.shape_name}, batch {statement.batch_number}, "
        f"key {key.digest.hex()}, {seconds:.2f} s{warning}"
    )


@verify.command()
@click.argument("key_path", type=_FILE, metavar="KEY")
def key(key_path: Path) -> None:
    """Check KEY against its own digest and print what it stands for.

    [tau]_2 must be a point of the right group, and the chips are compared with those of this
    version. Trust in a setup comes from its source hash, which pins the file it was taken from.

    \b
    Example:
      plasmaperps verify key margin.key
    """
    from verifier.errors import KeyFileError
    from verifier.key import load_key

    with one_line_errors({KeyFileError: ExitCode.USAGE}):
        found = load_key(key_path)
    for label, text in _facts(found):
        click.echo(f"{label:<14} {text}".rstrip())


def _read_statement(path: Path) -> Statement:
    from circuits.errors import StatementError
    from circuits.statement import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise bad_input(path, f"byte {error.start}", "UTF-8 text", "another byte") from None
    except StatementError as error:
        raise CommandFailed(f"{path}: {error}", ExitCode.USAGE) from None


def _packaged_key(proof_path: Path, length: int) -> VerifyingKey:
    """The key of this distribution whose proofs have the given length; every shape has its own."""
    from verifier.key import load_key
    from verifier.proof import proof_bytes

    known = []
    for path in sorted(PACKAGED_KEYS.glob("*.json")):
        candidate = load_key(path)
        if proof_bytes(candidate) == length:
            return candidate
        known.append(f"{proof_bytes(candidate)} for shape {candidate.shape_name}")
    expected = f"the length of a packaged key's proof ({', '.join(known) or 'there is no key'})"
    raise bad_input(proof_path, "length in bytes", expected, length)


def _facts(key: VerifyingKey) -> list[tuple[str, str]]:
    """What `verify key` prints: label and text, one line each."""
    from verifier.proof import proof_bytes

    helpers = sum(chip.helper_columns for chip in key.chips)
    facts = [
        ("shape", key.shape_name),
        ("digest", key.digest.hex()),
        ("chips", f"{len(key.chips)}, {_origin(key)}"),
    ]
    facts += [
        ("", f"{chip.name}: up to 2^{chip.log_height} rows, {chip.columns} columns")
        for chip in key.chips
    ]
    return [
        *facts,
        ("columns", f"{key.columns}, of which {helpers} for buses"),
        ("constraints", f"{key.constraints} of degree up to {max(c.degree for c in key.chips)}"),
        ("commitments", f"{key.layout.chunks} chunks of 2^{key.log_chunk} cells"),
        ("proof", f"{proof_bytes(key)} bytes"),
        ("[tau]_2", "on the curve and in the group of order r"),
        ("setup", f"source hash {key.setup.source_hash.hex()}"),
        ("", INSECURE if key.setup.insecure else "from a ceremony"),
    ]


def _origin(key: VerifyingKey) -> str:
    """Whether the key was made from the chips and the shape that this version has by its name."""
    from circuits.chips.system import SHAPES, margin_system
    from verifier.key import make_key

    shape = SHAPES.get(key.shape_name)
    if shape and make_key(margin_system(), shape, key.setup).digest == key.digest:
        return "those of this version"
    return "OTHERS than those of this version"
