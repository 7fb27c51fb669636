"""What passes between the coordinator and a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.air.chip import System
from circuits.air.tape import Tape
from circuits.field import R
from prover.cluster.shards import ShardPlan, Span
from prover.cluster.steps import Asked, CommitRange, Partial, Step
from prover.interactions import group_ends, interaction_tape
from verifier.key import VerifyingKey


@dataclass(frozen=True, slots=True)
class Job:
    """All that a machine must know of a proof beside the witness.

    A system holds the expressions of its chips; what is left of them here are the tapes of the
    interactions, the ends of their groups and the bits of the main columns, in chip order.
    """

    key: VerifyingKey
    words: tuple[int, ...]
    interactions: tuple[Tape, ...]
    group_ends: tuple[tuple[int, ...], ...]
    column_bits: tuple[tuple[int, ...], ...]
    plan: ShardPlan

    @staticmethod
    def of(key: VerifyingKey, system: System, words: Sequence[int], plan: ShardPlan) -> Job:
        """The job of proving a statement about a system."""
        return Job(
            key,
            tuple(words),
            tuple(interaction_tape(chip, len(words), R) for chip in system.chips),
            tuple(tuple(group_ends(chip)) for chip in system.chips),
            tuple(tuple(column.bits for column in chip.columns) for chip in system.chips),
            plan,
        )


@dataclass(frozen=True, slots=True)
class Open:
    """A job begins; what the worker held of another one is dropped. Not answered.

    `store` is the folder of the witness store, `bases` an .srs file, both as the worker sees them.
    """

    job: Job
    store: str
    bases: str


@dataclass(frozen=True, slots=True)
class Close:
    """The job is over: what the worker held of it is dropped. Not answered."""


@dataclass(frozen=True, slots=True)
class Task:
    """One ask, answered by a `Reply` of the same number.

    In this order: `steps` are applied to what the worker owns; `adopted` spans are loaded and
    brought to the same state by `history`; then `ask` is answered for `spans`.
    """

    number: int
    steps: tuple[Step, ...]
    adopted: tuple[Span, ...]
    history: tuple[Step, ...]
    ask: Asked | CommitRange
    spans: tuple[Span, ...]


Message = Open | Close | Task


@dataclass(frozen=True, slots=True)
class Reply:
    """A task's partial, or why there is none."""

    number: int
    partial: Partial | None
    failure: str = ""
