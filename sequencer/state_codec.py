"""Canonical bytes of a state between two batches: equal states have equal bytes.

Layout, all numbers big-endian
    domain (28), time_ms (6), custody (8), account count (3), then by increasing id each account:
    id (3), owner (20), key x (32), key y (32), nonce (6), cash + 2^111 (14)
"""

from __future__ import annotations

from circuits.exchange.accounts import AccountMap
from circuits.exchange.limits import ACCOUNT_FIRST, CASH_OFFSET
from circuits.exchange.state import Account, State
from circuits.exchange.units import CashUnits, TokenUnits
from sequencer.errors import SnapshotError

HEAD_WIDTHS = (28, 6, 8, 3)
ACCOUNT_WIDTHS = (3, 20, 32, 32, 6, 14)
HEAD_BYTES = sum(HEAD_WIDTHS)
ACCOUNT_BYTES = sum(ACCOUNT_WIDTHS)


def encode_state(state: State) -> bytes:
    """The canonical bytes of a state.

    Assumes: no batch is open, so that the step is 0.
    """
    head = (state.domain, state.time_ms, state.custody, len(state.accounts))
    parts = [_packed(HEAD_WIDTHS, head)]
    for account_id, account in state.accounts.items():
        values = (
            account_id,
            account.owner,
            account.key[0],
            account.key[1],
            account.nonce,
            account.cash + CASH_OFFSET,
        )
        parts.append(_packed(ACCOUNT_WIDTHS, values))
    return b"".join(parts)


def decode_state(encoded: bytes) -> State:
    """The state of canonical bytes.

    Raises: SnapshotError for a wrong length, or accounts that do not increase.
    """
    if len(encoded) < HEAD_BYTES:
        raise SnapshotError("state", f"at least {HEAD_BYTES} bytes", len(encoded))
    domain, time_ms, custody, count = _unpacked(HEAD_WIDTHS, encoded[:HEAD_BYTES])
    if len(encoded) != HEAD_BYTES + count * ACCOUNT_BYTES:
        expected = f"{HEAD_BYTES + count * ACCOUNT_BYTES} bytes for {count} accounts"
        raise SnapshotError("state", expected, len(encoded))
    accounts = AccountMap()
    previous = ACCOUNT_FIRST - 1
    for start in range(HEAD_BYTES, len(encoded), ACCOUNT_BYTES):
        account_id, owner, key_x, key_y, nonce, cash = _unpacked(
            ACCOUNT_WIDTHS, encoded[start : start + ACCOUNT_BYTES]
        )
        if account_id <= previous:
            raise SnapshotError("account id", f"above {previous}", account_id)
        previous = account_id
        account = Account(owner, (key_x, key_y), nonce, CashUnits(cash - CASH_OFFSET))
        accounts = accounts.with_account(account_id, account)
    return State(domain, time_ms, 0, TokenUnits(custody), accounts)


def _packed(widths: tuple[int, ...], values: tuple[int, ...]) -> bytes:
    parts = [value.to_bytes(width, "big") for width, value in zip(widths, values, strict=True)]
    return b"".join(parts)


def _unpacked(widths: tuple[int, ...], encoded: bytes) -> list[int]:
    values = []
    start = 0
    for width in widths:
        values.append(int.from_bytes(encoded[start : start + width], "big"))
        start += width
    return values
