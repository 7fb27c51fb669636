"""What can be told of a single answer at a glance: most flipped bits do not pass."""

from __future__ import annotations

from circuits.field import R
from prover.cluster.ledger import Parcel, SpanParcel
from prover.cluster.messages import Job
from prover.cluster.span_sumchecks import matrix_of
from prover.cluster.steps import Commit, HandOver, Partial, Pieces, Points, Rows, Sums
from verifier.transcript import is_on_curve


def fault_of(partial: Partial, parcel: Parcel, job: Job) -> str:
    """Why this cannot be the answer to that parcel; empty when it may be."""
    match partial:
        case Points():
            return _point_fault(partial, parcel)
        case Sums():
            return _sum_fault(partial, parcel)
        case Rows():
            return _row_fault(partial, parcel)
        case Pieces():
            return _piece_fault(partial, 1 << job.key.log_chunk)


def _point_fault(partial: Points, parcel: Parcel) -> str:
    ask = parcel.ask
    count = ask.stop - ask.first if isinstance(ask, Commit) else 1
    if len(partial.values) != count:
        return f"expected {count} points, got {len(partial.values)}"
    for number, point in enumerate(partial.values):
        if min(point) < 0 or not is_on_curve(point):
            return f"point {number}: expected a curve point, got {point}"
    return ""


def _sum_fault(partial: Sums, parcel: Parcel) -> str:
    chips = {span.chip for span in parcel.spans} if isinstance(parcel, SpanParcel) else set()
    for chip, values in partial.by_chip.items():
        if chip not in chips:
            return f"expected sums of chips {sorted(chips)}, got some of chip {chip}"
        for number, value in enumerate(values):
            if not 0 <= value < R:
                return f"chip {chip}: sum {number}: expected an integer below r, got {value}"
    return ""


def _row_fault(partial: Rows, parcel: Parcel) -> str:
    wanted = []
    if isinstance(parcel, SpanParcel) and isinstance(parcel.ask, HandOver):
        leaving = [span for span in parcel.spans if span.chip in parcel.ask.chips]
        wanted = sorted((span.chip, span.first, span.stop - span.first) for span in leaving)
    found = [
        (chip, piece.first, piece.count)
        for chip, pieces in sorted(partial.by_chip.items())
        for piece in pieces
    ]
    if found != wanted:
        return f"expected rows of (chip, first shard, shards) {wanted}, got {found}"
    for chip, pieces in partial.by_chip.items():
        try:
            matrix_of(pieces)
        except ValueError as error:
            return f"chip {chip}: {error}"
    return ""


def _piece_fault(partial: Pieces, cells: int) -> str:
    for first, elements in partial.parts:
        if first < 0 or first + len(elements) > cells or elements.shape[1:] != (4,):
            place = f"{list(elements.shape)} at {first}"
            return f"expected coefficients inside [0, {cells}), got {place}"
    return ""
