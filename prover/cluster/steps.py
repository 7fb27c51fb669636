"""What the coordinator tells and asks the workers, in the order in which a proof needs it.

A worker's state is a pure function of the spans it owns and of the steps told so far: a new owner
of a span catches up by applying them, and need not answer again what has been answered. Asks are
answered with a `Partial`; the sum of all partials does not depend on who owns what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.field import R
from prover.kernels.msm import Piece, msm_many, points_from_ints
from verifier.constraints import Batching
from verifier.transcript import INFINITY, Point

ELEMENT_BYTES = 32


# Told: they change the state and have no answer.


@dataclass(frozen=True, slots=True)
class Helpers:
    """Fill the helper columns."""

    challenges: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StartZerocheck:
    """Begin the first sumcheck; nothing is bound."""

    batching: Batching


@dataclass(frozen=True, slots=True)
class StartReduction:
    """Begin the second sumcheck; `point` is the first one's."""

    point: tuple[int, ...]
    gamma: int


@dataclass(frozen=True, slots=True)
class Bind:
    """Fix the lowest remaining variable of the running sumcheck."""

    challenge: int


@dataclass(frozen=True, slots=True)
class Adopt:
    """Take over chips that workers have folded; for the coordinator's own machine."""

    rows: Rows


# Asked: each is answered with a partial.


