"""All chips in their fixed order, the shapes they come in, and which shape a batch needs."""

from collections.abc import Mapping
from functools import cache

from circuits.air.chip import Chip, System, compile_system
from circuits.air.describe import fingerprint_chip
from circuits.air.shape import Shape
from circuits.chips.batch import BatchChip
from circuits.chips.bits import WideChip
from circuits.chips.command import CommandChip
from circuits.chips.deposit import DepositChip
from circuits.chips.leaf import LeafChip
from circuits.chips.poseidon2 import Poseidon2Chip
from circuits.chips.pubdata import PubdataChip
from circuits.chips.queue import QueueChip
from circuits.chips.range16 import Range16Chip
from circuits.chips.register import RegisterChip
from circuits.chips.signature import (
    BaseTableChip,
    SignatureChip,
    SignatureTableChip,
    SignatureWindowsChip,
)
from circuits.chips.transfer import TransferChip
from circuits.chips.tree import TreeChip
from circuits.chips.withdraw import WithdrawChip
from circuits.field import R
from circuits.statement import PUBLIC_WORDS

CHIPS: tuple[Chip, ...] = (
    Range16Chip(),
    WideChip(),
    Poseidon2Chip(),
    SignatureWindowsChip(),
    SignatureTableChip(),
    BaseTableChip(),
    SignatureChip(),
    TreeChip(),
    LeafChip(),
    CommandChip(),
    TransferChip(),
    WithdrawChip(),
    QueueChip(),
    DepositChip(),
    RegisterChip(),
    PubdataChip(),
    BatchChip(),
)
"""The order is part of the verifying key: tables, hashing and signatures, state, commands."""


@cache
def margin_system() -> System:
    """The statement of a margin batch, compiled once."""
    return compile_system(CHIPS, PUBLIC_WORDS, PubdataChip.name, (BatchChip.name,), R)


def fingerprints(system: System) -> dict[str, str]:
    """One hexadecimal field element per chip that changes with any of its constraints."""
    return {chip.name: hex(fingerprint_chip(chip, system.modulus)) for chip in system.chips}


def _shape(name: str, log_chunk: int, log_heights: Mapping[str, int]) -> Shape:
    return Shape(name, tuple((chip.name, log_heights[chip.name]) for chip in CHIPS), log_chunk)


SHAPE_S = _shape(
    "S",
    18,
    {
        "range16": 16,
        "wide": 12,
        "poseidon2": 12,
        "signature_windows": 12,
        "signature_table": 11,
        "base_table": 8,
        "signature": 9,
        "tree": 11,
        "leaf": 9,
        "command": 9,
        "transfer": 9,
        "withdraw": 9,
        "queue": 8,
        "deposit": 8,
        "register": 8,
        "pubdata": 12,
        "batch": 0,
    },
)
"""Up to 512 signed commands and 256 L1 entries over about 200 accounts; tests and the demo."""

SHAPE_M = _shape(
    "M",
    20,
    {
        "range16": 16,
        "wide": 15,
        "poseidon2": 15,
        "signature_windows": 15,
        "signature_table": 14,
        "base_table": 8,
        "signature": 12,
        "tree": 13,
        "leaf": 12,
        "command": 12,
        "transfer": 12,
        "withdraw": 12,
        "queue": 11,
        "deposit": 11,
        "register": 11,
        "pubdata": 15,
        "batch": 0,
    },
)
"""Up to 4,096 signed commands and 2,048 L1 entries over about 1,900 accounts."""

SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in (SHAPE_S, SHAPE_M)}
"""By name, from the smallest to the largest."""


def fits(rows: Mapping[str, int], shape: Shape) -> bool:
    """Whether every table of these row counts has room in the shape."""
    return all(count <= 1 << shape.log_height(name) for name, count in rows.items())


def choose_shape(rows: Mapping[str, int]) -> Shape | None:
    """The smallest shape with room for these row counts by chip name; None if there is none."""
    return next((shape for shape in SHAPES.values() if fits(rows, shape)), None)
