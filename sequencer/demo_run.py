"""The demo's day in one process: contracts, L1 requests, batches, proofs, forgeries, a claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from circuits.chips.system import SHAPE_S, margin_system
from circuits.cli_support import progress
from circuits.exchange.units import CASH_PER_UNIT
from circuits.statement import Statement, domain
from circuits.witness.file import Witness
from prover.prove import Stage
from prover.srs_tools import development
from sequencer.apply_file import Applied, apply_file
from sequencer.batch_files import BatchFiles, open_folder, witness_of
from sequencer.batcher import Batch
from sequencer.command_file import CommandFile
from sequencer.deploying import verifier_plan
from sequencer.errors import BatchError, CommandFileError
from sequencer.forgeries import (
    Refused,
    foreign_batch,
    try_changed_word,
    try_flipped_byte,
    try_foreign,
    try_replay,
)
from sequencer.l1 import devkeys
from sequencer.l1.contracts import CustodyState, Rollup
from sequencer.l1.deploy import VerifierPlan, settlement_address
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import L1Error
from sequencer.l1.port import L1, Signer, address_text, address_word
from sequencer.l1.rpc import RpcL1
from sequencer.proving import BatchProver, CheckedProof, packaged_key
from sequencer.venue import (
    open_venue,
    owners_of,
    post_batch,
    post_requests,
    verification_gas,
    wait_for,
)

GENESIS_TIME_S = 1_800_000_000
"""A fixed day: equal files give equal proofs and equal gas on every machine."""


@dataclass(frozen=True, slots=True)
class ChipRows:
    """How much of one chip a batch uses."""

    name: str
    rows: int
    capacity: int
    columns: int

    @property
    def cells(self) -> int:
        """Committed cells that are not zero by construction."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One accepted batch and what it took."""

    statement: Statement
    chips: tuple[ChipRows, ...]
    witness_seconds: float
    proof: CheckedProof
    gas: int
    verification_gas: int

    @property
    def cells(self) -> int:
        """Cells of all chips."""
        return sum(chip.cells for chip in self.chips)


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A paid withdrawal; balances are the token's own."""

    owner: str
    amount: int
    balance_before: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class CustodyRecord:
    """What the contracts hold beside what the accounts say, in token units."""

    state: CustodyState
    settled: int
    account_cash: int

    @property
    def matches(self) -> bool:
        """Custody holds the cash of all accounts and the credits not yet claimed, exactly."""
        unclaimed = self.state.credited - self.state.claimed
        return (
            self.state.matches
            and self.account_cash == self.settled
            and self.state.custody_total == self.account_cash + unclaimed
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything that is ready before the first command: chain, contracts and prover."""

    rollup: Rollup
    prover: BatchProver
    owners: dict[int, Signer]
    folder: Path | None

    @property
    def place(self) -> str:
        """Where the chain runs."""
        l1 = self.rollup.l1
        return f"at {l1.host}" if isinstance(l1, RpcL1) else "in this process"


def open_chain(file: CommandFile, url: str | None) -> L1:
    """A chain on which the demo's senders have funds: in this process, or a local node.

    Raises: BatchError for owners without development keys; NotLocalChain before anything is sent;
    L1Error, also for a node that cannot fund an address.
    """
    owners = [owner.address for owner in owners_of(file.requests).values()]
    if url is None:
        return EmbeddedL1(genesis_time_s=GENESIS_TIME_S, funded=owners)
    l1 = RpcL1(url)
    try:
        for address in (devkeys.deployer().address, devkeys.sequencer().address, *owners):
            l1.set_balance(address, devkeys.DEVELOPMENT_BALANCE_WEI)
    except L1Error:
        l1.close()
        raise
    return l1


def prepare(file: CommandFile, folder: Path | None, l1: L1) -> Setting:
    """Deploy the venue, load or make the development setup, and queue the file's L1 requests.

    Raises: CommandFileError for a file that was signed for another venue, before anything is sent;
    BatchError; KeyFileError.
    """
    owners = owners_of(file.requests)
    if folder is not None:
        open_folder(folder)
    key = packaged_key(SHAPE_S.name)
    _check_domain(file, l1, verifier_plan(key))
    rollup = open_venue(l1, key)
    with progress("making the development setup", 1 << SHAPE_S.log_chunk) as advance:
        srs = development(SHAPE_S.log_chunk, advance)
    with progress("sending L1 requests", len(file.requests)) as advance:
        post_requests(rollup, file.requests, owners, advance)
    return Setting(rollup, BatchProver(key, srs), owners, folder)


def _check_domain(file: CommandFile, l1: L1, plan: VerifierPlan) -> None:
    """Compare the venue that the file was signed for with the one that would be deployed."""
    deployer = devkeys.deployer().address
    nonce = l1.nonce(deployer)
    settlement = settlement_address(deployer, nonce, plan, with_token=True)
    if file.header.domain == domain(l1.chain_id, address_word(settlement)):
        return
    got = f"{file.header.chain_id} and {address_text(file.header.settlement)}"
    if nonce:
        got += (
            f"; this chain is not fresh, its deployer {deployer} has sent {nonce} transactions: "
            "start the node anew"
        )
    raise CommandFileError(
        file.path, 1, "chain_id and settlement", f"{l1.chain_id} and {settlement}", got
    )


def order(setting: Setting, file: CommandFile, batch_commands: int) -> Applied:
    """Apply the file at the chain's present time and seal its batches.

    Raises: CommandFileError; BatchError when no command was accepted.
    """
    rollup = setting.rollup
    with progress("applying commands", len(file.lines)) as advance:
        applied = apply_file(
            file,
            epoch=rollup.deployment.sequencer_epoch,
            base_time_ms=rollup.l1.time_s() * 1000,
            batch_commands_max=batch_commands,
            advance=advance,
        )
    if not applied.batches:
        raise BatchError(str(file.path), "at least one command that the rules accept", "none")
    return applied


def try_other_chain(setting: Setting, file: CommandFile) -> Refused:
    """Prove a small batch for another chain and try it here, before the first real batch."""
    rollup = setting.rollup
    batch = foreign_batch(rollup, file.requests[0], rollup.l1.time_s() * 1000)
    _, proof = _proven(setting, batch, "proving for another chain")
    return try_foreign(rollup, batch.to_prove(), proof.proof)


def settle(setting: Setting, batch: Batch, forge: bool) -> tuple[BatchRecord, list[Refused]]:
    """Prove and post one batch; with `forge`, try it changed before and once more after.

    Raises: VerificationError; L1Rejected; ForgeryAccepted.
    """
    start = perf_counter()
    witness, proof = _proven(setting, batch, f"proving batch {batch.number}")
    witness_seconds = perf_counter() - start - proof.prove_seconds - proof.verify_seconds
    rollup, statement = setting.rollup, batch.to_prove()
    wait_for(rollup.l1, statement.time_last_ms)
    found = []
    if forge:
        found.append(try_flipped_byte(rollup, statement, proof.proof))
        found.append(try_changed_word(rollup, statement, proof.proof))
    verifying = verification_gas(rollup, statement, proof.proof)
    receipt = post_batch(rollup, statement, proof.proof)
    if forge:
        found.append(try_replay(rollup, statement, proof.proof))
    if setting.folder is not None:
        files = BatchFiles(setting.folder, batch.number)
        witness.save(files.witness)
        files.save_statement(statement)
        files.save_proof(proof.proof)
    record = BatchRecord(
        statement, chip_rows(witness), witness_seconds, proof, receipt.gas_used, verifying
    )
    return record, found


def claim(setting: Setting, applied: Applied) -> ClaimRecord | None:
    """Let the owner of the day's first withdrawal claim; None when nobody withdrew."""
    withdrawals = [each for batch in applied.batches for each in batch.published.withdrawals]
    if not withdrawals:
        return None
    rollup, owner = setting.rollup, setting.owners[withdrawals[0].owner]
    before = rollup.token_balance(owner.address)
    paid = rollup.claim(owner)
    return ClaimRecord(owner.address, paid.amount, before, rollup.token_balance(owner.address))


def custody(setting: Setting, applied: Applied) -> CustodyRecord:
    """Compare the contracts' totals with the cash of all accounts."""
    cash = sum(account.cash for _, account in applied.state.accounts.items())
    return CustodyRecord(
        setting.rollup.custody_state(),
        setting.rollup.settlement_state().settled_total,
        cash // CASH_PER_UNIT,
    )


def chip_rows(witness: Witness) -> tuple[ChipRows, ...]:
    """Rows, room and committed columns of every chip, helper columns included."""
    return tuple(
        ChipRows(
            chip.name,
            witness.heights[chip.name],
            1 << SHAPE_S.log_height(chip.name),
            chip.cells_per_row,
        )
        for chip in margin_system().chips
    )


def _proven(setting: Setting, batch: Batch, label: str) -> tuple[Witness, CheckedProof]:
    with _stages(label) as observe:
        witness = witness_of(batch)
        return witness, setting.prover.prove(witness, observe)


@contextmanager
def _stages(label: str) -> Iterator[Callable[[Stage], None]]:
    """A bar with one step per stage of a proof, the first of them the witness."""
    with progress(label, len(Stage)) as advance:
        yield lambda stage: advance(1)
