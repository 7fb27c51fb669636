"""The witness file: statement and tables in checksummed sections, refused when anything is off.

Layout, all numbers big-endian: magic (8 bytes), version (4), then sections, each of a name (1 byte
of length, ASCII), a payload (8 bytes of length) and a 32-byte BLAKE2b of both. The sections are
`header` (JSON: shape, circuit digest, rows per chip), `statement` (its file format) and one per
chip, whose payload is its columns one after the other, cells little-endian.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np

from circuits.air.chip import CompiledChip, System
from circuits.air.columns import FULL_BITS
from circuits.chips.system import SHAPES, margin_system
from circuits.cli_support import atomic_write
from circuits.errors import StatementError, WitnessError
from circuits.json_guard import parse_json
from circuits.statement import Statement, from_json, to_json
from circuits.witness.table import DTYPES, FIELD_LIMBS, Table, cell_bytes, first_uncanonical

MAGIC = b"PPWITNES"
VERSION = 1
DIGEST_BYTES = 32
NUMBER_BYTES = 8


@dataclass(frozen=True)
class Witness:
    """The statement of a batch with one table per chip, in the order of the chips."""

    statement: Statement
    shape_name: str
    tables: tuple[Table, ...]

    @cached_property
    def heights(self) -> dict[str, int]:
        """Active rows by chip name."""
        return {table.name: table.height for table in self.tables}

    def table(self, name: str) -> Table:
        """The table of a chip."""
        return next(table for table in self.tables if table.name == name)

    def save(self, path: str | Path) -> None:
        """Write the file; it appears whole or not at all.

        Raises: OSError naming the path.
        """
        with atomic_write(path) as stream:
            stream.write(MAGIC + VERSION.to_bytes(4, "big"))
            for name, payload in self._sections():
                stream.write(_frame(name, payload))

    def _sections(self) -> Iterator[tuple[str, bytes]]:
        header = {
            "shape": self.shape_name,
            "circuit": circuit_digest(margin_system()).hex(),
            "rows": [[table.name, table.height] for table in self.tables],
        }
        yield "header", json.dumps(header).encode("ascii")
        yield "statement", to_json(self.statement).encode("ascii")
        for table in self.tables:
            yield table.name, b"".join(column.tobytes() for column in table.columns)

    @staticmethod
    def load(path: str | Path, system: System) -> Witness:
        """Read a file that `save` wrote for the same chips.

        Raises: WitnessError naming the section that is damaged or does not belong; OSError.
        """
        return _Reader(str(path), Path(path).read_bytes(), system).read()


def circuit_digest(system: System) -> bytes:
    """What a witness was made for: every chip's name, columns and tape."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for chip in system.chips:
        digest.update(f"{chip.name} {chip.columns}".encode())
        digest.update(chip.tape.to_bytes())
    return digest.digest()


def _checksum(name: str, payload: bytes) -> bytes:
    return blake2b(name.encode("ascii") + b"\0" + payload, digest_size=DIGEST_BYTES).digest()


def _frame(name: str, payload: bytes) -> bytes:
    encoded = name.encode("ascii")
    return b"".join(
        (
            bytes([len(encoded)]),
            encoded,
            len(payload).to_bytes(NUMBER_BYTES, "big"),
            payload,
            _checksum(name, payload),
        )
    )


