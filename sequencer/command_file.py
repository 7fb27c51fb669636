"""Command files: a header line that names the exchange, then one command per line.

The header is {"plasmaperps":"commands","version":1,"domain":D,"chain_id":C,"settlement":S} with
D and C as decimal strings and S as an address. Times are relative, so that a file can be run on
any day: `after_ms` is the time since the line before, and the caller gives the base.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Queued
from circuits.exchange.errors import CodecError
from circuits.exchange.fields import kind_of
from circuits.exchange.json_form import (
    TimedBody,
    decode_line,
    decode_number,
    encode_number,
    parse_object,
    require_names,
    shown,
)
from circuits.exchange.layout import FieldSpec
from circuits.exchange.limits import CHAIN_ID_BITS, CHAIN_ID_MAX, OWNER_BITS, OWNER_MAX, TIME_MAX_MS
from circuits.statement import domain as statement_domain
from sequencer.errors import CommandFileError

FORMAT = "commands"
VERSION = 1

DOMAIN_BITS = CHAIN_ID_BITS + OWNER_BITS
HEADER_FIELDS = (
    FieldSpec("domain", DOMAIN_BITS, 0, 2**DOMAIN_BITS - 1),
    FieldSpec("chain_id", CHAIN_ID_BITS, 0, CHAIN_ID_MAX),
    FieldSpec("settlement", OWNER_BITS, 0, OWNER_MAX),
)
FIRST_COMMAND_LINE = 2


@dataclass(frozen=True, slots=True)
class Header:
    """The chain and the settlement contract that the signatures of a file are for."""

    chain_id: int
    settlement: int

    @property
    def domain(self) -> int:
        """The word that every signature of the file binds."""
        return statement_domain(self.chain_id, self.settlement)

    def encode(self) -> str:
        """The header line, without the line end."""
        record: dict[str, int | str] = {"plasmaperps": FORMAT, "version": VERSION}
        record |= {
            spec.name: encode_number(spec, getattr(self, spec.name)) for spec in HEADER_FIELDS
        }
        return json.dumps(record, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class CommandFile:
    """A whole file, every line checked."""

    path: Path
    header: Header
    lines: tuple[TimedBody, ...]

    def commands(self, base_time_ms: int) -> Iterator[Command]:
        """The commands with their times, the first `after_ms` counted from the base.

        Raises: CommandFileError at the first line whose time does not fit 48 bits.
        """
        time_ms = base_time_ms
        for number, timed in enumerate(self.lines, FIRST_COMMAND_LINE):
            time_ms += timed.after_ms
            if not 0 <= time_ms <= TIME_MAX_MS:
                raise CommandFileError(
                    self.path, number, "time", f"0..{TIME_MAX_MS} ms", f"{time_ms} ms"
                )
            yield Command(time_ms, timed.body)

    @property
    def requests(self) -> tuple[Queued, ...]:
        """The L1 requests of the file, in queue order."""
        bodies = (timed.body for timed in self.lines)
        return tuple(cast(Queued, body) for body in bodies if kind_of(body).is_queued)


def load_command_file(path: str | Path) -> CommandFile:
    """Read and check a whole command file before any of it is used.

    Raises: CommandFileError naming the first line that is not as it must be; OSError.
    """
    path = Path(path)
    lines = path.read_bytes().split(b"\n")
    if lines[-1]:
        raise CommandFileError(
            path, len(lines), "end of file", "a line end after the last line", "none"
        )
    lines.pop()
    if not lines:
        raise CommandFileError(path, 1, "header", "a JSON object", "an empty file")
    header = _decode_header(path, lines[0])
    timed = []
    for number, line in enumerate(lines[1:], FIRST_COMMAND_LINE):
        try:
            timed.append(decode_line(_text(path, number, line)))
        except CodecError as error:
            raise _at(path, number, error) from None
    return CommandFile(path, header, tuple(timed))


def _decode_header(path: Path, line: bytes) -> Header:
    try:
        record = parse_object(_text(path, 1, line))
        require_names(record, ["plasmaperps", "version", *(f.name for f in HEADER_FIELDS)], "")
        if record["plasmaperps"] != FORMAT:
            raise CodecError("field 'plasmaperps'", f'"{FORMAT}"', shown(record["plasmaperps"]))
        if type(record["version"]) is not int or record["version"] != VERSION:
            raise CodecError("field 'version'", VERSION, shown(record["version"]))
        values = {
            spec.name: decode_number(spec, record[spec.name], spec.name) for spec in HEADER_FIELDS
        }
    except CodecError as error:
        raise _at(path, 1, error) from None
    header = Header(values["chain_id"], values["settlement"])
    if values["domain"] != header.domain:
        raise CommandFileError(
            path, 1, "field 'domain'", f"{header.domain} of chain and settlement", values["domain"]
        )
    return header


def _text(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CommandFileError(
            path, number, f"byte {error.start}", "UTF-8", f"0x{line[error.start]:02x}"
        ) from None


def _at(path: Path, number: int, error: CodecError) -> CommandFileError:
    return CommandFileError(path, number, error.place, error.expected, error.got)
