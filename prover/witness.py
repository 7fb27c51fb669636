"""Whether tables, system and key belong together, before any work is done."""

from collections.abc import Sequence

import numpy as np

from circuits.air.chip import CompiledChip, System
from circuits.air.columns import Physical
from prover.backend import Table, Tables
from prover.errors import SystemMismatch, WitnessMismatch
from verifier.key import ChipKey, VerifyingKey

_TYPES = {1: np.uint8, 8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


def check_system(key: VerifyingKey, system: System) -> None:
    """Whether a key is for these chips, whatever their heights: those are the shape's.

    Raises: SystemMismatch with the first difference.
    """
    names = [chip.name for chip in system.chips]
    _check_same("chips", [chip.name for chip in key.chips], names)
    _check_same("public words", key.public_names, system.public_names)
    _check_same("chip of published words", names[key.pubdata_chip], system.pubdata_chip)
    single_row_chips = [names[number] for number in key.single_row_chips]
    _check_same("chips of one row", single_row_chips, list(system.single_row_chips))
    for chip, compiled in zip(key.chips, system.chips, strict=True):
        of_chip = f"of chip {chip.name}"
        _check_same(f"main columns {of_chip}", chip.main_columns, len(compiled.columns))
        _check_same(f"helper columns {of_chip}", chip.helper_columns, compiled.helper_count)
        if (chip.tape, chip.zero_values) != (compiled.tape, compiled.zero_values):
            raise SystemMismatch(f"constraints {of_chip}", "those of the key", "others")


def _check_same(place: str, expected: object, got: object) -> None:
    if got != expected:
        raise SystemMismatch(place, expected, got)


def check_tables(
    key: VerifyingKey, system: System, tables: Tables, pubdata: Sequence[int]
) -> list[int]:
    """Heights of all chips in order.

    Raises: SystemMismatch, WitnessMismatch.
    """
    check_system(key, system)
    fixed = dict.fromkeys(key.single_row_chips, 1) | {key.pubdata_chip: len(pubdata)}
    heights = []
    for number, (chip, compiled) in enumerate(zip(key.chips, system.chips, strict=True)):
        if chip.name not in tables:
            raise WitnessMismatch(f"table {chip.name}", "a table", "none")
        table = tables[chip.name]
        _check_table(chip, compiled, table)
        if table.height != fixed.get(number, table.height):
            raise WitnessMismatch(f"height of {chip.name}", fixed[number], table.height)
        heights.append(table.height)
    return heights


def _check_table(chip: ChipKey, compiled: CompiledChip, table: Table) -> None:
    if not 0 <= table.height <= 1 << chip.log_height:
        raise WitnessMismatch(
            f"height of {chip.name}", f"at most {1 << chip.log_height}", table.height
        )
    if len(table.columns) != chip.main_columns:
        raise WitnessMismatch(
            f"table {chip.name}", f"{chip.main_columns} columns", len(table.columns)
        )
    for physical, column in zip(compiled.columns, table.columns, strict=True):
        wanted = _shape(physical, table.height)
        got = f"{column.dtype}{list(column.shape)}"
        if got != wanted:
            raise WitnessMismatch(f"column {chip.name}/{physical.name}", wanted, got)


def _shape(physical: Physical, height: int) -> str:
    if physical.bits in _TYPES:
        return f"{np.dtype(_TYPES[physical.bits])}[{height}]"
    return f"uint64[{height}, 4]"
