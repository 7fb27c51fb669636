"""Settling a proven batch once: whether it is the next one, was settled before, went through."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.statement import Statement
from sequencer.l1.contracts import AcceptedBatch, Rollup
from sequencer.l1.errors import L1Error, OutOfPlace
from sequencer.l1.port import Receipt, Signer
from sequencer.posting import submit_batch


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch that the settlement has accepted; without a receipt where that was earlier."""

    batch: AcceptedBatch
    receipt: Receipt | None


def settle(rollup: Rollup, sequencer: Signer, statement: Statement, proof: bytes) -> Settled:
    """Post the batch and wait for its receipt; one that is settled already is left alone.

    Assumes: the proof was verified, and the deployment compared with the chain.
    Raises: OutOfPlace before anything is sent; L1Rejected, also unsent; L1Error; StatementError.
    """
    call = submit_batch(statement, proof)
    before = _settled_before(rollup, statement)
    if before is not None:
        return Settled(before, None)
    _check_place(rollup, statement)
    deployment = rollup.deployment
    if sequencer.address != deployment.sequencer:
        raise OutOfPlace("address of the secret", deployment.sequencer, sequencer.address)
    receipt = rollup.submit_batch(sequencer, call.words, call.pubdata, call.proof)
    accepted = [
        batch
        for batch in rollup.accepted_batches(receipt.logs)
        if batch.batch_number == statement.batch_number
    ]
    if len(accepted) != 1:
        raise L1Error(
            f"transaction {receipt.transaction_hash}: expected one BatchAccepted event, "
            f"got {len(accepted)}"
        )
    return Settled(accepted[0], receipt)


def _settled_before(rollup: Rollup, statement: Statement) -> AcceptedBatch | None:
    """The accepted batch that is this one; None when its number is not settled yet.

    Raises: OutOfPlace when another batch has its number.
    """
    _expect("domain", rollup.deployment.domain, statement.domain)
    _expect("sequencer epoch", rollup.deployment.sequencer_epoch, statement.sequencer_epoch)
    if statement.batch_number >= rollup.settlement_state().next_batch_number:
        return None
    number = statement.batch_number
    for batch in rollup.accepted_batches():
        if batch.batch_number == number:
            break
    else:
        raise OutOfPlace("batch number", rollup.settlement_state().next_batch_number, number)
    place = f"batch {number}, settled in block {batch.block_number}"
    _expect(f"{place}: new root", batch.new_root, statement.new_root)
    cursor = statement.queue_cursor_before + statement.queue_count
    _expect(f"{place}: queue cursor", batch.queue_cursor, cursor)
    _expect(f"{place}: last time in ms", batch.time_last_ms, statement.time_last_ms)
    _expect(f"{place}: deposits", batch.deposit_total, statement.deposit_total)
    _expect(f"{place}: withdrawals", batch.withdrawal_total, statement.withdrawal_total)
    return batch


def _check_place(rollup: Rollup, statement: Statement) -> None:
    state = rollup.settlement_state()
    _expect("batch number", state.next_batch_number, statement.batch_number)
    _expect("sequencer epoch", state.sequencer_epoch, statement.sequencer_epoch)
    _expect("old root", state.root, statement.old_root)
    _expect("queue cursor", state.queue_cursor, statement.queue_cursor_before)


def _expect(place: str, expected: int, got: int) -> None:
    """Words above 64 bits are shown as a statement file shows them."""
    if expected != got:
        show = hex if max(expected, got) >> 64 else str
        raise OutOfPlace(place, show(expected), show(got))
