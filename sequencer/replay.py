"""From the records of a journal back to the exchange that they came from."""

from __future__ import annotations

from circuits.edwards import Point
from circuits.exchange.codec import decode_command
from circuits.exchange.errors import CodecError, QueueGuaranteeBroken
from circuits.exchange.transactions.authority import (
    QuoteMessage,
    SignatureVerifier,
    Transaction,
    digest_of,
)
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.signature import Signature, SignatureReject
from sequencer.batcher import Batch
from sequencer.engine import Engine
from sequencer.errors import BatchError, JournalError, ReplayDiffers
from sequencer.journal_format import Record, RecordKind, Seal, decode_seal
from sequencer.snapshot import Snapshot

NO_BATCH_BOUND = 2**32 - 1
"""Commands per batch in a replay: the journal says where batches end, and 32 bits count them."""


def verified_before(key: Point, digest: int, signature: Signature) -> SignatureReject | None:
    """Stand in for the signature check of commands that were checked before they were journalled.

    What that trust can cost is a failed proof, not money: the circuit checks every signature.
    """
    return None


def digest_of_event(message: Transaction | QuoteMessage, domain: int) -> int:
    """The digest where the event keeps it for a witness, else 0: nobody looks at any other.

    Hashing all of them would cost as much as applying the commands ten times.
    """
    if isinstance(message, Transfer | Withdraw):
        return digest_of(message, domain)
    return 0


class Replay:
    """An engine that takes records. `sealed` is the exchange after the last seal, if there was one.

    `verify` is `circuits.signature.verify` to check every signature again, or `verified_before`.
    """

    def __init__(
        self, engine: Engine, verify: SignatureVerifier, sealed: Snapshot | None = None
    ) -> None:
        self.engine = engine
        self.sealed = sealed
        self._verify = verify
        self._digest = digest_of_event if verify is verified_before else digest_of

    def apply(self, record: Record) -> Batch | None:
        """Apply one record; the batch if it is a seal.

        Raises: ReplayDiffers when the rules refuse it, or lead elsewhere than it says.
        """
        if record.kind is RecordKind.COMMAND:
            self._apply_command(record)
        elif record.kind is RecordKind.SEAL:
            return self._seal(record)
        return None

    def _apply_command(self, record: Record) -> None:
        place = f"record {record.sequence}"
        try:
            command = decode_command(record.payload)
            _require(f"{place}: time_ms", record.time_ms, command.time_ms)
            receipt = self.engine.handle(command, self._verify, self._digest, record.payload)
        except (CodecError, QueueGuaranteeBroken) as error:
            raise ReplayDiffers(place, "a command that the rules accept", error) from None
        if receipt.rejected is not None:
            raise ReplayDiffers(place, "a command that the rules accept", receipt.rejected)

    def _seal(self, record: Record) -> Batch:
        place = f"record {record.sequence}"
        try:
            seal = decode_seal(record)
            self.engine.epoch = seal.sequencer_epoch
            batch = self.engine.seal()
        except (JournalError, BatchError) as error:
            raise ReplayDiffers(place, "a seal of an open batch", error) from None
        _require(f"{place}: batch number", seal.batch_number, batch.number)
        _require(f"{place}: commands", seal.command_count, len(batch.commands))
        _require(f"{place}: root", hex(seal.new_root), hex(batch.new_root))
        _require(f"{place}: journal head", hex(record.head), hex(batch.after.journal_head))
        self.sealed = Snapshot.of(self.engine, record.sequence)
        return batch


def seal_of(batch: Batch) -> Seal:
    """What the journal says about a sealed batch."""
    return Seal(
        batch_number=batch.number,
        sequencer_epoch=batch.sequencer_epoch,
        command_count=len(batch.commands),
        new_root=batch.new_root,
    )


def _require(place: str, recorded: object, replayed: object) -> None:
    if recorded != replayed:
        raise ReplayDiffers(place, f"{recorded}, as recorded", f"{replayed} from the rules")
