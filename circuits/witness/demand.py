"""How many rows a batch will need, command by command, so that it can be sealed in time."""

from __future__ import annotations

from circuits.chips.signature_trace import BASE_ENTRIES, TABLE_ROWS, WINDOW_ROWS
from circuits.exchange.addresses import header_address
from circuits.exchange.events import (
    Deposited,
    Event,
    Executed,
    KeyRegistered,
    MarginEvent,
    Transferred,
)
from circuits.merkle import ARITY, STATE_LEVELS
from circuits.statement import ACCOUNT_WORDS, QUEUE_WORDS
from circuits.witness.record import accesses

# Ranges of one signature, and permutations of a signed command: identity, digest and challenge.
WIDE_ROWS = 5
SIGNED_HASHES = 3
ACCOUNTS_PER_COMMAND = 2  # a transfer touches most

KINDS = ("deposit", "register", "transfer", "withdraw")


class RowDemand:
    """Rows by chip of the commands seen so far; never fewer than the witness will have.

    Hash and range look-ups that repeat share a row, which is not counted on here. A command that no
    chip proves yet needs no rows.
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(KINDS, 0)
        self._accounts: set[int] = set()
        self._nodes: set[tuple[int, int]] = {(STATE_LEVELS, 0)}

    def add(self, event: Event) -> None:
        """Count one applied command."""
        if isinstance(event, Executed):
            return
        self._counts[_kind(event)] += 1
        accounts, nodes = self._new(event)
        self._accounts |= accounts
        self._nodes |= nodes

    def rows(self) -> dict[str, int]:
        """Rows by chip name."""
        return _rows(self._counts, len(self._accounts), len(self._nodes))

    def rows_with(self, event: Event) -> dict[str, int]:
        """Rows by chip name if this command were added too."""
        if isinstance(event, Executed):
            return self.rows()
        kind = _kind(event)
        accounts, nodes = self._new(event)
        counts = self._counts | {kind: self._counts[kind] + 1}
        return _rows(counts, len(self._accounts) + len(accounts), len(self._nodes) + len(nodes))

    def rows_with_any(self) -> dict[str, int]:
        """At least the rows by chip name after one more command, whatever it will be."""
        counts = {kind: count + 1 for kind, count in self._counts.items()}
        nodes = len(self._nodes) + ACCOUNTS_PER_COMMAND * STATE_LEVELS
        return _rows(counts, len(self._accounts) + ACCOUNTS_PER_COMMAND, nodes)

    def _new(self, event: MarginEvent) -> tuple[set[int], set[tuple[int, int]]]:
        """Accounts and tree nodes that this command touches first."""
        accounts = {account_id for account_id, _, _ in accesses(event)} - self._accounts
        nodes = {
            (level, header_address(account_id) // ARITY**level)
            for account_id in accounts
            for level in range(1, STATE_LEVELS + 1)
        }
        return accounts, nodes - self._nodes


def _kind(event: MarginEvent) -> str:
    if isinstance(event, Deposited):
        return "deposit"
    if isinstance(event, KeyRegistered):
        return "register"
    return "transfer" if isinstance(event, Transferred) else "withdraw"


def _rows(counts: dict[str, int], accounts: int, nodes: int) -> dict[str, int]:
    signed = counts["transfer"] + counts["withdraw"]
    queued = counts["deposit"] + counts["register"]
    return {
        **counts,
        "range16": 1 << 16,
        "wide": signed * (WIDE_ROWS + 1) + queued + accounts,
        "poseidon2": signed * SIGNED_HASHES + queued + 2 * accounts + 2 * nodes,
        "signature_windows": signed * WINDOW_ROWS,
        "signature_table": signed * TABLE_ROWS,
        "base_table": BASE_ENTRIES if signed else 0,
        "signature": signed,
        "tree": nodes,
        "leaf": accounts,
        "command": signed,
        "queue": queued,
        "pubdata": QUEUE_WORDS * queued + counts["withdraw"] + ACCOUNT_WORDS * accounts,
        "batch": 1,
    }
