"""Withdraw: a signed order to pay collateral to the account's owner on L1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.events import Kind, Withdrawn
from circuits.exchange.limits import ACCOUNT_BITS, AMOUNT_BITS
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import SIGNED_WIDTHS, Context, authorise
from circuits.exchange.transactions.cash import debit, require_amount
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

    def tail(self) -> int:
        """The amount, where a transfer has it too; the recipient's place stays zero."""
        return self.amount << ACCOUNT_BITS


def apply(
    state: State, context: Context, withdraw: Withdraw, signature: Signature
) -> tuple[State, Withdrawn]:
    """Debit the account and the custody.

    Raises: Rejected with the first rule that fails.
    """
    before, digest = authorise(state, context, withdraw, signature)
    require_amount(withdraw.amount)
    after = debit(before, withdraw.amount).with_nonce(withdraw.nonce)
    event = Withdrawn(
        step=context.step,
        time_ms=context.time_ms,
        transaction=withdraw,
        signature=signature,
        digest=digest,
        before=before,
        after=after,
    )
    custody = TokenUnits(state.custody - withdraw.amount)
    return replace(state.with_account(withdraw.account, after), custody=custody), event
