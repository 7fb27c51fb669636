"""What the venue needs of an L1 chain: signed transactions, calls, logs and the clock.

`EmbeddedL1` (in process) and `RpcL1` (any node) both implement `L1`; everything above this
port, in `deploy.py` and `contracts.py`, is shared and therefore charges the same gas on both.
An address is a lower-case "0x" string of 40 digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

TRANSACTION_GAS_CAP = 2**24
"""Largest gas limit of one transaction. Source: EIP-7825."""

EMBEDDED_CHAIN_ID = 31337
LOCAL_CHAIN_IDS = frozenset({1337, 31337})
"""Chains where a development key may guard funds; Settlement.sol holds the same two."""

ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Signer:
    """An L1 account together with its secp256k1 secret."""

    address: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Log:
    """One event: the emitting contract, its topics (first: event hash) and its data."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction that was mined and succeeded."""

    transaction_hash: str
    block_number: int
    gas_used: int
    contract: str | None
    logs: tuple[Log, ...]


class L1(Protocol):
    """A chain, seen through the nine operations that the venue uses."""

    @property
    def chain_id(self) -> int:
        """EIP-155 id of the chain."""
        ...

    def time_s(self) -> int:
        """Timestamp of the latest block in seconds."""
        ...

    def set_time_s(self, time_s: int) -> None:
        """Let the next block carry this timestamp (local chains only).

        Raises: L1Error where the chain refuses to have its clock set.
        """
        ...

    def nonce(self, address: str) -> int:
        """Number of transactions that the address has sent."""
        ...

    def code(self, address: str) -> bytes:
        """Runtime code at the address, empty for none."""
        ...

    def call(self, to: str, data: bytes, sender: str = ZERO_ADDRESS) -> bytes:
        """Run a read-only call on the latest state and return its output.

        Raises: L1Reverted with the raw revert data.
        """
        ...

    def send(
        self, signer: Signer, to: str | None, data: bytes, gas_limit: int | None = None
    ) -> Receipt:
        """Sign, send and mine one transaction; `to=None` creates a contract.

        Nothing is sent when a dry run reverts. Without `gas_limit` the adapter chooses one.
        Raises: L1Reverted with the raw revert data; GasLimitAboveCap; L1Error.
        """
        ...

    def logs(self, address: str, first_block: int = 0) -> tuple[Log, ...]:
        """Every event of one contract from a block onward, oldest first."""
        ...

    def close(self) -> None:
        """Release what the adapter holds open."""
        ...


def address_word(address: str) -> int:
    """The address as the 160-bit integer that statement and queue words carry."""
    return int(address, 16)


def address_text(word: int) -> str:
    """The address string of a 160-bit integer."""
    return f"0x{word:040x}"
