"""Everything that a venue does, on a node of its own: the demo, then the operator's commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.exchange.json_form import TimedBody, encode_line
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.withdraw import Withdraw
from sequencer.cli import main
from sequencer.command_file import CommandFile, Header, load_command_file
from sequencer.l1 import deployment_file, devkeys
from sequencer.l1.contracts import Rollup
from sequencer.l1.port import address_word
from sequencer.l1.rpc import RpcL1
from sequencer.venue import owners_of, post_requests, trader
from tests.support.anvil import MISSING_REASON, Anvil, anvil_is_missing, running_anvil
from tests.support.exchange import EXPIRY_MS, public_key_of, signed

GENESIS_TIME_S = 1_900_000_000
DEPLOYER = devkeys.development_signer("operator who deploys")
SEQUENCER = devkeys.development_signer("operator who posts")

pytestmark = [
    pytest.mark.anvil,
    pytest.mark.slow,
    pytest.mark.skipif(anvil_is_missing(), reason=MISSING_REASON),
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def done(*arguments: object) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(exit_code: int, *arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == exit_code, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    funded = [signer.address for signer in (DEPLOYER, SEQUENCER, trader(1))]
    with running_anvil(genesis_time_s=GENESIS_TIME_S, funded=funded) as node:
        yield node


def test_the_demo_runs_on_a_fresh_node_once(anvil: Anvil) -> None:
    printed = done("demo", "--l1", anvil.url, "--commands", 50)
    assert f"at {anvil.url.removeprefix('http://')}: 7 contracts deployed" in printed
    for name in ("SumcheckMismatch", "WrongBatchNumber", "WrongDomain"):
        assert name in printed
    line = refused(2, "demo", "--l1", anvil.url, "--commands", 50)
    assert line.endswith("has sent 7 transactions: start the node anew\n")


def test_the_demo_leaves_public_chains_alone() -> None:
    with running_anvil(genesis_time_s=GENESIS_TIME_S, funded=(), chain_id=1) as node:
        line = refused(3, "demo", "--l1", node.url)
        assert line.endswith("expected a local chain id (1337, 31337), got chain id 1\n")
        assert node.request("eth_blockNumber") == "0x0"


def secret_file(path: Path, secret: bytes) -> Path:
    path.write_text("0x" + secret.hex() + "\n")
    path.chmod(0o600)
    return path


def signed_file(path: Path, rollup: Rollup) -> CommandFile:
    """One account that registers, deposits and withdraws, signed for this venue."""
    header = Header(rollup.deployment.chain_id, address_word(rollup.deployment.settlement))
    owner = address_word(trader(1).address)
    bodies = [
        RegisterKey(1, owner, *public_key_of(1)),
        Deposit(1, owner, 700),
        signed(Withdraw(1, 1, EXPIRY_MS, 300), word=header.domain),
    ]
    lines = [header.encode(), *(encode_line(TimedBody(0, body)) for body in bodies)]
    path.write_text("".join(line + "\n" for line in lines))
    return load_command_file(path)


def test_an_operator_deploys_and_posts(anvil: Anvil, tmp_path: Path) -> None:
    deployment = tmp_path / "deployment.json"
    deployer = secret_file(tmp_path / "deployer.secret", DEPLOYER.secret)
    poster = secret_file(tmp_path / "sequencer.secret", SEQUENCER.secret)
    node = ("--l1", anvil.url)
    options = ("--sequencer", SEQUENCER.address, "--secret-file", deployer, "-o", deployment)
    done("op", "deploy", *node, *options)

    l1 = RpcL1(anvil.url)
    rollup = Rollup(l1, deployment_file.load(deployment))
    day = signed_file(tmp_path / "day.jsonl", rollup)
    post_requests(rollup, day.requests, owners_of(day.requests), lambda count: None)
    at = ("--deployment", deployment)
    assert "0 settled, 2 waiting" in done("op", "status", *node, *at)

    out, time_ms = tmp_path / "out", l1.time_s() * 1000
    done("op", "run-file", day.path, "--out", out, "--base-time-ms", time_ms)
    proof = out / "batch-0001.proof"
    done("prover", "prove", out / "batch-0001.witness", "-o", proof)

    post = ("op", "post", proof, *node, *at, "--secret-file")
    refused(3, *post, deployer)
    forged = tmp_path / "forged.proof"
    forged.write_bytes(proof.read_bytes()[:-1] + b"\x01")
    statement = out / "batch-0001.statement"
    refused(5, "op", "post", forged, statement, *post[3:], poster)
    absent = ("--l1", "http://127.0.0.1:1", *at, "--secret-file", poster)
    line = refused(2, "op", "post", proof, *absent)
    assert line == "Error: node 127.0.0.1:1: expected an answer, got ConnectionError\n"

    assert done(*post, poster).startswith("batch 1 settled in block ")
    sent = l1.nonce(SEQUENCER.address)
    assert done(*post, poster).startswith("batch 1 is already settled, in block ")
    assert l1.nonce(SEQUENCER.address) == sent == 1
    printed = done("op", "status", *node, *at)
    assert "2 settled, 0 waiting" in printed
    assert "withdrawn      0.000300, of it 0.000300 not yet claimed" in printed
    assert rollup.claim(trader(1)).amount == 300
    l1.close()
