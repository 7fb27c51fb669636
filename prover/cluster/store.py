"""The witness on disk, where every worker reads the rows that it owns.

A folder with two files: `columns`, the main columns of all chips one after the other, each from a
multiple of ALIGNMENT on, and `manifest.json`, which is written last: heights, column types and
checksums, its own among them. There is a checksum for every tile: the rows of one shard in those
columns of a chip that lie in the same chunk. Workers commit to chunks and own shards, so they
check what they read and read little else. The digest of the store covers the tiles of all chips.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, groupby, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from circuits.cli_support import atomic_write
from prover.backend import Tables
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
    """One chip's entry of the manifest. `tiles` has a row of shards for every band of columns."""

    name: str
    height: int
    types: tuple[str, ...]
    tiles: tuple[tuple[str, ...], ...]

    @property
    def sha256(self) -> str:
        """The chip's checksum: SHA-256 of those of its tiles."""
        return hashlib.sha256("".join(map("".join, self.tiles)).encode()).hexdigest()

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

    def column(self, chip: int, number: int) -> np.ndarray:
        """The active rows of one main column."""
        return self._tables[chip].columns[number]


class WitnessStore:
    """A folder that holds a witness, as the process that opens it finds it."""

    def __init__(
        self, folder: Path, key: VerifyingKey, plan: ShardPlan, chips: Sequence[StoredChip]
    ) -> None:
        self._path = folder / COLUMNS
        self._plan = plan
        self._chips = tuple(chips)
        self._bands = _bands_of(key)
        self._starts = [[0, *accumulate(chip.sizes)] for chip in self._chips]
        ends = accumulate(starts[-1] for starts in self._starts)
        self._first_bytes = [0, *ends]
        self._bytes: np.ndarray | None = None
        # Tiles that were found right: chip, band and shard.
        self._checked: set[tuple[int, int, int]] = set()

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
        path = folder / MANIFEST
        found = _read_manifest(path) if path.exists() else None
        if found is None:
            folder.mkdir(parents=True, exist_ok=True)
            # The disk and the checksums take as long as each other.
            with ThreadPoolExecutor(1, thread_name_prefix="witness") as writer:
                written = writer.submit(_write_columns, folder / COLUMNS, key, tables)
                chips = _describe(key, plan, tables)
                written.result()
            with atomic_write(path, text=True) as stream:
                entries = [_entry(chip) for chip in chips]
                stream.write(json.dumps({"chips": entries, "sha256": _digest(entries)}))
            return WitnessStore(folder, key, plan, chips)
        chips = _describe(key, plan, tables)
        for wanted, got in zip_longest(chips, found, fillvalue=_NO_CHIP):
            if wanted != got:
                there = f"{got.sha256}; remove {folder.parent} to start over"
                raise StoreMismatch(
                    f"{path}: chip {wanted.name}", f"checksum {wanted.sha256}", there
                )
        if not WitnessStore(folder, key, plan, chips)._is_whole():
            _write_columns(folder / COLUMNS, key, tables)
        return WitnessStore(folder, key, plan, chips)

    @staticmethod
    def open(folder: Path, key: VerifyingKey, plan: ShardPlan) -> WitnessStore:
        """Read the manifest.

        Raises: StoreMismatch when it is damaged or cut otherwise; OSError.
        """
        path = folder / MANIFEST
        chips = _read_manifest(path)
        if chips is None:
            raise StoreMismatch(str(path), "a manifest", "one that is damaged")
        bands = _bands_of(key)
        cut = [
            (chip.height, [chip.count] * len(each))
            for chip, each in zip(plan.chips, bands, strict=True)
        ]
        found = [(chip.height, [len(band) for band in chip.tiles]) for chip in chips]
        if cut != found:
            raise StoreMismatch(f"{path}: rows and tiles", cut, found)
        return WitnessStore(folder, key, plan, chips)

    def columns(self, span: Span) -> list[np.ndarray]:
        """The span's rows of every main column, mapped from the file and checked.

        Raises: StoreMismatch naming the file and the tile that differs from its checksum; OSError.
        """
        columns: list[np.ndarray] = []
        for band in range(len(self._bands[span.chip])):
            columns += self._read(span, band)
        return columns

    def column(self, chip: int, number: int) -> np.ndarray:
        """The active rows of one main column, as `columns` gives them."""
        for band, columns in enumerate(self._bands[chip]):
            if number in columns:
                return self._read(self._plan.whole(chip), band)[number - columns.start]
        raise IndexError(f"chip {chip}: expected a main column, got {number}")

    def _read(self, span: Span, band: int) -> list[np.ndarray]:
        """A span's rows of the columns of one band; tiles are checked when they are first read."""
        chip, number = self._chips[span.chip], span.chip
        start, stop = self._plan.rows(span)
        columns = []
        for column in self._bands[number][band]:
            kind = chip.types[column]
            cell = _cell_bytes(kind)
            position = self._first_bytes[number] + self._starts[number][column]
            cells = self._mapped()[position + start * cell : position + stop * cell]
            columns.append(cells.view("<u8").reshape(-1, 4) if kind == FIELD else cells.view(kind))
        block = 1 << self._plan.chips[number].log_block
        for shard in range(span.first, span.stop):
            if (number, band, shard) in self._checked:
                continue
            first = (shard - span.first) * block
            found = _checksum([column[first : first + block] for column in columns])
            if found != chip.tiles[band][shard]:
                place = f"{self._path}: chip {chip.name}, shard {shard}"
                raise StoreMismatch(place, f"checksum {chip.tiles[band][shard]}", found)
            self._checked.add((number, band, shard))
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
            if size != self._first_bytes[-1]:
                raise StoreMismatch(str(self._path), f"{self._first_bytes[-1]} bytes", size)
            # Copy-on-write: kernels are compiled for writable arrays, and the file stays as it is.
            self._bytes = np.asarray(np.memmap(self._path, np.uint8, "c"))
        return self._bytes


