"""Why an operation on a job store is not done.

ProverError
├── StoreError           an operation on a job store that was not carried out
│   ├── StoreUnavailable     away, locked, read-only or full: worth trying again
│   ├── NotAStore            no job store
│   │   └── OtherVersion         one that another version of this tool has made
│   ├── BatchConflict        another witness is in the store for the same batch
│   ├── JobNotFound          no job with this number
│   ├── NodeNotFound         no node with this name
│   ├── WrongState           the job's state does not allow it
│   ├── StaleLease           the token is not of the job's latest lease, or that has ended
│   ├── FileDamaged          a file of the store is missing or not what the store recorded
│   └── StoreDraining        the store asks every node to stop
└── PortTaken            metrics cannot be offered on the port
"""

from prover.errors import ProverError


class StoreError(ProverError):
    """An operation on a job store that was not carried out."""


class StoreUnavailable(StoreError):
    """The store is away, locked, read-only or full; the same operation may succeed later."""


class NotAStore(StoreError):
    pass


class OtherVersion(NotAStore):
    pass


class BatchConflict(StoreError):
    pass


class JobNotFound(StoreError):
    pass


class NodeNotFound(StoreError):
    pass


class WrongState(StoreError):
    pass


class StaleLease(StoreError):
    pass


class FileDamaged(StoreError):
    pass


class StoreDraining(StoreError):
    pass


class PortTaken(ProverError):
    pass
