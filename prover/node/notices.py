"""What a node tells of itself, to a log, a terminal or metrics: small records, one for each event.

Watchers are called from the node's threads, one notice at a time each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prover.cluster.events import EventKind
from prover.node.rows import Counts
from prover.prove import Stage


@dataclass(frozen=True, slots=True)
class Loading:
    """Before the start: what takes a while."""

    what: str


@dataclass(frozen=True, slots=True)
class Started:
    node: str
    store: str


@dataclass(frozen=True, slots=True)
class Taken:
    job: int
    batch: int
    shape: str
    attempt: int


@dataclass(frozen=True, slots=True)
class StageBegun:
    job: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class StageEnded:
    job: int
    stage: Stage
    seconds: float


@dataclass(frozen=True, slots=True)
class Published:
    """`seconds`: of proving; `is_from_spool`: the proof was made by an earlier run."""

    job: int
    batch: int
    seconds: float
    verify_seconds: float
    cells: int
    is_from_spool: bool


@dataclass(frozen=True, slots=True)
class Failed:
    job: int
    batch: int
    kind: str
    is_final: bool
    reason: str


@dataclass(frozen=True, slots=True)
class LeaseLost:
    job: int
    batch: int
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    job: int
    batch: int


@dataclass(frozen=True, slots=True)
class Postponed:
    """Given back until another process has left the job's folder."""

    job: int
    batch: int
    reason: str


@dataclass(frozen=True, slots=True)
class SpoolFailed:
    """A proof in hand is in memory only; or a spooled one is of no use."""

    job: int
    reason: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """What happened to the workers of this node's executor; `worker` is empty for all of them."""

    kind: EventKind
    worker: str
    detail: str


@dataclass(frozen=True, slots=True)
class StoreAway:
    reason: str


@dataclass(frozen=True, slots=True)
class StoreBack:
    pass


@dataclass(frozen=True, slots=True)
class QueueSeen:
    """The queue at a beat. `oldest_s`: age of the oldest unproven job."""

    counts: Counts
    oldest_s: float


@dataclass(frozen=True, slots=True)
class DrainChanged:
    is_draining: bool


@dataclass(frozen=True, slots=True)
class Left:
    exit_code: int
    published: int
    failed: int


Notice = (
    Loading
    | Started
    | Taken
    | StageBegun
    | StageEnded
    | Published
    | Failed
    | LeaseLost
    | Released
    | Postponed
    | SpoolFailed
    | Cluster
    | StoreAway
    | StoreBack
    | QueueSeen
    | DrainChanged
    | Left
)
Watch = Callable[[Notice], None]
