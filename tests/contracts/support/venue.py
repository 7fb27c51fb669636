"""A venue on an embedded chain whose verifier accepts every proof, and statements to post to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from circuits.merkle import SparseTree
from circuits.statement import Statement
from sequencer.l1 import devkeys
from sequencer.l1.abi import load_artifact
from sequencer.l1.contracts import QueueEntry, Rollup
from sequencer.l1.deploy import VerifierPlan, deploy
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.port import L1, Receipt, Signer, address_word

ARTIFACTS = Path(__file__).resolve().parents[1] / "artifacts"
ACCEPT_ALL = VerifierPlan(insecure=True, contract="AcceptAllVerifier", artifacts=ARTIFACTS)

GENESIS_TIME_S = 1_700_000_000
GENESIS_ROOT = SparseTree().root
PROOF = b"\x01"

ALICE = devkeys.development_signer("alice")
BOB = devkeys.development_signer("bob")
OWNERS = (ALICE, BOB)
FUNDED = (*(owner.address for owner in OWNERS),)


def embedded() -> EmbeddedL1:
    """A fresh chain on which the owners can pay for gas."""
    return EmbeddedL1(genesis_time_s=GENESIS_TIME_S, funded=FUNDED)


def deployed(l1: L1, plan: VerifierPlan = ACCEPT_ALL, token: str | None = None) -> Rollup:
    """The venue's contracts, deployed by the development key."""
    deployment = deploy(
        l1,
        devkeys.deployer(),
        plan,
        sequencer=devkeys.sequencer().address,
        genesis_root=GENESIS_ROOT,
        token=token,
    )
    return Rollup(l1, deployment)


def fund(rollup: Rollup, owner: Signer, amount: int) -> None:
    """Give an owner test tokens that custody may pull."""
    rollup.mint(owner, amount)
    rollup.approve(owner, amount)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A published withdrawal."""

    owner: Signer
    amount: int

    @property
    def word(self) -> int:
        return address_word(self.owner.address) + (self.amount << 160)


def queue_words(entry: QueueEntry, outcome: int = 0) -> tuple[int, int, int, int]:
    """The four published words of a consumed entry."""
    return (entry.head, entry.owner + (outcome << 160), entry.key_x, entry.key_y)


def next_statement(
    rollup: Rollup,
    *,
    queue_count: int = 0,
    withdrawals: Sequence[Withdrawal] = (),
    account_words: Sequence[int] = (),
    new_root: int = 77,
) -> Statement:
    """A statement that the settlement accepts as the next one, with a made-up state behind it."""
    state = rollup.settlement_state()
    entries = rollup.queue_entries()
    end = state.queue_cursor + queue_count
    consumed = entries[state.queue_cursor : end]
    chain = int.from_bytes(entries[end - 1].chain, "big") if end else 0
    words = [word for entry in consumed for word in queue_words(entry)]
    time_ms = rollup.l1.time_s() * 1000
    return Statement(
        domain=rollup.deployment.domain,
        batch_number=state.next_batch_number,
        sequencer_epoch=state.sequencer_epoch,
        old_root=state.root,
        new_root=new_root,
        root_accounts=11,
        root_markets=12,
        root_books=13,
        root_system=14,
        time_first_ms=time_ms,
        time_last_ms=time_ms,
        queue_cursor_before=state.queue_cursor,
        queue_hash=chain >> 8,
        journal_head=15,
        command_count=queue_count + len(withdrawals),
        queue_count=queue_count,
        withdrawal_count=len(withdrawals),
        account_count=len(account_words) // 3,
        deposit_total=sum(entry.amount for entry in consumed),
        withdrawal_total=sum(withdrawal.amount for withdrawal in withdrawals),
        pubdata=(*words, *(withdrawal.word for withdrawal in withdrawals), *account_words),
    )


def post(rollup: Rollup, statement: Statement, **changes: object) -> Receipt:
    """Submit a statement, with some of its fields replaced."""
    changed = dataclasses.replace(statement, **changes)  # type: ignore[arg-type]
    return rollup.submit_batch(devkeys.sequencer(), changed.words(), changed.pubdata, PROOF)


def day_of_the_venue(l1: L1) -> tuple[Rollup, dict[str, int]]:
    """Every kind of transaction once; gas by name."""
    rollup = deployed(l1)
    gas = {f"deploy {name}": used for name, used in rollup.deployment.gas_used.items()}
    gas["mint"] = rollup.mint(ALICE, 10_000).gas_used
    gas["approve"] = rollup.approve(ALICE, 10_000).gas_used
    gas["register"] = rollup.register_key(ALICE, 5, 6).receipt.gas_used
    gas["register again"] = rollup.register_key(BOB, 7, 8).receipt.gas_used
    gas["rotate"] = rollup.rotate_key(BOB, 2, 9, 10).gas_used
    gas["first deposit"] = rollup.deposit(ALICE, 1, 1_000).gas_used
    gas["deposit"] = rollup.deposit(ALICE, 2, 2_000).gas_used
    l1.set_time_s(GENESIS_TIME_S + 5_000)
    withdrawals = [Withdrawal(ALICE, 300), Withdrawal(BOB, 400)]
    statement = next_statement(
        rollup, queue_count=5, withdrawals=withdrawals, account_words=range(60)
    )
    gas["batch"] = post(rollup, statement).gas_used
    following = next_statement(rollup)
    times = {"time_first_ms": statement.time_last_ms, "time_last_ms": statement.time_last_ms}
    gas["empty batch"] = post(rollup, following, **times).gas_used
    gas["claim"] = rollup.claim(ALICE).receipt.gas_used
    return rollup, gas


def send(l1: L1, signer: Signer, name: str, address: str, call: str, *arguments: object) -> Receipt:
    """One transaction to a contract that only the tests have."""
    return l1.send(signer, address, load_artifact(name, ARTIFACTS).call(call, *arguments))


def read(l1: L1, name: str, address: str, call: str, *arguments: object) -> object:
    """One view of a contract that only the tests have."""
    artifact = load_artifact(name, ARTIFACTS)
    return artifact.output(call, l1.call(address, artifact.call(call, *arguments)))
