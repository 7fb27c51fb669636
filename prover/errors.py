"""Why a proof cannot be made.

    ProverError
    ├── WitnessMismatch     a table does not fit the key: missing, too high, wrong type or length
    ├── SystemMismatch      the chips are not those that the verifying key was made from
    ├── SetupMismatch       the reference string is not the one that the key was made with
    ├── SetupTooShort       the reference string has fewer powers than a chunk has cells
    ├── RuleBroken          the witness does not satisfy the statement: no proof of it is accepted
    ├── ProofRefused        a proof was not accepted although its witness breaks no rule
    ├── FalseStatementAccepted  a proof was accepted for another statement than its own
    ├── NotEnoughMemory     what is to be done does not fit into this machine now
    └── StoreError, ...     what a job store refuses: see `prover.node.errors`

A witness that fits the key but does not satisfy the constraints is not refused by `prover.prove`:
its proof is made and fails verification, which is how a caller must tell (`prover.proving` does).
"""


class ProverError(Exception):
    """A place, what was expected there and what was found."""

    def __init__(self, place: str, expected: object, got: object) -> None:
        super().__init__(f"{place}: expected {expected}, got {got}")
        self.place = place
        self.expected = expected
        self.got = got


class WitnessMismatch(ProverError):
    pass


class SystemMismatch(ProverError):
    pass


class SetupMismatch(ProverError):
    pass


class SetupTooShort(ProverError):
    pass


class RuleBroken(ProverError):
    pass


class ProofRefused(ProverError):
    pass


class FalseStatementAccepted(ProverError):
    pass


class NotEnoughMemory(ProverError):
    pass