class _Reader:
    """One pass over the bytes of a file; every complaint names the section."""

    def __init__(self, path: str, data: bytes, system: System) -> None:
        self.path = path
        self.data = data
        self.system = system
        self.position = 0

    def error(self, place: str, expected: object, got: object) -> WitnessError:
        return WitnessError(self.path, place, expected, got)

    def take(self, count: int, place: str) -> bytes:
        taken = self.data[self.position : self.position + count]
        if len(taken) < count:
            raise self.error(
                f"{place} at byte {self.position}", f"{count} more bytes", f"{len(taken)}"
            )
        self.position += count
        return taken

    def section(self, name: str) -> bytes:
        place = f"section {name}"
        start = self.position
        encoded = self.take(self.take(1, place)[0], place)
        if encoded != name.encode("ascii"):
            raise self.error(f"byte {start}", place, f"section {encoded!r}")
        length = int.from_bytes(self.take(NUMBER_BYTES, place), "big")
        payload = self.take(length, place)
        checksum = self.take(DIGEST_BYTES, place)
        expected = _checksum(name, payload)
        if checksum != expected:
            raise self.error(f"{place} checksum", expected.hex(), checksum.hex())
        return payload

    def read(self) -> Witness:
        magic = self.take(len(MAGIC), "start of file")
        if magic != MAGIC:
            raise self.error("byte 0", f"a witness file ({MAGIC!r})", repr(magic))
        version = int.from_bytes(self.take(4, "version"), "big")
        if version != VERSION:
            raise self.error("version", VERSION, version)
        shape_name, heights = self.header()
        try:
            statement = from_json(self.section("statement").decode("ascii", "replace"))
        except StatementError as error:
            raise self.error(
                f"section statement: {error.place}", error.expected, error.got
            ) from None
        tables = tuple(
            self.table(chip, height)
            for chip, height in zip(self.system.chips, heights, strict=True)
        )
        if self.position != len(self.data):
            raise self.error(
                f"byte {self.position}", "the end of the file", f"{len(self.data)} bytes in all"
            )
        return Witness(statement, shape_name, tables)

    def header(self) -> tuple[str, list[int]]:
        """Shape and heights.

        Raises: WitnessError when they do not belong to the chips at hand.
        """
        place = "section header"
        try:
            header = parse_json(self.section("header").decode("ascii"))
            shape_name, circuit, rows = header["shape"], header["circuit"], header["rows"]
            heights = {str(name): int(height) for name, height in rows}
        except (ValueError, KeyError, TypeError) as error:
            raise self.error(place, "shape, circuit and rows in JSON", repr(error)) from None
        expected = circuit_digest(self.system).hex()
        if circuit != expected:
            raise self.error(f"{place}: circuit", expected, circuit)
        shape = SHAPES.get(shape_name) if isinstance(shape_name, str) else None
        if shape is None:
            raise self.error(f"{place}: shape", " or ".join(SHAPES), shape_name)
        names = [chip.name for chip in self.system.chips]
        if [name for name, _ in rows] != names:
            raise self.error(f"{place}: rows", names, [name for name, _ in rows])
        for name, height in heights.items():
            capacity = 1 << shape.log_height(name)
            if not 0 <= height <= capacity:
                raise self.error(
                    f"{place}: rows of chip {name}",
                    f"0..{capacity} in shape {shape.name}",
                    height,
                )
        return shape.name, [heights[name] for name in names]

    def table(self, chip: CompiledChip, height: int) -> Table:
        payload = self.section(chip.name)
        widths = [cell_bytes(physical) for physical in chip.columns]
        if len(payload) != sum(widths) * height:
            raise self.error(
                f"section {chip.name}", f"{sum(widths) * height} bytes", f"{len(payload)}"
            )
        columns = []
        offset = 0
        for physical, width in zip(chip.columns, widths, strict=True):
            cells = np.frombuffer(
                payload,
                DTYPES[physical.bits],
                height * width // _item_bytes(physical.bits),
                offset,
            )
            if physical.bits == FULL_BITS:
                cells = cells.reshape(height, FIELD_LIMBS)
                if (row := first_uncanonical(cells)) is not None:
                    raise self.error(
                        f"section {chip.name}: column {physical.name}: row {row}",
                        "a field element below r",
                        "a larger number",
                    )
            columns.append(cells)
            offset += width * height
        return Table(chip.name, height, tuple(columns))


def _item_bytes(bits: int) -> int:
    return np.dtype(DTYPES[bits]).itemsize
