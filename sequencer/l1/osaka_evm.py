"""A py-evm virtual machine that charges and answers what the verifier needs as Osaka does.

py-evm ends at Prague. Of Osaka's changes the contracts meet two: the price of MODEXP (EIP-7883)
and the cap on one transaction's gas (EIP-7825, kept by `embedded.py`). The BN254 precompiles are
answered by pyrevm, thirty times faster than the pairing in Python, at the prices of EIP-1108.
Source: EIP-196, EIP-197, EIP-1108, EIP-7823, EIP-7883.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pyrevm
from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth.precompiles.modexp import extract_lengths, modexp
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState

ECADD = 6
ECMUL = 7
ECPAIRING = 8
MODEXP = 5

ECADD_GAS = 150
ECMUL_GAS = 6_000
PAIRING_BASE_GAS = 45_000
PAIRING_PAIR_GAS = 34_000
PAIRING_PAIR_BYTES = 192

MODEXP_MINIMUM_GAS = 500
MODEXP_LENGTH_LIMIT = 1024

Precompile = Callable[[ComputationAPI], ComputationAPI]

_CALLER = "0x" + "11" * 20
_CALL_GAS = 2**40


def precompile_address(number: int) -> bytes:
    """The 20-byte address of a precompile."""
    return number.to_bytes(20, "big")


def bn254_output(number: int, data: bytes) -> bytes:
    """Output of precompile 6, 7 or 8 for any input.

    Raises: VMError where the precompile fails.
    """
    machine = pyrevm.EVM(gas_limit=_CALL_GAS)
    address = "0x" + precompile_address(number).hex()
    try:
        output = machine.message_call(_CALLER, address, calldata=data, is_static=True)
    except RuntimeError as error:
        raise VMError(f"precompile {number} refused its input") from error
    return bytes(output)


def modexp_gas(data: bytes) -> int:
    """Gas of MODEXP after EIP-7883.

    Raises: VMError where a length passes the limit of EIP-7823.
    """
    base_length, exponent_length, modulus_length = extract_lengths(data)
    if max(base_length, exponent_length, modulus_length) > MODEXP_LENGTH_LIMIT:
        raise VMError(f"MODEXP lengths: expected at most {MODEXP_LENGTH_LIMIT} bytes each")
    longest = max(base_length, modulus_length)
    words = (longest + 7) // 8
    complexity = 16 if longest <= 32 else 2 * words * words
    head_length = min(exponent_length, 32)
    head = data[96 + base_length : 96 + base_length + head_length].ljust(head_length, b"\0")
    head_bits = int.from_bytes(head, "big").bit_length()
    iterations = max(16 * max(exponent_length - 32, 0) + max(head_bits - 1, 0), 1)
    return max(MODEXP_MINIMUM_GAS, complexity * iterations)


def _bn254(number: int, gas: Callable[[int], int]) -> Precompile:
    def run(computation: ComputationAPI) -> ComputationAPI:
        data = computation.msg.data_as_bytes
        if number == ECPAIRING and len(data) % PAIRING_PAIR_BYTES:
            raise VMError("pairing input is not a whole number of pairs")
        computation.consume_gas(gas(len(data)), reason=f"precompile {number}")
        computation.output = bn254_output(number, data)
        return computation

    return run


def _pairing_gas(length: int) -> int:
    return PAIRING_BASE_GAS + PAIRING_PAIR_GAS * (length // PAIRING_PAIR_BYTES)


class OsakaPricedComputation(PragueComputation):
    """Prague's opcodes with four precompiles replaced."""

    _precompiles: ClassVar = {
        **PragueComputation.get_precompiles(),
        precompile_address(MODEXP): modexp(gas_calculator=modexp_gas),
        precompile_address(ECADD): _bn254(ECADD, lambda _: ECADD_GAS),
        precompile_address(ECMUL): _bn254(ECMUL, lambda _: ECMUL_GAS),
        precompile_address(ECPAIRING): _bn254(ECPAIRING, _pairing_gas),
    }


class OsakaPricedState(PragueState):
    """State transitions that run `OsakaPricedComputation`."""

    computation_class = OsakaPricedComputation


class OsakaPricedVM(PragueVM):
    """Block rules of Prague over `OsakaPricedState`."""

    _state_class = OsakaPricedState
