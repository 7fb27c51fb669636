"""Why a cluster cannot make a proof.

    ClusterError
    ├── StoreMismatch        a witness store holds something else than its checksums or this job say
    ├── CheckpointMismatch   a checkpoint belongs to another job, witness or key
    ├── JobInUse             another process works on this job
    ├── NoWorkerLeft         every worker died or was dropped, the replacements too
    └── InconsistentRound    sums of a round contradict the round before it; the audit tells why

A worker that dies, is slow or is wrong is no error: it is replaced, and an event tells of it.
"""

from prover.errors import ProverError


class ClusterError(ProverError):
    """A place, what was expected there and what was found."""


class StoreMismatch(ClusterError):
    pass


class CheckpointMismatch(ClusterError):
    pass


class JobInUse(ClusterError):
    pass


class NoWorkerLeft(ClusterError):
    pass


class InconsistentRound(ClusterError):
    pass
