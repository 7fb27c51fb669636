"""A second implementation of the margin rules: a double-entry journal, searched from its start.

It shares only the command dataclasses with `circuits.exchange`. Every move of money is one
posting from one book to another; a balance is the sum over all postings. Time, keys and nonces
are looked up in lists of what happened. It is slow and has no bounds but those of the brief.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CUSTODY = "custody"
CASH_PER_TOKEN_UNIT = 1_000_000_000_000


@dataclass
class Ledger:
    """Books of account ids and of custody; `is_key` and `holds` stand for the cryptography."""

    is_key: Callable[[int, int], bool]
    holds: Callable[[tuple[int, int], Any, Any], bool]
    postings: list[tuple[Any, Any, int]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    keys: list[tuple[int, tuple[int, int]]] = field(default_factory=list)
    nonces: list[tuple[int, int]] = field(default_factory=list)
    times: list[int] = field(default_factory=lambda: [0])

    def balance(self, book: Any) -> int:
        """Cash units that came into a book less those that left it."""
        incoming = sum(amount for _, to, amount in self.postings if to == book)
        return incoming - sum(amount for source, _, amount in self.postings if source == book)

    def key(self, account: int) -> tuple[int, int] | None:
        """The public key registered last."""
        keys = [key for owner, key in self.keys if owner == account]
        return keys[-1] if keys else None

    def nonce(self, account: int) -> int:
        """The highest nonce used."""
        return max((nonce for owner, nonce in self.nonces if owner == account), default=0)

    def take(self, time_ms: int, body: Any) -> str:
        """Enter one command; "applied", "invalid_key", or the name of the rule against it."""
        if time_ms < max(self.times):
            return "time_backwards"
        name = type(body).__name__
        verdict = self._queued(body) if name != "Signed" else self._signed(time_ms, body)
        if verdict in ("applied", "invalid_key"):
            self.times.append(time_ms)
        return verdict

    def _queued(self, body: Any) -> str:
        if type(body).__name__ == "RegisterKey":
            if not self.is_key(body.key_x, body.key_y):
                return "invalid_key"
            self.keys.append((body.account, (body.key_x, body.key_y)))
        else:
            self.postings.append((CUSTODY, body.account, body.amount * CASH_PER_TOKEN_UNIT))
        self.opened.append(body.account)
        return "applied"

    def _signed(self, time_ms: int, body: Any) -> str:
        order = body.transaction
        to = getattr(order, "to", None)
        target = CUSTODY if to is None else to
        key = self.key(order.account)
        wide = [order.nonce >> 48, order.expiry_ms >> 48, order.amount >> 64, (to or 0) >> 24]
        checks = [
            ("unknown_account", order.account not in self.opened),
            ("no_key", key is None),
            ("expired", time_ms > order.expiry_ms),
            ("nonce_not_increasing", order.nonce <= self.nonce(order.account)),
            ("field_out_of_range", any(wide)),
            ("signature_equation", key is not None and not self.holds(key, order, body.signature)),
            ("amount_zero", order.amount == 0),
            ("transfer_to_self", to == order.account),
            ("unknown_recipient", to is not None and to not in self.opened),
            (
                "insufficient_margin",
                self.balance(order.account) < order.amount * CASH_PER_TOKEN_UNIT,
            ),
        ]
        for rule, is_broken in checks:
            if is_broken:
                return rule
        self.postings.append((order.account, target, order.amount * CASH_PER_TOKEN_UNIT))
        self.nonces.append((order.account, order.nonce))
        return "applied"
