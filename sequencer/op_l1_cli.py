"""`plasmaperps op deploy`, `op post` and `op status`: the operator's commands that need a chain.

Libraries are imported by the commands, not here, so that --help answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from circuits.cli_support import (
    CommandFailed,
    ExitCode,
    bad_input,
    one_line_errors,
    progress,
)

if TYPE_CHECKING:
    from circuits.statement import Statement
    from sequencer.l1.contracts import Rollup
    from sequencer.l1.deploy import Deployment
    from sequencer.l1.rpc import RpcL1
    from verifier.key import VerifyingKey

DEFAULT_SHAPE = "S"

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

l1_option: Decorator = click.option(
    "--l1", "url", required=True, metavar="URL", help="An Ethereum node's HTTP address."
)
deployment_option: Decorator = click.option(
    "--deployment", "deployment_path", required=True, type=_FILE, metavar="FILE",
    help="What `op deploy` wrote.",
)  # fmt: skip
secret_option: Decorator = click.option(
    "--secret-file", "secret_path", required=True, type=_FILE, metavar="FILE",
    help="The sender's L1 secret: 32 bytes in hexadecimal, in a file that others cannot open.",
)  # fmt: skip
artifacts_option: Decorator = click.option(
    "--artifacts", type=_FOLDER, metavar="FOLDER",
    help="Compiled verifier contracts of a key that is not packaged.",
)  # fmt: skip


@click.command()
@l1_option
@click.option(
    "--token",
    metavar="ADDRESS",
    help="ERC-20 token of the venue. Without it, a test token is deployed, on a local chain only.",
)
@click.option(
    "--sequencer", required=True, metavar="ADDRESS", help="Who will post batches, for ever."
)  # fmt: skip
@click.option(
    "--key", "key_path", type=_FILE, metavar="FILE",
    help=f"Verifying key.  [default: the packaged key of shape {DEFAULT_SHAPE}, for development]",
)  # fmt: skip
@artifacts_option
@secret_option
@click.option(
    "-o", "--out", "out_path", required=True, type=_FILE, metavar="FILE",
    help="Deployment file to write; it must not be there yet.",
)  # fmt: skip
def deploy(
    url: str,
    token: str | None,
    sequencer: str,
    key_path: Path | None,
    artifacts: Path | None,
    secret_path: Path,
    out_path: Path,
) -> None:
    """Deploy the venue's contracts and write the deployment file.

    Custody, Queue, the Verifier of the key's shape with its parts, and Settlement. Nobody can
    change them later, the sender included. A key whose setup is marked insecure is refused, before
    anything is sent, on any chain but a local one (chain id 1337 or 31337).

    \b
    Example:
      plasmaperps op deploy --l1 http://127.0.0.1:8545 --sequencer 0x7099...79c8 \\
          --secret-file deployer.secret -o deployment.json
    """
    with _errors():
        from sequencer.deploying import contract_count, deploy_for_key, verifier_plan
        from sequencer.l1 import deployment_file
        from sequencer.l1.abi import SHIPPED_ARTIFACTS
        from sequencer.l1.deploy import refuse_insecure
        from sequencer.l1.operator_input import parse_address, read_signer
        from sequencer.l1.port import LOCAL_CHAIN_IDS
        from sequencer.op_l1_report import deployment_lines

        _check_writable(out_path)
        poster = parse_address("--sequencer", sequencer)
        token_address = None if token is None else parse_address("--token", token)
        deployer = read_signer(secret_path)
        key = _key(key_path, DEFAULT_SHAPE)
        folder = artifacts or SHIPPED_ARTIFACTS
        count = contract_count(verifier_plan(key, folder), token is None)
        with _node(url) as l1:
            refuse_insecure(l1.chain_id, key.setup.insecure)
            if token is None and l1.chain_id not in LOCAL_CHAIN_IDS:
                expected = f"the token's address on chain {l1.chain_id}, which is not a local one"
                raise CommandFailed(f"--token: expected {expected}, got none", ExitCode.USAGE)
            with progress("deploying", count) as advance:
                deployment = deploy_for_key(
                    l1,
                    deployer,
                    key,
                    sequencer=poster,
                    token=token_address,
                    artifacts=folder,
                    advance=advance,
                )
            # Shown first: should the file fail to be written, the addresses are not lost.
            _print(deployment_lines(deployment))
            deployment_file.save(out_path, deployment)
    click.echo(f"written to {out_path}")


@click.command()
@click.argument("proof_path", type=_FILE, metavar="PROOF")
@click.argument("statement_path", type=_FILE, metavar="[STATEMENT]", required=False)
@l1_option
@deployment_option
@secret_option
@click.option(
    "--key", "key_path", type=_FILE, metavar="FILE",
    help="Verifying key of the venue.  [default: the packaged key of its shape]",
)  # fmt: skip
@artifacts_option
def post(
    proof_path: Path,
    statement_path: Path | None,
    url: str,
    deployment_path: Path,
    secret_path: Path,
    key_path: Path | None,
    artifacts: Path | None,
) -> None:
    """Settle the batch of PROOF and STATEMENT, once, and wait for the receipt.

    STATEMENT is the file beside PROOF that ends in .statement, unless given. The proof is verified
    here first (exit code 5), then the chain is compared with the deployment file, then the batch
    with the settlement's state: domain, batch number, epoch, root and queue cursor (exit code 3,
    nothing sent). Run it again whenever in doubt: a batch that is settled already is not sent
    again, and the exit code is 0. An error of the contract is named (exit code 3).

    \b
    Example:
      plasmaperps op post day/batch-0001.proof --l1 http://127.0.0.1:8545 \\
          --deployment deployment.json --secret-file sequencer.secret
    """
    with _errors():
        from sequencer.l1.operator_input import read_signer
        from sequencer.op_l1_report import settled_lines
        from sequencer.settling import settle
        from verifier.verify import verify

        proof = proof_path.read_bytes()
        statement = _statement(statement_path or proof_path.with_suffix(".statement"))
        deployment = _deployment(deployment_path, artifacts)
        signer = read_signer(secret_path)
        key = _key(key_path, deployment.verifier_plan.contract.removeprefix("Verifier"))
        if key.digest != deployment.key_digest:
            raise bad_input(
                deployment_path, "key_digest", f"{key.digest.hex()} (verifying key)",
                f"{deployment.key_digest.hex()}: name the venue's own key with --key",
            )  # fmt: skip
        verify(key, statement.words(), statement.pubdata, proof)
        with _venue(url, deployment) as rollup:
            settled = settle(rollup, signer, statement, proof)
    _print(settled_lines(settled))


@click.command()
@l1_option
@deployment_option
@artifacts_option
def status(url: str, deployment_path: Path, artifacts: Path | None) -> None:
    """Print where the settlement stands and what custody holds.

    The chain is compared with the deployment file first: chain id, code and fixed settings.

    \b
    Example:
      plasmaperps op status --l1 http://127.0.0.1:8545 --deployment deployment.json
    """
    with _errors():
        from sequencer.op_l1_report import status_lines

        deployment = _deployment(deployment_path, artifacts)
        with _venue(url, deployment) as rollup:
            lines = list(status_lines(rollup))
    _print(lines)


@contextmanager
def _errors() -> Iterator[None]:
    """Exit codes of everything that these commands expect to go wrong."""
    from circuits.errors import CircuitError
    from sequencer.errors import SequencerError
    from sequencer.l1.errors import InsecureKeyRefused, L1Error, L1Rejected, OutOfPlace
    from verifier.errors import KeyFileError, VerificationError

    exit_codes: dict[type[Exception], ExitCode] = {
        VerificationError: ExitCode.VERIFICATION_FAILED,
        L1Rejected: ExitCode.REFUSED,
        OutOfPlace: ExitCode.REFUSED,
        InsecureKeyRefused: ExitCode.REFUSED,
        L1Error: ExitCode.USAGE,
        SequencerError: ExitCode.USAGE,
        CircuitError: ExitCode.USAGE,
        KeyFileError: ExitCode.USAGE,
    }
    with one_line_errors(exit_codes):
        yield


@contextmanager
def _node(url: str) -> Iterator[RpcL1]:
    from sequencer.l1.rpc import RpcL1

    with closing(RpcL1(url)) as l1:
        yield l1


@contextmanager
def _venue(url: str, deployment: Deployment) -> Iterator[Rollup]:
    from sequencer.l1.contracts import Rollup
    from sequencer.l1.deployment_check import check_on_chain

    with _node(url) as l1:
        check_on_chain(l1, deployment)
        yield Rollup(l1, deployment)


def _deployment(path: Path, artifacts: Path | None) -> Deployment:
    from sequencer.l1 import deployment_file
    from sequencer.l1.abi import SHIPPED_ARTIFACTS

    return deployment_file.load(path, artifacts or SHIPPED_ARTIFACTS)


def _key(path: Path | None, shape_name: str) -> VerifyingKey:
    from verifier.cli import PACKAGED_KEYS
    from verifier.key import load_key

    packaged = PACKAGED_KEYS / f"{shape_name}.json"
    if path is None and not packaged.exists():
        expected = f"the venue's verifying key: none of shape {shape_name} is packaged"
        raise CommandFailed(f"--key: expected {expected}, got none", ExitCode.USAGE)
    return load_key(path or packaged)


def _statement(path: Path) -> Statement:
    from circuits.errors import StatementError
    from circuits.statement import from_json

    try:
        return from_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise bad_input(path, f"byte {error.start}", "UTF-8 text", "another byte") from None
    except StatementError as error:
        raise CommandFailed(f"{path}: {error}", ExitCode.USAGE) from None


def _check_writable(path: Path) -> None:
    """Refuse, before anything is paid for, a file that could not be written afterwards."""
    import os

    if path.exists():
        raise bad_input(path, "output", "a file that is not there yet", "an older one")
    folder = path.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise bad_input(path, "output", "a folder that can be written to", f"{folder}")


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
