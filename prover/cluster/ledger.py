"""Who answered what: kept while a proof is made, so that a wrong answer has a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prover.cluster.shards import Span
from prover.cluster.steps import Asked, CommitRange, Partial, Pieces, digest, elements_digest


@dataclass(frozen=True, slots=True)
class SpanParcel:
    """A part of a step: the ask, for some spans."""

    ask: Asked
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class RangeParcel:
    """A part of a polynomial's commitment: some of its coefficients."""

    ask: CommitRange

    def split(self, parts: int) -> list[RangeParcel]:
        """At most `parts` parcels of nearly equal size that make up this one."""
        cuts = np.array_split(self.ask.elements, min(parts, len(self.ask.elements)))
        first, parcels = self.ask.first, []
        for elements in cuts:
            parcels.append(RangeParcel(CommitRange(first, elements)))
            first += len(elements)
        return parcels


Parcel = SpanParcel | RangeParcel


@dataclass(frozen=True, slots=True)
class Coefficients:
    """A range of a polynomial as it was sent: if it was wrong, the answer is not to blame."""

    first: int
    stop: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a worker answered to its part of a step; of bulk answers the digest alone is kept.

    The part is given by spans, or by a range of a polynomial's coefficients.
    """

    worker: str
    spans: tuple[Span, ...]
    coefficients: Coefficients | None
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
        spans: tuple[Span, ...] = ()
        coefficients = None
        if isinstance(parcel, SpanParcel):
            spans = parcel.spans
        else:
            first, elements = parcel.ask.first, parcel.ask.elements
            coefficients = Coefficients(first, first + len(elements), elements_digest(elements))
        kept = None if isinstance(partial, Pieces) else partial
        self._entries[number].append(Entry(worker, spans, coefficients, digest(partial), kept))

    def entries(self, number: int) -> Sequence[Entry]:
        """All parts of an ask; none when an earlier coordinator asked it."""
        return self._entries.get(number, ())

    def knows(self, number: int) -> bool:
        """Whether this coordinator asked it."""
        return number in self._entries

    def truncate(self, number: int) -> None:
        """Forget ask `number` and all later ones."""
        self._entries = {each: parts for each, parts in self._entries.items() if each < number}
