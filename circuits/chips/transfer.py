"""Transfer: an authorised move of cash between two accounts."""

from typing import Any

from circuits.air.builder import Builder
from circuits.air.chip import Chip
from circuits.air.columns import U16, U24, U32, U48, U64, Columns, Field, Given
from circuits.chips.buses import AUTHORIZED, WIDE
from circuits.chips.memory import access
from circuits.chips.trace import Trace
from circuits.exchange.events import Kind, Transferred
from circuits.exchange.limits import ACCOUNT_BITS
from circuits.exchange.units import CASH_PER_UNIT
from circuits.field import R, batch_inverse


class TransferChip(Chip):
    """One transfer: debit of the sender, credit of the recipient, the nonce raised.

    Soundness: AUTHORIZED says that the holder of the key behind `identity` signed this payload,
    and the sender's header must hold that identity. Amount and nonce step are ranged above
    zero. An amount of 2^64, which the range also admits, exceeds all custody and so the sender's
    cash. What the sender keeps is ranged, hence not negative; the recipient's cash is ranged by
    the leaf chip. A recipient with identity 0 would be absent. The sender cannot be the
    recipient: two accesses of one account in one step do not balance (circuits/chips/memory.py).
    """

    name = "transfer"

    class Cols(Columns):
        step: Given[U32]
        account: Given[U24]
        nonce: Given[U48]
        nonce_gap: U48
        owner: Field
        identity: Field
        cash: Field
        gap: U16
        amount_minus_one: U64
        to: Given[U24]
        to_identity: Field
        to_nonce: Given[U48]
        to_cash: Field
        to_gap: U16
        to_inverse: Field

    def constrain(self, c: Any, b: Builder) -> None:
        amount = c.amount_minus_one + 1
        payload = c.to + amount * 2**ACCOUNT_BITS
        b.receive(
            AUTHORIZED,
            c.step,
            Kind.TRANSFER.value,
            c.account,
            c.nonce,
            c.identity,
            c.owner,
            payload,
        )
        cash_after = c.cash - amount * CASH_PER_UNIT
        b.lookup(WIDE, 1, cash_after)
        nonce_before = c.nonce - 1 - c.nonce_gap
        access(
            b,
            c.account,
            c.step,
            before=(c.identity, nonce_before, c.cash),
            after=(c.identity, c.nonce, cash_after),
            gap=c.gap,
        )
        b.assert_eq("the recipient exists", c.to_identity * c.to_inverse, 1)
        access(
            b,
            c.to,
            c.step,
            before=(c.to_identity, c.to_nonce, c.to_cash),
            after=(c.to_identity, c.to_nonce, c.to_cash + amount * CASH_PER_UNIT),
            gap=c.to_gap,
        )


def fill(trace: Trace) -> dict[str, Any]:
    """One row per transfer, in the order of steps."""
    rows = list(trace.of(Transferred))
    orders = [event.transaction for _, event in rows]
    senders = [event.sender_before for _, event in rows]
    recipients = [event.recipient_before for _, event in rows]
    return {
        "step": [event.step for _, event in rows],
        "account": [order.account for order in orders],
        "nonce": [order.nonce for order in orders],
        "nonce_gap": [
            order.nonce - 1 - sender.nonce for order, sender in zip(orders, senders, strict=True)
        ],
        "owner": [sender.owner for sender in senders],
        "identity": [sender.identity for sender in senders],
        "cash": [sender.cash % R for sender in senders],
        "gap": [step.gaps[0] for step, _ in rows],
        "amount_minus_one": [order.amount - 1 for order in orders],
        "to": [order.to for order in orders],
        "to_identity": [recipient.identity for recipient in recipients],
        "to_nonce": [recipient.nonce for recipient in recipients],
        "to_cash": [recipient.cash % R for recipient in recipients],
        "to_gap": [step.gaps[1] for step, _ in rows],
        "to_inverse": batch_inverse([recipient.identity for recipient in recipients]),
    }
