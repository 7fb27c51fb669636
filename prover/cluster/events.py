"""What a coordinator tells whoever watches it: log lines and counters of a prover node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    JOINED = "joined"  # a worker has started; the detail says where
    LOST = "lost"  # a worker ended, fell silent, was too slow or failed; the detail says which
    REASSIGNED = "reassigned"  # shards of a lost worker have new owners
    GUILTY = "guilty"  # a worker's answer was wrong, and LOST follows; the detail names the step
    RESUMED = "resumed"  # the answers of an earlier coordinator are used
    ASKED = "asked"  # the workers begin a step


@dataclass(frozen=True, slots=True)
class ClusterEvent:
    """One event. `worker` is empty when it is not about one."""

    kind: EventKind
    worker: str
    detail: str

    def __str__(self) -> str:
        subject = f"worker {self.worker}" if self.worker else "cluster"
        return f"{subject} {self.kind}: {self.detail}"


Notify = Callable[[ClusterEvent], None]


def ignore_event(event: ClusterEvent) -> None:
    """A watcher that looks at nothing."""
