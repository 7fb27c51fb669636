"""Who answered what: kept while a proof is made, so that a wrong answer has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prover.cluster.parcels import Parcel, SpanParcel
from prover.cluster.shards import Span
from prover.cluster.steps import CommitCells, CommitRange, Partial, Pieces, digest, elements_digest


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A range of a polynomial as it was sent: if it was wrong, the answer is not to blame."""

    first: int
    stop: int
    digest: bytes


Part = tuple[Span, ...] | CommitCells | Coefficients


@dataclass(frozen=True, slots=True)
class Entry:
    """What a worker answered to its part of a step; of bulk answers the digest alone is kept."""

    worker: str
    part: Part
    digest: bytes
    partial: Partial | None


class Ledger:
    """Entries by the number of the ask."""

    def __init__(self) -> None:
        self._entries: dict[int, list[Entry]] = {}

    def begin(self, number: int) -> None:
        """An ask begins; what is known of an earlier attempt at it no longer counts."""
        self._entries[number] = []

    def note(self, number: int, worker: str, parcel: Parcel, partial: Partial) -> None:
        """A worker answered its part."""
        kept = None if isinstance(partial, Pieces) else partial
        self._entries[number].append(Entry(worker, _part_of(parcel), digest(partial), kept))

    def entries(self, number: int) -> Sequence[Entry]:
        """All parts of an ask; none when an earlier coordinator asked it."""
        return self._entries.get(number, ())

    def knows(self, number: int) -> bool:
        """Whether this coordinator asked it."""
        return number in self._entries

    def truncate(self, number: int) -> None:
        """Forget ask `number` and all later ones."""
        self._entries = {each: parts for each, parts in self._entries.items() if each < number}


def _part_of(parcel: Parcel) -> Part:
    if isinstance(parcel, SpanParcel):
        return parcel.spans
    match parcel.ask:
        case CommitCells() as cells:
            return cells
        case CommitRange(first, elements):
            return Coefficients(first, first + len(elements), elements_digest(elements))
