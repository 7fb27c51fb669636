"""What can be chosen about where proofs are made. Importing this loads no kernel."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from prover.cluster.settings import ClusterSettings


class ExecutorKind(StrEnum):
    """Where the work is done."""

    INLINE = "inline"
    PROCESS = "process"
    RAY = "ray"


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """`address` is that of a Ray cluster to join; without one Ray starts on this machine.

    `work_dir` holds a folder per job with the witness and what is known of its proof; workers on
    other machines must see it under the same path. `inline` needs neither.
    """

    kind: ExecutorKind
    workers: int
    address: str | None
    work_dir: Path
    settings: ClusterSettings = field(default_factory=ClusterSettings)

    @property
    def starts_ray(self) -> bool:
        """Whether a Ray is started on this machine and ends with the executor."""
        return self.kind is ExecutorKind.RAY and self.address is None

    @property
    def local_workers(self) -> int:
        """How many workers share the memory of this machine, as far as is known."""
        is_here = self.kind is ExecutorKind.PROCESS or self.starts_ray
        return self.workers if is_here else 0
