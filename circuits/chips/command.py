"""Signed commands: the clock, the signed digest, and the key behind the account."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U8, U24, U32, U48, Columns, Field, Given
from circuits.chips.buses import AUTHORIZED, CLOCK, HASH, SIGNATURE
from circuits.chips.trace import Trace
from circuits.chips.words import lookup_identity, statement_word
from circuits.exchange.events import Transferred, Withdrawn
from circuits.exchange.limits import ACCOUNT_BITS, KIND_BITS, NONCE_BITS
from circuits.poseidon2 import TAG_COMMAND, sponge_iv
from circuits.signature import Signature

COMMAND_IV = sponge_iv(TAG_COMMAND, 3)
ACCOUNT_UNIT = 2**KIND_BITS
NONCE_UNIT = 2 ** (KIND_BITS + ACCOUNT_BITS)
EXPIRY_UNIT = 2 ** (KIND_BITS + ACCOUNT_BITS + NONCE_BITS)


class CommandChip(Chip):
    """One signed command: when it ran and who authorised it; another chip applies it.

    Soundness: the step and the working state come from the clock chain, which has one row per
    step. The elapsed time and the slack before the expiry are ranged, and times are sums of
    far fewer than 2^100 such terms, so time never goes back and no expiry has passed. The head
    of the digest is injective: the kind is a constant of the chip that takes AUTHORIZED, the
    account is below 2^24 by the leaf chip, the nonce is ranged here, and the expiry stands on
    top. That same chip packs the payload from ranged fields. Key and owner are the account's
    own, because the chip finds this identity in the account's header. An account without a key
    hashes (0, 0) there; the signature chip takes only keys on the curve, which (0, 0) is not.
    """

    name = "command"

    class Cols(Columns):
        step: Given[U32]
        time_previous: Given[U48]
        elapsed: U48
        queue_position: Given[U32]
        kind: Given[U8]
        account: Given[U24]
        nonce: U48
        expiry_slack: U48
        payload: Field
        key: Field[2]
        owner: Field
        identity: Field
        digest: Field

    def constrain(self, c: Any, b: Builder) -> None:
        time = c.time_previous + c.elapsed
        b.receive(CLOCK, c.step, c.time_previous, c.queue_position)
        b.send(CLOCK, c.step + 1, time, c.queue_position)
        expiry = time + c.expiry_slack
        head = c.kind + c.account * ACCOUNT_UNIT + c.nonce * NONCE_UNIT + expiry * EXPIRY_UNIT
        b.lookup(HASH, statement_word("domain"), head, c.payload, COMMAND_IV, c.digest)
        lookup_identity(b, c.key, c.owner, c.identity)
        b.send(SIGNATURE, *c.key, c.digest)
        b.send(AUTHORIZED, c.step, c.kind, c.account, c.nonce, c.identity, c.owner, c.payload)


def fill(trace: Trace) -> dict[str, Any]:
    """One row per signed command, in the order of steps."""
    rows = list(trace.signed)
    orders = [event.transaction for _, event in rows]
    signers = [_signer(event) for _, event in rows]
    return {
        "step": [event.step for _, event in rows],
        "time_previous": [step.time_previous_ms for step, _ in rows],
        "elapsed": [step.elapsed_ms for step, _ in rows],
        "queue_position": [step.queue_position for step, _ in rows],
        "kind": [int(order.KIND) for order in orders],
        "account": [order.account for order in orders],
        "nonce": [order.nonce for order in orders],
        "expiry_slack": [
            order.expiry_ms - event.time_ms for order, (_, event) in zip(orders, rows, strict=True)
        ],
        "payload": [order.tail()[0] for order in orders],
        "key": [[signer.key[lane] for signer in signers] for lane in range(2)],
        "owner": [signer.owner for signer in signers],
        "identity": [signer.identity for signer in signers],
        "digest": [event.digest for _, event in rows],
    }


def _signer(event: Transferred | Withdrawn) -> Any:
    """The signing account as it was before the command."""
    return event.sender_before if isinstance(event, Transferred) else event.before


def signature_requests(trace: Trace) -> list[tuple[tuple[int, int], int, Signature]]:
    """Key, digest and signature of every signed command, for the signature chips."""
    return [(_signer(event).key, event.digest, event.signature) for _, event in trace.signed]
