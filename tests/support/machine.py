"""A bare EVM without blocks and fees: deploy code, call it, and see output, revert data and gas."""

from __future__ import annotations

import re
from typing import Any

import pyrevm
from eth_abi import encode

from sequencer.l1.abi import Artifact, rejection
from sequencer.l1.errors import L1Rejected, L1Reverted
from sequencer.l1.port import address_text

CALLER = address_text(0x11)
GAS_LIMIT = 2**32
_TRANSACTION_GAS = 21_000
_REVERTED = re.compile(r"output: 0x([0-9a-f]*)")


def calldata_gas(data: bytes) -> int:
    """What a transaction pays for its data. Source: EIP-2028."""
    return sum(16 if byte else 4 for byte in data)


class Machine:
    """An EVM of the Prague rules, whose prices the contracts' opcodes and precompiles share with
    Osaka's, but for MODEXP.
    """

    def __init__(self) -> None:
        self._evm = pyrevm.EVM(gas_limit=GAS_LIMIT, spec_id="PRAGUE")
        self._evm.set_balance(CALLER, 10**30)

    def deploy(self, creation: bytes) -> str:
        """Address of a new contract.

        Raises: L1Rejected for a typed error of the constructor.
        """
        try:
            return str(self._evm.deploy(CALLER, creation))
        except RuntimeError as error:
            raise _refusal(error) from None

    def deploy_artifact(self, artifact: dict[str, Any], *arguments: Any) -> str:
        """The same for compiler output; arguments are lists of addresses."""
        coded = encode(["address[]"] * len(arguments), arguments)
        return self.deploy(bytes.fromhex(artifact["bytecode"][2:]) + coded)

    def call(self, address: str, data: bytes, gas: int | None = None) -> bytes:
        """Output of a call, with so much gas for the execution or with more than enough.

        Raises: L1Rejected for a typed error; L1Reverted for another failure.
        """
        limit = None if gas is None else gas + _TRANSACTION_GAS + calldata_gas(data)
        try:
            return bytes(self._evm.message_call(CALLER, address, calldata=data, gas=limit))
        except RuntimeError as error:
            raise _refusal(error) from None

    def gas_of_last_call(self, data: bytes) -> int:
        """Gas of the execution alone, without what a transaction with this data pays up front."""
        return int(self._evm.result.gas_used) - _TRANSACTION_GAS - calldata_gas(data)

    def ask(self, artifact: Artifact, address: str, function: str, *arguments: object) -> Any:
        """Decoded output of one function."""
        return artifact.output(function, self.call(address, artifact.call(function, *arguments)))


def _refusal(error: RuntimeError) -> L1Rejected | L1Reverted:
    found = _REVERTED.search(str(error))
    return rejection(L1Reverted(bytes.fromhex(found[1] if found else ""), str(error)))
