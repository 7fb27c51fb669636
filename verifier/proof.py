"""The proof as bytes: fixed sections in a fixed order, whose sizes follow from the key alone."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.key import VerifyingKey
from verifier.transcript import (
    HEIGHTS_PER_WORD,
    LABEL_EVALUATIONS,
    LABEL_FOLDS,
    LABEL_HEIGHTS,
    LABEL_HELPERS,
    LABEL_MAIN,
    LABEL_NEGATED,
    LABEL_OPENING,
    LABEL_QUOTIENT,
    LABEL_REDUCTION,
    LABEL_ROUND,
    POINT_BYTES,
    WORD_BYTES,
)


@dataclass(frozen=True, slots=True)
class Section:
    """One message of the prover: its label, kind ("heights", "points", "scalars"), place."""

    label: bytes
    kind: str
    count: int
    offset_bytes: int
    size_bytes: int


def sections(key: VerifyingKey) -> tuple[Section, ...]:
    """All messages in transcript order (the steps of verify())."""
    layout, m = key.layout, key.log_chunk
    plan: list[tuple[bytes, str, int]] = [
        (LABEL_HEIGHTS, "heights", len(key.chips)),
        (LABEL_MAIN, "points", layout.main_chunks),
        (LABEL_HELPERS, "points", layout.helper_chunks),
        *((LABEL_ROUND, "scalars", key.round_degree) for _ in range(key.rounds)),
        (LABEL_EVALUATIONS, "scalars", key.columns),
        *((LABEL_REDUCTION, "scalars", 2) for _ in range(m)),
        (LABEL_FOLDS, "points", m - 1),
        (LABEL_NEGATED, "scalars", m),
        (LABEL_QUOTIENT, "points", 1),
        (LABEL_OPENING, "points", 1),
    ]
    found, offset = [], 0
    for label, kind, count in plan:
        size = {
            "heights": -(-count // HEIGHTS_PER_WORD) * WORD_BYTES,
            "points": count * POINT_BYTES,
            "scalars": count * WORD_BYTES,
        }[kind]
        found.append(Section(label, kind, count, offset, size))
        offset += size
    return tuple(found)


def proof_bytes(key: VerifyingKey) -> int:
    """Length of every proof under this key."""
    last = sections(key)[-1]
    return last.offset_bytes + last.size_bytes
