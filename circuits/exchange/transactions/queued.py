"""What the L1 contracts guarantee about every queued request, checked all the same."""

from __future__ import annotations

from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.limits import ACCOUNT_FIRST, ACCOUNT_MAX, OWNER_MAX
from circuits.exchange.state import Account, State


def require_owner(state: State, account_id: int, owner: int) -> Account | None:
    """The account if it exists, once its id and owner are what the queue can have assigned.

    Raises: QueueGuaranteeBroken for an id or owner out of range, or another account's owner.
    """
    if not ACCOUNT_FIRST <= account_id <= ACCOUNT_MAX:
        raise QueueGuaranteeBroken("account", f"{ACCOUNT_FIRST}..{ACCOUNT_MAX}", account_id)
    if not 0 <= owner <= OWNER_MAX:
        raise QueueGuaranteeBroken("owner", "a 160-bit address", owner)
    account = state.accounts.get(account_id)
    if account is not None and account.owner != owner:
        raise QueueGuaranteeBroken(
            f"owner of account {account_id}", f"{account.owner:#042x}", f"{owner:#042x}"
        )
    return account
