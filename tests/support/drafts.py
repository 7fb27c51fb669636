"""What a draft has written, for tests that look before it is committed."""

from __future__ import annotations

from circuits.exchange.draft import Draft
from circuits.exchange.leaves import Leaf


def written(draft: Draft) -> dict[int, Leaf | None]:
    """Every leaf that was written and not taken back, as it is now."""
    _, before = draft.commit()
    return {address: draft.get(address) for address in before}
