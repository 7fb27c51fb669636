"""`op deploy`, `op post` and `op status` on an embedded chain in the place of a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.cli_support import ExitCode
from circuits.statement import Statement, to_json
from sequencer.cli import main
from sequencer.l1 import deployment_file, devkeys
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.port import L1, Signer
from sequencer.l1.rpc import RpcL1
from sequencer.proving import packaged_key
from tests.contracts.support.venue import ALICE, GENESIS_TIME_S, embedded
from tests.support.margin_day import MarginDay, margin_day
from verifier.cli import PACKAGED_KEYS
from verifier.key import VerifyingKey, save_key

URL = "http://127.0.0.1:8545"
DEPLOYER, SEQUENCER = devkeys.deployer(), devkeys.sequencer()

UseChain = Callable[[L1], None]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["op", *map(str, arguments)])


def refused(result: Result, exit_code: ExitCode) -> str:
    """The one line of a command that failed, without its prefix."""
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr[len("Error: ") : -1]


@pytest.fixture
def use_chain(monkeypatch: pytest.MonkeyPatch) -> UseChain:
    """Let the commands find this chain at every URL."""

    def use(l1: L1) -> None:
        monkeypatch.setattr("sequencer.l1.rpc.RpcL1", lambda url: l1)

    return use


def secret_file(folder: Path, signer: Signer) -> Path:
    path = folder / f"{signer.address}.secret"
    path.write_text(signer.secret.hex() + "\n")
    path.chmod(0o600)
    return path


def deploying(folder: Path, *more: object, sequencer: str = SEQUENCER.address) -> Result:
    secret = secret_file(folder, DEPLOYER)
    options = ("--l1", URL, "--sequencer", sequencer, "--secret-file", secret)
    return run("deploy", *options, "-o", folder / "deployment.json", *more)


def test_a_venue_is_deployed_and_shows_its_state(tmp_path: Path, use_chain: UseChain) -> None:
    chain = embedded()
    use_chain(chain)
    result = deploying(tmp_path)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    path = tmp_path / "deployment.json"
    deployment = deployment_file.load(path)
    assert deployment.key_digest == packaged_key("S").digest
    assert deployment.sequencer == SEQUENCER.address
    for address in (deployment.custody, deployment.settlement, deployment.verifier):
        assert address in result.stdout
    assert result.stdout.endswith(f"written to {path}\n")

    status = run("status", "--l1", URL, "--deployment", path)
    assert (status.exit_code, status.stderr) == (0, "")
    lines = status.stdout.splitlines()
    assert "next batch     1" in lines
    assert "L1 requests    0 settled, 0 waiting" in lines
    assert f"root           {hex(deployment.genesis_root)}" in lines
    assert "INSECURE" in status.stdout

    again = refused(deploying(tmp_path), ExitCode.USAGE)
    assert again == f"{path}: output: expected a file that is not there yet, got an older one"
    use_chain(embedded())
    elsewhere = refused(run("status", "--l1", URL, "--deployment", path), ExitCode.USAGE)
    assert elsewhere == f"token {deployment.token}: expected a contract, got no code"


def test_a_given_token_is_used(tmp_path: Path, use_chain: UseChain) -> None:
    chain = embedded()
    use_chain(chain)
    line = refused(deploying(tmp_path, "--token", ALICE.address), ExitCode.REFUSED)
    assert line == f"TokenHasNoCode(token={ALICE.address})"
    assert chain.nonce(DEPLOYER.address) == 0
    assert deploying(tmp_path).exit_code == 0
    token = deployment_file.load(tmp_path / "deployment.json").token
    (tmp_path / "deployment.json").unlink()
    result = deploying(tmp_path, "--token", token)
    assert result.exit_code == 0
    assert "TestToken" not in result.stdout
    assert deployment_file.load(tmp_path / "deployment.json").token == token


def key_file(folder: Path, **setup: object) -> tuple[VerifyingKey, Path]:
    """The packaged key with another setup: its contract was never generated."""
    packaged = packaged_key("S")
    key = replace(packaged, setup=replace(packaged.setup, **setup))  # type: ignore[arg-type]
    path = folder / "other.key"
    path.write_text(save_key(key))
    return key, path


def test_what_stops_a_deployment_before_anything_is_sent(
    tmp_path: Path, use_chain: UseChain
) -> None:
    local, public = embedded(), EmbeddedL1(genesis_time_s=GENESIS_TIME_S, chain_id=1)
    use_chain(public)
    line = refused(deploying(tmp_path), ExitCode.REFUSED)
    assert line.startswith("verifying key is marked insecure")
    assert line.endswith("expected a local chain id (1337, 31337), got chain id 1")
    _, path = key_file(tmp_path, insecure=False)
    line = refused(deploying(tmp_path, "--key", path), ExitCode.USAGE)
    assert line == (
        "--token: expected the token's address on chain 1, which is not a local one, got none"
    )
    use_chain(local)
    key, path = key_file(tmp_path, source_hash=bytes(32))
    line = refused(deploying(tmp_path, "--key", path), ExitCode.USAGE)
    assert line == (
        f"key digest of contract VerifierS: expected {key.digest.hex()}, got that of another key"
    )
    line = refused(deploying(tmp_path, "--artifacts", tmp_path), ExitCode.USAGE)
    assert line == "VerifierS.json: expected a compiled contract, got no such file"
    (tmp_path / "VerifierS.json").write_text("{}")
    line = refused(deploying(tmp_path, "--artifacts", tmp_path), ExitCode.USAGE)
    assert line.startswith("VerifierS.json: expected a compiled contract, got KeyError")
    line = refused(deploying(tmp_path, sequencer="0x12"), ExitCode.USAGE)
    assert line == "--sequencer: expected 0x and 40 hexadecimal digits, got 0x12"
    nowhere = tmp_path / "absent" / "deployment.json"
    line = refused(deploying(tmp_path, "-o", nowhere), ExitCode.USAGE)
    assert line.startswith(f"{nowhere}: output: expected a folder that can be written to, got ")
    assert local.nonce(DEPLOYER.address) == public.nonce(DEPLOYER.address) == 0
    assert not (tmp_path / "deployment.json").exists()


class Posting:
    """The files of a batch that waits to be posted, and the command that posts it."""

    def __init__(self, day: MarginDay, folder: Path) -> None:
        self.day = day
        self.folder = folder
        self.proof = folder / "batch.proof"
        self.proof.write_bytes(day.proof)
        self.statement = folder / "batch.statement"
        self.statement.write_text(to_json(day.statement))
        self.deployment = folder / "deployment.json"
        deployment_file.save(self.deployment, day.rollup.deployment)
        self.secret = secret_file(folder, SEQUENCER)

    def changed(self, **changes: object) -> Path:
        """A statement file with some words replaced."""
        path = self.folder / "changed.statement"
        statement: Statement = replace(self.day.statement, **changes)  # type: ignore[arg-type]
        path.write_text(to_json(statement))
        return path

    def run(self, *more: object, proof: Path | None = None, secret: Path | None = None) -> Result:
        options = ("--l1", URL, "--deployment", self.deployment)
        secret_path = secret or self.secret
        return run("post", proof or self.proof, *more, *options, "--secret-file", secret_path)


@pytest.mark.slow
def test_a_batch_is_posted_once_and_only_with_its_proof(
    tmp_path: Path, use_chain: UseChain
) -> None:
    day = margin_day()
    posting = Posting(day, tmp_path)
    use_chain(day.rollup.l1)
    before = day.rollup.l1.nonce(SEQUENCER.address)

    forged = tmp_path / "forged.proof"
    changed = bytearray(day.proof)
    changed[len(changed) // 2] ^= 1
    forged.write_bytes(bytes(changed))
    refused(posting.run(posting.statement, proof=forged), ExitCode.VERIFICATION_FAILED)
    renamed = posting.changed(new_root=day.statement.new_root + 1)
    refused(posting.run(renamed), ExitCode.VERIFICATION_FAILED)
    line = refused(posting.run("--key", PACKAGED_KEYS / "M.json"), ExitCode.USAGE)
    assert line.startswith(f"{posting.deployment}: key_digest: expected ")
    line = refused(posting.run(tmp_path / "absent.statement"), ExitCode.USAGE)
    assert line == f"{tmp_path / 'absent.statement'}: no such file or directory"
    line = refused(posting.run(posting.proof), ExitCode.USAGE)
    assert line.startswith(f"{posting.proof}: byte ")
    line = refused(posting.run(secret=secret_file(tmp_path, ALICE)), ExitCode.REFUSED)
    assert line.startswith(f"address of the secret: expected {SEQUENCER.address}")
    assert day.rollup.l1.nonce(SEQUENCER.address) == before

    result = posting.run()
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    first, transaction, root = result.stdout.splitlines()
    assert first.startswith("batch 1 settled in block ")
    assert transaction.startswith("transaction    0x")
    assert root == f"new root       {hex(day.statement.new_root)}"
    assert day.rollup.settlement_state().root == day.statement.new_root
    assert day.rollup.l1.nonce(SEQUENCER.address) == before + 1

    again = posting.run()
    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout.startswith("batch 1 is already settled, in block ")
    assert again.stdout.splitlines()[-1] == root
    assert day.rollup.l1.nonce(SEQUENCER.address) == before + 1


@pytest.mark.slow
def test_a_proof_for_another_venue_is_refused_unsent(tmp_path: Path, use_chain: UseChain) -> None:
    """Given a sound proof, when the deployment file is of another venue, then nothing is sent."""
    day = margin_day()
    posting = Posting(day, tmp_path)
    chain = embedded()
    use_chain(chain)
    posting.deployment.unlink()
    chain.send(DEPLOYER, ALICE.address, b"")  # one transaction earlier: other addresses
    assert deploying(tmp_path).exit_code == 0
    other = deployment_file.load(posting.deployment)
    line = refused(posting.run(), ExitCode.REFUSED)
    assert line == f"domain: expected {hex(other.domain)}, got {hex(day.statement.domain)}"


def test_a_node_that_is_not_there(tmp_path: Path, use_chain: UseChain) -> None:
    use_chain(embedded())
    assert deploying(tmp_path).exit_code == 0
    path = tmp_path / "deployment.json"

    def absent(url: str) -> RpcL1:
        return RpcL1("http://user:name@127.0.0.1:1/access-key")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sequencer.l1.rpc.RpcL1", absent)
        line = refused(run("status", "--l1", URL, "--deployment", path), ExitCode.USAGE)
    assert line == "node 127.0.0.1:1: expected an answer, got ConnectionError"
