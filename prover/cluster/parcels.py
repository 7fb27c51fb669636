"""What one worker is handed of a step, and how a step is cut into such parts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from circuits.air.shape import Piece
from prover.cluster.messages import Job
from prover.cluster.shards import Span
from prover.cluster.steps import Asked, CommitCells, CommitRange

# The next part of the main columns has this share of what is left, divided by the workers: parts
# become smaller, so that nobody has much more to do than the others when none is left.
_SHARE = 1 / 2
# None is smaller than this share of all, divided by the workers.
_SHARE_MIN = 1 / 40


@dataclass(frozen=True, slots=True)
class SpanParcel:
    """The ask, for some spans: those that a worker owns."""

    ask: Asked
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class LooseParcel:
    """A part that any worker may do: cells of the main chunks, or coefficients of a polynomial."""

    ask: CommitCells | CommitRange


Parcel = SpanParcel | LooseParcel


def coefficient_parcels(ask: CommitRange, parts: int) -> list[LooseParcel]:
    """At most `parts` parcels of nearly equal size that make up the ask."""
    first, parcels = ask.first, []
    for elements in np.array_split(ask.elements, min(parts, len(ask.elements))):
        parcels.append(LooseParcel(CommitRange(first, elements)))
        first += len(elements)
    return parcels


def cell_parcels(job: Job, ask: CommitCells, workers: int) -> list[LooseParcel]:
    """Parcels that make up the ask, large ones first, by what their cells may cost at most.

    That is their bits; how many of them are zero or repeated shows when they are multiplied.
    """
    cells, costs = _cost_curve(job, range(ask.first, ask.stop))
    total = costs[-1]
    cuts, done = [ask.first], 0.0
    while cuts[-1] < ask.stop:
        done += max((total - done) * _SHARE, total * _SHARE_MIN) / workers
        cut = int(np.interp(done, costs, cells)) if done < total else ask.stop
        cuts.append(max(cut, cuts[-1] + 1))
    return [LooseParcel(CommitCells(a, b)) for a, b in itertools.pairwise(cuts)]


def rows_of(piece: Piece, cells: range, log_chunk: int, height: int) -> range:
    """The active rows of a column that lie among these cells, which count through all chunks."""
    start = (piece.chunk << log_chunk) + piece.offset
    first = max(cells.start - start, 0)
    return range(first, max(first, min(cells.stop - start, height)))


def _cost_curve(job: Job, cells: range) -> tuple[list[int], list[float]]:
    """Cells at which a column begins or ends, ascending, and the cost of all cells before them."""
    layout, log_chunk = job.key.layout, job.key.log_chunk
    places, costs = [cells.start], [0.0]
    for piece in sorted(layout.pieces, key=lambda piece: (piece.chunk, piece.offset)):
        start = (piece.chunk << log_chunk) + piece.offset
        rows = rows_of(piece, cells, log_chunk, job.plan.chips[piece.chip].height)
        if rows and piece.chunk < layout.main_chunks:
            cost = costs[-1] + len(rows) * job.column_bits[piece.chip][piece.column]
            places += [start + rows.start, start + rows.stop]
            costs += [costs[-1], cost]
    return places, costs
