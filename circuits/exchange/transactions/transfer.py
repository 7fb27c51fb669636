"""Transfer: a signed move of cash from one account to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind, Transferred
from circuits.exchange.limits import ACCOUNT_BITS, AMOUNT_BITS
from circuits.exchange.transactions.authority import SIGNED_WIDTHS, Context, authorise
from circuits.exchange.transactions.cash import (
    debit,
    require_amount,
    require_cash_bounds,
    require_payer,
)
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount` from `account` to the existing account `to`."""

    KIND: ClassVar[Kind] = Kind.TRANSFER
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *SIGNED_WIDTHS,
        ("to", ACCOUNT_BITS),
        ("amount", AMOUNT_BITS),
    )

    account: int
    nonce: int
    expiry_ms: int
    to: int
    amount: TokenUnits

    def tail(self) -> tuple[int, ...]:
        """Recipient and amount, packed into the second word of the digest."""
        return (self.to | self.amount << ACCOUNT_BITS,)


def apply(draft: Draft, context: Context, transfer: Transfer, signature: Signature) -> Transferred:
    """Debit the sender and credit the recipient.

    Raises: Rejected with the first rule that fails.
    """
    sender, digest = authorise(draft, context, transfer, signature)
    require_payer(draft, sender)
    require_amount(transfer.amount)
    if transfer.to == transfer.account:
        raise Rejected(
            RejectReason.TRANSFER_TO_SELF, "another account", f"the sender {transfer.account}"
        )
    recipient = draft.account(transfer.to)
    if recipient is None:
        raise Rejected(RejectReason.UNKNOWN_RECIPIENT, "an existing account", transfer.to)
    sender_after = debit(
        draft, context.time_ms, transfer.account, sender, transfer.amount
    ).with_nonce(transfer.nonce)
    cash_after = CashUnits(recipient.cash + cash_from_units(transfer.amount))
    require_cash_bounds(cash_after)
    recipient_after = recipient.with_cash(cash_after)
    draft.put_account(transfer.account, sender_after)
    draft.put_account(transfer.to, recipient_after)
    return Transferred(
        step=context.step,
        time_ms=context.time_ms,
        transaction=transfer,
        signature=signature,
        digest=digest,
        sender_before=sender,
        sender_after=sender_after,
        recipient_before=recipient,
        recipient_after=recipient_after,
    )
