"""The witness on disk, where every worker reads the rows that it owns.

A folder with one file per chip, its main columns one after the other, each from a multiple of
ALIGNMENT on, and `manifest.json`, which is written last: heights, column types and checksums. A
chip's checksum is the SHA-256 of those of its shards, so that a worker checks what it reads and
reads no more than it owns. The digest of the store covers the checksums of all chips.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from circuits.cli_support import atomic_write
from prover.backend import Table, Tables
from prover.cluster.errors import StoreMismatch
from prover.cluster.shards import ShardPlan, Span
from verifier.key import VerifyingKey

MANIFEST = "manifest.json"
VERSION = 1
ALIGNMENT = 64


@dataclass(frozen=True, slots=True)
class StoredChip:
    """One chip's entry of the manifest. `offsets` are the places of the columns in the file."""

    name: str
    height: int
    types: tuple[str, ...]
    shards: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The chip's checksum."""
        return hashlib.sha256("".join(self.shards).encode()).hexdigest()

    def offsets(self) -> list[int]:
        """First byte of every column in the chip's file."""
        offsets, position = [], 0
        for kind in self.types:
            offsets.append(position)
            position += -(-self.height * _cell_bytes(kind) // ALIGNMENT) * ALIGNMENT
        return offsets


class TableSource:
    """Columns from tables in memory."""

    def __init__(self, key: VerifyingKey, plan: ShardPlan, tables: Tables) -> None:
        self._tables = [tables[chip.name] for chip in key.chips]
        self._plan = plan

    def columns(self, span: Span) -> list[np.ndarray]:
        """The span's rows of every main column."""
        start, stop = self._plan.rows(span)
        return [column[start:stop] for column in self._tables[span.chip].columns]


class WitnessStore:
    """A folder that holds a witness, as the process that opens it finds it."""

    def __init__(self, folder: Path, plan: ShardPlan, chips: Sequence[StoredChip]) -> None:
        self._folder = folder
        self._plan = plan
        self._chips = tuple(chips)

    @property
    def digest(self) -> str:
        """SHA-256 over names, types and checksums of all chips: which witness this is."""
        chips = [[chip.name, chip.height, chip.types, chip.sha256] for chip in self._chips]
        return hashlib.sha256(json.dumps(chips).encode()).hexdigest()

    @staticmethod
    def persist(folder: Path, key: VerifyingKey, plan: ShardPlan, tables: Tables) -> WitnessStore:
        """Write the tables, unless the folder holds just them already.

        Raises: StoreMismatch when it holds another witness, or a damaged one; OSError.
        """
        chips = [
            _describe(plan, number, chip.name, tables[chip.name])
            for number, chip in enumerate(key.chips)
        ]
        if (folder / MANIFEST).exists():
            found = WitnessStore.open(folder, plan)
            for wanted, stored in zip(chips, found._chips, strict=True):
                if wanted != stored:
                    place = f"{folder / MANIFEST}: chip {wanted.name}"
                    raise StoreMismatch(place, f"checksum {wanted.sha256}", stored.sha256)
            for number in range(len(chips)):
                found.columns(plan.whole(number))
            return found
        folder.mkdir(parents=True, exist_ok=True)
        for chip in chips:
            with atomic_write(folder / _file_name(chip.name)) as stream:
                for offset, column in zip(chip.offsets(), tables[chip.name].columns, strict=True):
                    stream.seek(offset)
                    stream.write(np.ascontiguousarray(column))
        with atomic_write(folder / MANIFEST, text=True) as stream:
            stream.write(json.dumps({"version": VERSION, "chips": [_entry(c) for c in chips]}))
        return WitnessStore(folder, plan, chips)

    @staticmethod
    def open(folder: Path, plan: ShardPlan) -> WitnessStore:
        """Read the manifest.

        Raises: StoreMismatch when it is damaged or cut otherwise; OSError.
        """
        path = folder / MANIFEST
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["version"] != VERSION:
                raise StoreMismatch(f"{path}: version", VERSION, document["version"])
            chips = [_chip_from(entry) for entry in document["chips"]]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreMismatch(str(path), "a manifest", repr(error)) from None
        cut = [(chip.height, chip.count) for chip in plan.chips]
        found = [(chip.height, len(chip.shards)) for chip in chips]
        if cut != found:
            raise StoreMismatch(f"{path}: rows and shards", cut, found)
        return WitnessStore(folder, plan, chips)

    def columns(self, span: Span) -> list[np.ndarray]:
        """The span's rows of every main column, mapped from the file and checked.

        Raises: StoreMismatch naming the file and the shard that differs from its checksum; OSError.
        """
        chip = self._chips[span.chip]
        path = self._folder / _file_name(chip.name)
        start, stop = self._plan.rows(span)
        columns = []
        for kind, offset in zip(chip.types, chip.offsets(), strict=True):
            cell = _cell_bytes(kind)
            columns.append(_mapped(path, kind, offset + start * cell, stop - start))
        found = _shard_sums(self._plan, span, columns)
        for shard, (wanted, got) in enumerate(
            zip(chip.shards[span.first : span.stop], found, strict=True), start=span.first
        ):
            if wanted != got:
                raise StoreMismatch(f"{path}: shard {shard}", f"checksum {wanted}", got)
        return columns


def _mapped(path: Path, kind: str, offset: int, rows: int) -> np.ndarray:
    """Rows of one column. Raises: StoreMismatch when the file is too short; OSError."""
    shape = (rows, 4) if kind == "field" else (rows,)
    dtype = np.dtype("<u8" if kind == "field" else kind)
    if not rows:
        return np.zeros(shape, dtype=dtype)
    try:
        # Copy-on-write: kernels are compiled for writable arrays, and the file stays as it is.
        return np.asarray(np.memmap(path, dtype, "c", offset, shape))
    except ValueError:
        needed = offset + rows * _cell_bytes(kind)
        raise StoreMismatch(str(path), f"at least {needed} bytes", path.stat().st_size) from None


def _describe(plan: ShardPlan, number: int, name: str, table: Table) -> StoredChip:
    types = tuple("field" if c.ndim == 2 else c.dtype.str.replace("|", "") for c in table.columns)
    sums = _shard_sums(plan, plan.whole(number), table.columns)
    return StoredChip(name, table.height, types, tuple(sums))


def _shard_sums(plan: ShardPlan, span: Span, columns: Sequence[np.ndarray]) -> list[str]:
    """SHA-256 of every shard: the bytes of its rows, column after column."""
    start, stop = plan.rows(span)
    block = 1 << plan.chips[span.chip].log_block
    sums = []
    for first in range(0, max(stop - start, 1), block):
        digest = hashlib.sha256()
        for column in columns:
            digest.update(np.ascontiguousarray(column[first : first + block]).data)
        sums.append(digest.hexdigest())
    return sums


def _file_name(chip: str) -> str:
    return f"{chip}.columns"


def _cell_bytes(kind: str) -> int:
    return 32 if kind == "field" else np.dtype(kind).itemsize


def _entry(chip: StoredChip) -> dict[str, Any]:
    return {
        "name": chip.name,
        "height": chip.height,
        "types": list(chip.types),
        "sha256": chip.sha256,
        "shards": list(chip.shards),
    }


def _chip_from(entry: dict[str, Any]) -> StoredChip:
    """Raises: ValueError when the entry's checksum is not that of its shards."""
    chip = StoredChip(
        str(entry["name"]),
        int(entry["height"]),
        tuple(str(kind) for kind in entry["types"]),
        tuple(str(shard) for shard in entry["shards"]),
    )
    if chip.sha256 != entry["sha256"]:
        raise ValueError(f"checksum of chip {chip.name}")
    return chip