def _bands_of(key: VerifyingKey) -> list[list[range]]:
    """For every chip its main columns, cut where the next one lies in another chunk."""
    bands: list[list[range]] = [[] for _ in key.chips]
    main = [piece for piece in key.layout.pieces if piece.chunk < key.layout.main_chunks]
    for (chip, _), pieces in groupby(main, key=lambda piece: (piece.chip, piece.chunk)):
        columns = [piece.column for piece in pieces]
        bands[chip].append(range(columns[0], columns[-1] + 1))
    return bands


def _write_columns(path: Path, key: VerifyingKey, tables: Tables) -> None:
    with atomic_write(path) as stream:
        for chip in key.chips:
            for column in tables[chip.name].columns:
                stream.write(np.ascontiguousarray(column))
                stream.write(bytes(-column.nbytes % ALIGNMENT))


def _describe(key: VerifyingKey, plan: ShardPlan, tables: Tables) -> list[StoredChip]:
    chips = []
    for number, (chip, bands) in enumerate(zip(key.chips, _bands_of(key), strict=True)):
        table, cut = tables[chip.name], plan.chips[number]
        types = tuple(FIELD if c.ndim == 2 else c.dtype.str.replace("|", "") for c in table.columns)
        block = 1 << cut.log_block
        tiles = tuple(
            tuple(
                _checksum(
                    [table.columns[column][shard * block : (shard + 1) * block] for column in band]
                )
                for shard in range(cut.count)
            )
            for band in bands
        )
        chips.append(StoredChip(chip.name, table.height, types, tiles))
    return chips


def _checksum(columns: Sequence[np.ndarray]) -> str:
    """SHA-256 of a tile: the bytes of its rows, column after column."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _cell_bytes(kind: str) -> int:
    return 32 if kind == FIELD else np.dtype(kind).itemsize


def _entry(chip: StoredChip) -> dict[str, Any]:
    return {
        "name": chip.name,
        "height": chip.height,
        "types": list(chip.types),
        "tiles": [list(band) for band in chip.tiles],
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
            StoredChip(
                each["name"], each["height"], tuple(each["types"]), tuple(map(tuple, each["tiles"]))
            )
            for each in document["chips"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
