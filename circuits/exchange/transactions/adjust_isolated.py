"""AdjustIsolated: collateral between an account and one that isolates a position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind
from circuits.exchange.leaves import Account, AccountKind
from circuits.exchange.limits import ACCOUNT_MAX, SUB_ACCOUNT_FIRST
from circuits.exchange.transactions.authority import (
    SIGNED_WIDTHS,
    Context,
    authorise,
    packed_tail,
)
from circuits.exchange.transactions.cash import (
    debit,
    require_amount,
    require_cash_bounds,
    require_mode,
)
from circuits.exchange.units import CashUnits, TokenUnits, cash_from_units

if TYPE_CHECKING:
    from circuits.signature import Signature

TO_SUB, FROM_SUB = 0, 1
"""Which way the collateral goes."""


@dataclass(frozen=True, slots=True)
class AdjustIsolated:
    """`amount` to (0) or from (1) the account `sub` of the same owner, opened by the first move."""

    KIND: ClassVar[Kind] = Kind.ADJUST_ISOLATED
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *SIGNED_WIDTHS,
        ("sub", 24),
        ("direction", 8),
        ("amount", 64),
    )

    account: int
    nonce: int
    expiry_ms: int
    sub: int
    direction: int
    amount: TokenUnits

    def tail(self) -> tuple[int, ...]:
        """The fields of this kind, lowest first."""
        return packed_tail(self, self.WIDTHS[3:])


def apply(draft: Draft, context: Context, request: AdjustIsolated, signature: Signature) -> None:
    """Move collateral; the first move opens the sub-account under the owner and key of its own.

    Raises: Rejected with the first rule that fails.
    """
    account, _ = authorise(draft, context, request, signature)
    account = account.with_nonce(request.nonce)
    require_mode(draft)
    _require_user(account)
    sub = draft.account(request.sub)
    if sub is not None:
        _require_user(sub)
    require_amount(request.amount)
    if request.direction not in (TO_SUB, FROM_SUB):
        raise Rejected(RejectReason.BAD_ENUM, "direction 0 or 1", request.direction)
    if request.sub == request.account:
        raise Rejected(
            RejectReason.TRANSFER_TO_SELF, "another account", f"the signer {request.account}"
        )
    if sub is None:
        sub = _opened(request, account)
    _require_same_owner(request, account, sub)
    if request.direction == TO_SUB:
        account = debit(draft, context.time_ms, request.account, account, request.amount)
        sub = _credited(sub, request.amount)
    else:
        sub = debit(draft, context.time_ms, request.sub, sub, request.amount)
        account = _credited(account, request.amount)
    draft.put_account(request.account, account)
    draft.put_account(request.sub, sub)


def _require_user(account: Account) -> None:
    if account.kind != AccountKind.USER:
        kind = AccountKind(account.kind).name.lower()
        raise Rejected(RejectReason.ACCOUNT_KIND, "accounts of users", f"the {kind}")


def _opened(request: AdjustIsolated, account: Account) -> Account:
    """A new sub-account; its id is one that the L1 queue never assigns."""
    if request.direction == FROM_SUB or not SUB_ACCOUNT_FIRST <= request.sub <= ACCOUNT_MAX:
        raise Rejected(
            RejectReason.UNKNOWN_RECIPIENT,
            f"an existing account, or to open one of {SUB_ACCOUNT_FIRST}..{ACCOUNT_MAX}",
            request.sub,
        )
    return Account(account.owner, account.key)


def _require_same_owner(request: AdjustIsolated, account: Account, sub: Account) -> None:
    """Refuse another owner's account; and to take from a main account under another key than its
    own, because a key that was replaced there may live on in a sub-account.
    """
    if account.owner != sub.owner:
        raise Rejected(
            RejectReason.OWNER_DIFFERS, f"an account of {account.owner:#042x}", f"{sub.owner:#042x}"
        )
    is_from_main = request.direction == FROM_SUB and (
        request.sub < SUB_ACCOUNT_FIRST or request.account >= SUB_ACCOUNT_FIRST
    )
    if is_from_main and account.key != sub.key:
        raise Rejected(
            RejectReason.OWNER_DIFFERS,
            "a sub-account, or one under the same key",
            f"account {request.sub}",
        )


def _credited(account: Account, amount: TokenUnits) -> Account:
    cash = CashUnits(account.cash + cash_from_units(amount))
    require_cash_bounds(cash)
    return account.with_cash(cash)
