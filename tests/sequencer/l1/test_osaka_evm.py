"""The replaced precompiles: equal to py-evm's own in Python, and priced as on mainnet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PragueComputation
from py_ecc import optimized_bn128 as bn128

from circuits.field import Q, R
from sequencer.l1.osaka_evm import (
    ECADD,
    ECMUL,
    ECPAIRING,
    MODEXP,
    OsakaPricedComputation,
    modexp_gas,
    precompile_address,
)

PRECOMPILES_OURS: Mapping[bytes, Any] = OsakaPricedComputation.get_precompiles()
PRECOMPILES_THEIRS: Mapping[bytes, Any] = PragueComputation.get_precompiles()


class Message:
    """The part of a call that a precompile reads."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.data_as_bytes = data


class Run:
    """One precompile call: its gas, and its output or None where it failed."""

    def __init__(self, precompiles: Mapping[bytes, Any], number: int, data: bytes) -> None:
        self.msg = Message(data)
        self.gas = 0
        self.output: bytes | None = b""
        try:
            precompiles[precompile_address(number)](self)
        except VMError:
            self.output = None

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas += amount


def coded(*words: int) -> bytes:
    return b"".join(word.to_bytes(32, "big") for word in words)


def coded_g2(point: Any) -> bytes:
    x, y = bn128.normalize(point)
    return coded(*(int(x.coeffs[i]) for i in (1, 0)), *(int(y.coeffs[i]) for i in (1, 0)))


G1 = (1, 2)
MINUS_G1 = (1, Q - 2)
G2 = coded_g2(bn128.G2)
G2_OFF_CURVE = G2[:-1] + bytes([G2[-1] ^ 1])
# On the curve over Fq2 but outside the subgroup of order r would need a search; off the curve is
# what EIP-197 also refuses, by the same check.
INPUTS = {
    "add nothing": (ECADD, b""),
    "add short": (ECADD, coded(*G1)),
    "add short in a word": (ECADD, coded(*G1)[:63] + b"\x02" + coded(1)[:31]),
    "add infinity": (ECADD, coded(0, 0, *G1)),
    "double": (ECADD, coded(*G1, *G1)),
    "add off curve": (ECADD, coded(1, 3, *G1)),
    "add coordinate at modulus": (ECADD, coded(Q, 0, *G1)),
    "multiply": (ECMUL, coded(*G1, 5)),
    "multiply largest scalar": (ECMUL, coded(*G1, 2**256 - 1)),
    "multiply by order": (ECMUL, coded(*G1, R)),
    "multiply off curve": (ECMUL, coded(2, 2, 5)),
    "pair nothing": (ECPAIRING, b""),
    "pair cancels": (ECPAIRING, coded(*G1) + G2 + coded(*MINUS_G1) + G2),
    "pair does not cancel": (ECPAIRING, coded(*G1) + G2),
    "pair infinity": (ECPAIRING, coded(0, 0) + G2),
    "pair length": (ECPAIRING, (coded(*G1) + G2)[:-1]),
    "pair bad twist point": (ECPAIRING, coded(*G1) + G2_OFF_CURVE),
}


@pytest.mark.parametrize("name", INPUTS)
def test_the_native_precompiles_answer_as_the_python_ones(name: str) -> None:
    number, data = INPUTS[name]
    ours = Run(PRECOMPILES_OURS, number, data)
    theirs = Run(PRECOMPILES_THEIRS, number, data)
    assert (ours.output, ours.gas) == (theirs.output, theirs.gas)


def test_known_answers_and_prices() -> None:
    expected = {
        "add nothing": (coded(0, 0), 150),
        "add infinity": (coded(*G1), 150),
        "add off curve": (None, 150),
        "multiply by order": (coded(0, 0), 6_000),
        "pair nothing": (coded(1), 45_000),
        "pair cancels": (coded(1), 113_000),
        "pair does not cancel": (coded(0), 79_000),
        "pair length": (None, 0),
    }
    for name, (output, gas) in expected.items():
        run = Run(PRECOMPILES_OURS, *INPUTS[name])
        assert (run.output, run.gas) == (output, gas), name


@pytest.mark.parametrize(
    ("length", "exponent", "gas"),
    [
        (64, 2, 500),
        (64, 0x10001, 2_048),
        (128, 2, 512),
        (128, 0x10001, 8_192),
        (256, 3, 2_048),
        (512, 0x10001, 131_072),
        (1024, 2, 32_768),
        (1024, 0x10001, 524_288),
    ],
)
def test_modexp_gas_as_in_the_proposal(length: int, exponent: int, gas: int) -> None:
    """Source: the nagydani cases of EIP-7883."""
    exponent_length = (exponent.bit_length() + 7) // 8
    data = coded(length, exponent_length, length)
    data += bytes(length) + exponent.to_bytes(exponent_length, "big") + bytes(length)
    assert modexp_gas(data) == gas


def test_an_inversion_costs_4048_gas_and_is_right() -> None:
    data = coded(32, 32, 32, 5, R - 2, R)
    run = Run(PRECOMPILES_OURS, MODEXP, data)
    assert run.gas == 4_048
    assert run.output == coded(pow(5, -1, R))


@pytest.mark.parametrize(
    ("exponent", "iterations"),
    [(bytes(40), 16 * 8), (b"\x01" + bytes(39), 16 * 8 + 248), (b"", 1), (b"\x00", 1)],
)
def test_long_and_empty_exponents(exponent: bytes, iterations: int) -> None:
    data = coded(32, len(exponent), 32, 1) + exponent + coded(7)
    assert modexp_gas(data) == max(500, 16 * iterations)


@pytest.mark.parametrize("place", range(3))
def test_lengths_above_the_limit_fail(place: int) -> None:
    lengths = [1025 if index == place else 1 for index in range(3)]
    assert Run(PRECOMPILES_OURS, MODEXP, coded(*lengths)).output is None
