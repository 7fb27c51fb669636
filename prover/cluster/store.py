"""The witness on disk, where every worker reads the rows that it owns.

A folder with two files: `columns`, the main columns of all chips one after the other, each from a
multiple of ALIGNMENT on, and `manifest.json`, which is written last: heights, column types and
checksums, its own among them. A chip's checksum is the SHA-256 of those of its shards, so that a
worker checks what it reads and reads no more than it owns. The digest of the store covers the
checksums of all chips.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from circuits.cli_support import atomic_write
from prover.backend import Table, Tables
from prover.cluster.errors import StoreMismatch
from prover.cluster.shards import ShardPlan, Span
from verifier.key import VerifyingKey

MANIFEST = "manifest.json"
COLUMNS = "columns"
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


_NO_CHIP = StoredChip("none", 0, (), ())


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
        return _digest([[chip.name, chip.height, chip.types, chip.sha256] for chip in self._chips])

    @staticmethod
    def persist(folder: Path, key: VerifyingKey, plan: ShardPlan, tables: Tables) -> WitnessStore:
        """Write the tables, unless the folder holds just them already.

        Damaged columns of the same witness are written anew, and all when the manifest is damaged.
        Raises: StoreMismatch when the folder holds another witness; OSError.
        """
        chips = [
            _describe(plan, number, chip.name, tables[chip.name])
            for number, chip in enumerate(key.chips)
        ]
        path = folder / MANIFEST
        found = _read_manifest(path) if path.exists() else None
        if found is not None:
            for wanted, got in zip_longest(chips, found, fillvalue=_NO_CHIP):
                if wanted != got:
                    there = f"{got.sha256}; remove {folder.parent} to start over"
                    raise StoreMismatch(
                        f"{path}: chip {wanted.name}", f"checksum {wanted.sha256}", there
                    )
            store = WitnessStore(folder, plan, chips)
            if not store._is_whole():
                _write_columns(folder / COLUMNS, chips, tables)
            return WitnessStore(folder, plan, chips)
        folder.mkdir(parents=True, exist_ok=True)
        _write_columns(folder / COLUMNS, chips, tables)
        with atomic_write(path, text=True) as stream:
            entries = [_entry(chip) for chip in chips]
            stream.write(json.dumps({"chips": entries, "sha256": _digest(entries)}))
        return WitnessStore(folder, plan, chips)

    @staticmethod
    def open(folder: Path, plan: ShardPlan) -> WitnessStore:
        """Read the manifest.

        Raises: StoreMismatch when it is damaged or cut otherwise; OSError.
        """
        path = folder / MANIFEST
        chips = _read_manifest(path)
        if chips is None:
            raise StoreMismatch(str(path), "a manifest", "one that is damaged")
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
    with atomic_write(path) as stream:
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
        "shards": list(chip.shards),
    }


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


def _read_manifest(path: Path) -> list[StoredChip] | None:
    """The chips of a manifest; None when it is damaged. Raises: OSError."""
    try:
        document = json.loads(path.read_bytes())
        if document["sha256"] != _digest(document["chips"]):
            return None
        return [
            StoredChip(each["name"], each["height"], tuple(each["types"]), tuple(each["shards"]))
            for each in document["chips"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
