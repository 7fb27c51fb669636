"""The witness on disk, where every worker reads the rows that it owns.

A folder with two files: `columns`, the main columns of all chips one after the other, each from a
multiple of ALIGNMENT on, and `manifest.json`, which is written last: heights, column types and
checksums. A chip's checksum is the SHA-256 of those of its shards, so that a worker checks what it
reads and reads no more than it owns. The digest of the store covers the checksums of all chips.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from circuits.cli_support import atomic_write
from prover.backend import Table, Tables
from prover.cluster.errors import StoreMismatch
from prover.cluster.folder import naming
from prover.cluster.shards import ShardPlan, Span
from verifier.key import VerifyingKey

MANIFEST = "manifest.json"
COLUMNS = "columns"
VERSION = 1
ALIGNMENT = 64
# The type of a full-width cell in the manifest; others are named as numpy does.
FIELD = "field"


@dataclass(frozen=True, slots=True)
class StoredChip:
    """One chip's entry of the manifest."""

    name: str
    height: int
    types: tuple[str, ...]
    shards: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The chip's checksum."""
        return hashlib.sha256("".join(self.shards).encode()).hexdigest()

    @property
    def sizes(self) -> list[int]:
        """Bytes of every column with what is left free behind it."""
        return [-(-self.height * _cell_bytes(kind) // ALIGNMENT) * ALIGNMENT for kind in self.types]


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
        self._path = folder / COLUMNS
        self._plan = plan
        self._chips = tuple(chips)
        ends = list(accumulate(sum(chip.sizes) for chip in self._chips))
        self._starts = [0, *ends[:-1]]
        self._size = ends[-1]
        self._bytes: np.ndarray | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over names, types and checksums of all chips: which witness this is."""
        chips = [[chip.name, chip.height, chip.types, chip.sha256] for chip in self._chips]
        return hashlib.sha256(json.dumps(chips).encode()).hexdigest()

    @staticmethod
    def persist(folder: Path, key: VerifyingKey, plan: ShardPlan, tables: Tables) -> WitnessStore:
        """Write the tables, unless the folder holds just them already.

        Damaged columns of the same witness are written anew.
        Raises: StoreMismatch when the folder holds another witness, or a damaged manifest; OSError.
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
            if not found._is_whole():
                _write_columns(folder / COLUMNS, chips, tables)
            return WitnessStore(folder, plan, chips)
        folder.mkdir(parents=True, exist_ok=True)
        _write_columns(folder / COLUMNS, chips, tables)
        with naming(folder / MANIFEST), atomic_write(folder / MANIFEST, text=True) as stream:
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
        chip, position = self._chips[span.chip], self._starts[span.chip]
        start, stop = self._plan.rows(span)
        columns = []
        for kind, size in zip(chip.types, chip.sizes, strict=True):
            cell = _cell_bytes(kind)
            cells = self._mapped()[position + start * cell : position + stop * cell]
            columns.append(cells.view("<u8").reshape(-1, 4) if kind == FIELD else cells.view(kind))
            position += size
        found = _shard_sums(self._plan, span, columns)
        for shard, (wanted, got) in enumerate(
            zip(chip.shards[span.first : span.stop], found, strict=True), start=span.first
        ):
            if wanted != got:
                place = f"{self._path}: chip {chip.name}, shard {shard}"
                raise StoreMismatch(place, f"checksum {wanted}", got)
        return columns

    def _is_whole(self) -> bool:
        """Whether all columns are there as the manifest has them."""
        try:
            for number in range(len(self._chips)):
                self.columns(self._plan.whole(number))
        except (StoreMismatch, FileNotFoundError):
            return False
        return True

    def _mapped(self) -> np.ndarray:
        """All bytes of the file."""
        if self._bytes is None:
            size = self._path.stat().st_size
            if size != self._size:
                raise StoreMismatch(str(self._path), f"{self._size} bytes", size)
            # Copy-on-write: kernels are compiled for writable arrays, and the file stays as it is.
            self._bytes = np.asarray(np.memmap(self._path, np.uint8, "c"))
        return self._bytes


def _write_columns(path: Path, chips: Sequence[StoredChip], tables: Tables) -> None:
    with naming(path), atomic_write(path) as stream:
        for chip in chips:
            for size, column in zip(chip.sizes, tables[chip.name].columns, strict=True):
                stream.write(np.ascontiguousarray(column))
                stream.write(bytes(size - column.nbytes))


def _describe(plan: ShardPlan, number: int, name: str, table: Table) -> StoredChip:
    types = tuple(FIELD if c.ndim == 2 else c.dtype.str.replace("|", "") for c in table.columns)
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


def _cell_bytes(kind: str) -> int:
    return 32 if kind == FIELD else np.dtype(kind).itemsize


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
