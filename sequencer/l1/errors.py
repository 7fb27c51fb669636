"""Errors of the L1 adapters; each says what was expected and what was got."""

from __future__ import annotations


class L1Error(Exception):
    """The chain could not be used: node away, answer malformed, artifact missing."""


class L1Reverted(L1Error):
    """A call or a dry run reverted; `data` is the raw revert output."""

    def __init__(self, data: bytes, reason: str = "") -> None:
        super().__init__(f"reverted with 0x{data.hex()} {reason}".rstrip())
        self.data = data
        self.reason = reason


class L1Rejected(L1Error):
    """A contract refused with a custom error that its ABI names."""

    def __init__(self, error_name: str, arguments: dict[str, object]) -> None:
        values = ", ".join(f"{name}={value}" for name, value in arguments.items())
        super().__init__(f"{error_name}({values})")
        self.error_name = error_name
        self.arguments = arguments


class GasLimitAboveCap(L1Error):
    """A transaction asks for more gas than EIP-7825 lets one transaction have."""

    def __init__(self, expected: int, got: int) -> None:
        super().__init__(f"gas limit: expected at most {expected}, got {got}")
        self.expected = expected
        self.got = got


class InsecureKeyRefused(L1Error):
    """A development key must not guard funds on a chain that others can reach."""

    def __init__(self, chain_id: int, local_chain_ids: frozenset[int]) -> None:
        local = ", ".join(str(number) for number in sorted(local_chain_ids))
        super().__init__(
            "verifying key is marked insecure (its setup secret is known): "
            f"expected a local chain id ({local}), got chain id {chain_id}"
        )
        self.chain_id = chain_id


class NotLocalChain(L1Error):
    """What only a development node can do was asked of a chain that others can reach."""

    def __init__(self, wanted: str, chain_id: int, local_chain_ids: frozenset[int]) -> None:
        local = ", ".join(str(number) for number in sorted(local_chain_ids))
        super().__init__(f"{wanted}: expected a local chain id ({local}), got chain id {chain_id}")
        self.chain_id = chain_id


class L1Mismatch(L1Error):
    """Something beside the chain, or on it, is not what it should be."""

    def __init__(self, place: str, expected: object, got: object) -> None:
        super().__init__(f"{place}: expected {expected}, got {got}")
        self.place = place
        self.expected = expected
        self.got = got


class InputRefused(L1Mismatch):
    """A file or an argument of the operator is not what the command needs."""


class NotAsDeployed(L1Mismatch):
    """The chain does not hold what a deployment file says."""


class OutOfPlace(L1Mismatch):
    """A batch that the settlement would refuse, found before anything was sent."""