@dataclass(frozen=True, slots=True)
class CommitCells:
    """Commit to cells first .. stop - 1 of the main chunks: `Points`, one for every main chunk.

    Cells are counted through all chunks. Whoever sees the witness may answer, for any cells:
    half of the chunks cost less to multiply than half of the rows of every chunk.
    """

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit to helper chunks first .. stop - 1: `Points`, one a chunk."""

    first: int
    stop: int


@dataclass(frozen=True, slots=True)
class RoundSums:
    """What a round of the running sumcheck sums over rows: `Sums` by chip.

    Nothing for a chip whose own variables are not reached or all bound; but before the first
    challenge a sleeping chip gives its totals.
    """


@dataclass(frozen=True, slots=True)
class HandOver:
    """The folded rows of these chips, which then leave the sumcheck: `Rows`."""

    chips: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnsAt:
    """Every column of these chips at the bound point of the sumcheck: `Sums` by chip."""

    chips: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Combine:
    """sum_k weights_k P_k: `Pieces`, the one bulk answer."""

    weights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CommitRange:
    """Commit to coefficients first, first + 1, ... of one polynomial: `Points`, a single one.

    Shape: elements uint64[n, 4] in Montgomery form.
    """

    first: int
    elements: np.ndarray


Told = Helpers | StartZerocheck | StartReduction | Bind | Adopt
Asked = CommitCells | Commit | RoundSums | HandOver | ColumnsAt | Combine
Step = Told | Asked
_STARTS = (StartZerocheck, StartReduction)


@dataclass(frozen=True, slots=True)
class Points:
    """One point a chunk."""

    values: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Field elements by chip number."""

    by_chip: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class FoldedRows:
    """Folded rows of one chip, those of neighbouring shards from `first` on, as plain integers.

    Shape: `data` is row after row, a row is `columns` elements of 32 bytes, little-endian.
    """

    first: int
    columns: int
    data: bytes

    @property
    def count(self) -> int:
        return len(self.data) // (self.columns * ELEMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Rows:
    """Folded rows by chip number, in the order of their shards."""

    by_chip: Mapping[int, tuple[FoldedRows, ...]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of a polynomial: (first index, elements uint64[n, 4] in Montgomery form)."""

    parts: tuple[tuple[int, np.ndarray], ...]


Partial = Points | Sums | Rows | Pieces


def total(partials: Sequence[Partial]) -> Partial:
    """The sum of partials of one kind, at least one; `Pieces` are only put side by side.

    Assumes: together they cover every shard, or every coefficient, once.
    """
    first = partials[0]
    if any(type(each) is not type(first) for each in partials):
        raise TypeError(f"expected partials of one kind, got {[type(p) for p in partials]}")
    if isinstance(first, Points):
        return Points(add_points([each.values for each in partials if isinstance(each, Points)]))
    if isinstance(first, Sums):
        return Sums(add_sums([each.by_chip for each in partials if isinstance(each, Sums)]))
    if isinstance(first, Rows):
        return _whole_chips(join_rows([each for each in partials if isinstance(each, Rows)]))
    return Pieces(tuple(p for each in partials if isinstance(each, Pieces) for p in each.parts))


def add_points(vectors: Sequence[Sequence[Point]]) -> tuple[Point, ...]:
    """Place by place sum of vectors of affine points. Cost: one pass for all places."""
    bases: list[Point] = []
    sums: list[list[Piece]] = []
    for points in zip(*vectors, strict=True):
        summands = [point for point in points if point != INFINITY]
        sums.append([(len(bases), np.ones(len(summands), dtype=np.uint8), 1)])
        bases += summands
    return tuple(msm_many(points_from_ints(bases), sums))


def add_sums(parts: Sequence[Mapping[int, tuple[int, ...]]]) -> dict[int, tuple[int, ...]]:
    """Chip by chip and place by place sum."""
    sums: dict[int, tuple[int, ...]] = {}
    for part in parts:
        for chip, values in part.items():
            sums[chip] = tuple(
                (a + b) % R for a, b in zip(sums.get(chip, (0,) * len(values)), values, strict=True)
            )
    return dict(sorted(sums.items()))


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Rows side by side, in the order of their shards."""
    pieces: dict[int, list[FoldedRows]] = {}
    for part in parts:
        for chip, found in part.by_chip.items():
            pieces.setdefault(chip, []).extend(found)
    return Rows(
        {
            chip: tuple(sorted(pieces[chip], key=lambda piece: piece.first))
            for chip in sorted(pieces)
        }
    )


def _whole_chips(rows: Rows) -> Rows:
    return Rows(
        {
            chip: (FoldedRows(0, pieces[0].columns, b"".join(piece.data for piece in pieces)),)
            for chip, pieces in rows.by_chip.items()
        }
    )


def digest(partial: Partial) -> bytes:
    """SHA-256 of a partial; equal partials have equal ones."""
    found = hashlib.sha256()
    if isinstance(partial, Pieces):
        for first, elements in partial.parts:
            found.update(f"{first} {len(elements)} ".encode())
            found.update(elements_digest(elements))
    else:
        found.update(repr(partial).encode())
    return found.digest()


def elements_digest(elements: np.ndarray) -> bytes:
    """SHA-256 of field elements. Shape: uint64[n, 4]."""
    return hashlib.sha256(np.ascontiguousarray(elements).data).digest()


def needed(steps: Sequence[Step], *, takes_over: bool = False) -> tuple[Step, ...]:
    """The steps that still matter to a machine that is told all of them now.

    Those are the helper columns and the running sumcheck; what is finished leaves nothing behind.
    Only the coordinator's own machine takes chips over.
    """
    starts = [number for number, step in enumerate(steps) if isinstance(step, _STARTS)]
    last = starts[-1] if starts else 0
    return tuple(
        step
        for number, step in enumerate(steps)
        if isinstance(step, Helpers)
        or (number >= last and isinstance(step, (*_STARTS, Bind, HandOver)))
        or (number >= last and isinstance(step, Adopt) and takes_over)
    )


def name_of(ask: Asked | CommitRange) -> str:
    """What a person reads of an ask: "commitment of chunks 5..7", "round sums"."""
    match ask:
        case CommitCells():
            return "commitment of the main columns"
        case Commit(first, stop):
            return f"commitment of chunks {first}..{stop - 1}"
        case CommitRange():
            return "commitment of a polynomial"
        case RoundSums():
            return "round sums"
        case HandOver():
            return "folded rows"
        case ColumnsAt():
            return "columns at the point"
        case Combine():
            return "combination"
