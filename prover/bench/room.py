"""Whether what a benchmark makes has room here."""

from __future__ import annotations

from prover.errors import NotEnoughMemory
from prover.memory import MIB, available_bytes, resident_bytes


def require_room(what: str, needed_bytes: int) -> None:
    """Refuse work that would not fit, before it begins. Raises: NotEnoughMemory."""
    available = available_bytes()
    if available is not None and available + resident_bytes() < needed_bytes:
        room_mib = (available + resident_bytes()) // MIB
        raise NotEnoughMemory(
            f"memory for {what}", f"{needed_bytes // MIB:,} MiB", f"{room_mib:,} MiB available"
        )
