"""Withdraw: a signed order to pay collateral to the account's owner on L1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.events import Kind, Withdrawn
from circuits.exchange.limits import ACCOUNT_BITS, AMOUNT_BITS
from circuits.exchange.transactions.authority import SIGNED_WIDTHS, Context, authorise
from circuits.exchange.transactions.cash import debit, pay_out, require_amount, require_payer
from circuits.exchange.units import TokenUnits

if TYPE_CHECKING:
    from circuits.signature import Signature


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`amount` from `account`, to the L1 address that owns it: no other payee can be named."""

    KIND: ClassVar[Kind] = Kind.WITHDRAW
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (*SIGNED_WIDTHS, ("amount", AMOUNT_BITS))

    account: int
    nonce: int
    expiry_ms: int
    amount: TokenUnits

    def tail(self) -> tuple[int, ...]:
        """The amount, where a transfer has it too; the recipient's place stays zero."""
        return (self.amount << ACCOUNT_BITS,)


def apply(draft: Draft, context: Context, withdraw: Withdraw, signature: Signature) -> Withdrawn:
    """Debit the account and the custody.

    Raises: Rejected with the first rule that fails.
    """
    before, digest = authorise(draft, context, withdraw, signature)
    require_payer(draft, before)
    require_amount(withdraw.amount)
    after = debit(draft, context.time_ms, withdraw.account, before, withdraw.amount).with_nonce(
        withdraw.nonce
    )
    pay_out(draft, withdraw.amount)
    draft.put_account(withdraw.account, after)
    return Withdrawn(
        step=context.step,
        time_ms=context.time_ms,
        transaction=withdraw,
        signature=signature,
        digest=digest,
        before=before,
        after=after,
    )
