"""What the L1 contracts guarantee about every queued request, checked all the same."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.leaves import Account
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    ACCOUNT_FIRST,
    ACCOUNT_MAX,
    AMOUNT_MAX,
    CUSTODY_MAX,
    OWNER_BITS,
    OWNER_MAX,
)
from circuits.exchange.units import TokenUnits

QUEUED_WIDTHS: tuple[tuple[str, int], ...] = (("account", ACCOUNT_BITS), ("owner", OWNER_BITS))
"""The fields that every request of an owner starts with."""


def require_owner(draft: Draft, account_id: int, owner: int) -> Account | None:
    """The account if it exists, once its id and owner are what the queue can have assigned.

    Raises: QueueGuaranteeBroken for an id or owner out of range, or another account's owner.
    """
    if not ACCOUNT_FIRST <= account_id <= ACCOUNT_MAX:
        raise QueueGuaranteeBroken("account", f"{ACCOUNT_FIRST}..{ACCOUNT_MAX}", account_id)
    if not 0 <= owner <= OWNER_MAX:
        raise QueueGuaranteeBroken("owner", "a 160-bit address", owner)
    account = draft.account(account_id)
    if account is not None and account.owner != owner:
        raise QueueGuaranteeBroken(
            f"owner of account {account_id}", f"{account.owner:#042x}", f"{owner:#042x}"
        )
    return account


def take_custody(draft: Draft, amount: TokenUnits) -> None:
    """Count an amount that arrived on L1.

    Raises: QueueGuaranteeBroken for an amount, or a sum, that the contracts refuse.
    """
    if not 1 <= amount <= AMOUNT_MAX:
        raise QueueGuaranteeBroken("deposit amount", f"1..{AMOUNT_MAX}", amount)
    custody = TokenUnits(draft.custody + amount)
    if custody > CUSTODY_MAX:
        raise QueueGuaranteeBroken("custody", f"at most {CUSTODY_MAX}", custody)
    draft.custody = custody
