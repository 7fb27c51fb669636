"""A persistent map from account id to account: an update copies three small pages, not the map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from circuits.exchange.limits import ACCOUNT_BITS, ACCOUNT_FIRST, ACCOUNT_MAX

if TYPE_CHECKING:
    from circuits.exchange.state import Account

PAGE_BITS = ACCOUNT_BITS // 3
PAGE_MASK = 2**PAGE_BITS - 1

Page = dict[int, "Account"]


class AccountMap:
    """An immutable map; `with_account` yields a new map that shares every untouched page.

    Cost: two page copies and one leaf page copy of at most 256 entries each per update.
    """

    __slots__ = ("_count", "_pages")

    def __init__(self) -> None:
        self._pages: dict[int, dict[int, Page]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        return (account_id for account_id, _ in self.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AccountMap):
            return NotImplemented
        return self._count == other._count and self._pages == other._pages

    __hash__ = None  # type: ignore[assignment]  # a map of accounts is never a key

    def __repr__(self) -> str:
        return f"AccountMap({dict(self.items())!r})"

    def get(self, account_id: int) -> Account | None:
        """The account, or None where there is none; any integer may be asked for."""
        upper = self._pages.get(account_id >> (2 * PAGE_BITS))
        page = None if upper is None else upper.get((account_id >> PAGE_BITS) & PAGE_MASK)
        return None if page is None else page.get(account_id & PAGE_MASK)

    def items(self) -> Iterator[tuple[int, Account]]:
        """All accounts in increasing order of their id."""
        for high, upper in sorted(self._pages.items(), key=_first):
            for middle, page in sorted(upper.items(), key=_first):
                for low, account in sorted(page.items(), key=_first):
                    yield (high << 2 * PAGE_BITS) | (middle << PAGE_BITS) | low, account

    def with_account(self, account_id: int, account: Account) -> AccountMap:
        """The map with one account set or replaced.

        Raises: ValueError for an id that no account can have.
        """
        if not ACCOUNT_FIRST <= account_id <= ACCOUNT_MAX:
            raise ValueError(
                f"account id: expected {ACCOUNT_FIRST}..{ACCOUNT_MAX}, got {account_id}"
            )
        high, middle = account_id >> (2 * PAGE_BITS), (account_id >> PAGE_BITS) & PAGE_MASK
        low = account_id & PAGE_MASK
        upper = self._pages.get(high, {})
        page = upper.get(middle, {})
        changed = AccountMap()
        changed._count = self._count + (low not in page)
        changed._pages = {**self._pages, high: {**upper, middle: {**page, low: account}}}
        return changed


def _first(entry: tuple[int, object]) -> int:
    return entry[0]
