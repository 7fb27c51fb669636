"""RegisterKey: the owner names the key that signs for the account; always yields an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from circuits.edwards import clear_cofactor
from circuits.exchange.draft import Draft
from circuits.exchange.errors import QueueGuaranteeBroken
from circuits.exchange.events import KeyRegistered, Kind, Outcome
from circuits.exchange.leaves import Account
from circuits.exchange.transactions.authority import Context
from circuits.exchange.transactions.queued import QUEUED_WIDTHS, require_owner
from circuits.field import R


@dataclass(frozen=True, slots=True)
class RegisterKey:
    """The point (`key_x`, `key_y`) for `account`; the account stores eight times the point."""

    KIND: ClassVar[Kind] = Kind.REGISTER_KEY
    WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (
        *QUEUED_WIDTHS,
        ("key_x", 256),
        ("key_y", 256),
    )

    account: int
    owner: int
    key_x: int
    key_y: int


def apply(draft: Draft, context: Context, request: RegisterKey) -> KeyRegistered:
    """Set or replace the key; a point that cannot be a key changes nothing.

    Raises: QueueGuaranteeBroken for a request that the contracts cannot have queued.
    """
    before = require_owner(draft, request.account, request.owner)
    for name, coordinate in (("key_x", request.key_x), ("key_y", request.key_y)):
        if not 0 <= coordinate < R:
            raise QueueGuaranteeBroken(name, f"below {R}", coordinate)
    cleared_key = clear_cofactor((request.key_x, request.key_y))
    after = before
    if cleared_key is not None:
        after = (before or Account(request.owner)).with_key(cleared_key)
        draft.put_account(request.account, after)
    return KeyRegistered(
        step=context.step,
        time_ms=context.time_ms,
        account_id=request.account,
        owner=request.owner,
        key_x=request.key_x,
        key_y=request.key_y,
        cleared_key=cleared_key,
        before=before,
        after=after,
        outcome=Outcome.INVALID_KEY if cleared_key is None else Outcome.APPLIED,
    )
