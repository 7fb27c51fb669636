"""The bytes of the journal: framed records in segments. docs/journal.md shows them as a table.

A segment is MAGIC, then records. A record is a header with a check of its own, the payload, and a
checksum over both. All numbers are big-endian.

    length (4)  kind (1)  time_ms (6)  sequence (8)  head (32)  header check (4)
    payload (length)
    checksum (16)

The header has its own check so that a damaged length is never mistaken for a record whose rest
was not written yet.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from struct import Struct

from sequencer.errors import JournalDamaged, JournalError

MAGIC = b"PPJRNL\x00\x01"
"""The first bytes of every segment; the last two are the version of the format."""

FIRST_SEQUENCE = 1
PAYLOAD_BYTES_MAX = 2**20
"""Far above any command; a bound lets a writer refuse what a reader would have to hold."""

SECTOR_BYTES = 512
"""A disk writes a sector whole or not at all, at the least."""

TIME_BYTES = 6
_FIELDS = Struct(">IB6sQ32s")
_CHECK = Struct(">I")
HEADER_BYTES = _FIELDS.size + _CHECK.size
CHECKSUM_BYTES = 16
RECORD_BYTES_MIN = HEADER_BYTES + CHECKSUM_BYTES

_SEGMENT_NAME = re.compile(r"journal-(\d{20})\.segment")
_SEGMENT_START = Struct(">28sQ")
_SEAL = Struct(">QQI32s")


class RecordKind(IntEnum):
    """What a record says; only commands extend the chain that the head is the end of."""

    SEGMENT = 1
    COMMAND = 2
    SEAL = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `head` is the journal's chain value after it."""

    kind: RecordKind
    time_ms: int
    sequence: int
    head: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SegmentStart:
    """Payload of the first record of a segment: the exchange, and the epoch of the writer."""

    domain: int
    epoch: int

    def encode(self) -> bytes:
        """The payload bytes."""
        return _SEGMENT_START.pack(self.domain.to_bytes(28, "big"), self.epoch)


@dataclass(frozen=True, slots=True)
class Seal:
    """Payload of a seal: the commands since the last one are a batch that leads to this root."""

    batch_number: int
    sequencer_epoch: int
    command_count: int
    new_root: int

    def encode(self) -> bytes:
        """The payload bytes."""
        root = self.new_root.to_bytes(32, "big")
        return _SEAL.pack(self.batch_number, self.sequencer_epoch, self.command_count, root)


def segment_name(first_sequence: int) -> str:
    """The file of the segment whose first record has this sequence; names sort as they follow."""
    return f"journal-{first_sequence:020d}.segment"


def first_sequence_of(name: str) -> int | None:
    """The sequence in a segment's name, or None for a name that no segment has."""
    found = _SEGMENT_NAME.fullmatch(name)
    return None if found is None else int(found[1])


def encode_record(record: Record) -> bytes:
    """The frame of a record.

    Raises: JournalError for a payload that is too long.
    """
    return frame_record(record.kind, record.time_ms, record.sequence, record.head, record.payload)


def frame_record(kind: RecordKind, time_ms: int, sequence: int, head: int, payload: bytes) -> bytes:
    """`encode_record` without a `Record`, which takes longer to make than the header.

    Raises: JournalError for a payload that is too long.
    """
    require_payload(payload)
    time, chain = time_ms.to_bytes(TIME_BYTES, "big"), head.to_bytes(32, "big")
    fields = _FIELDS.pack(len(payload), kind, time, sequence, chain)
    framed = fields + _CHECK.pack(zlib.crc32(fields)) + payload
    return framed + _checksum(framed)


def require_payload(payload: bytes) -> None:
    """Refuse a payload that no record can hold.

    Raises: JournalError.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise JournalError("payload", f"at most {PAYLOAD_BYTES_MAX} bytes", len(payload))


def parse_record(segment: str, base: int, data: bytes, start: int) -> tuple[Record, int] | None:
    """The record at `start` of `data` and where it ends, or None for a torn one.

    `base` is the offset of `data` in the segment. Torn is a record whose rest is missing: `data`
    ends inside it, or holds nothing but zeros from its start or from a sector inside it on, as a
    file system may leave what was appended but never reached the disk.
    Raises: JournalDamaged for any other record that does not fit its checks.
    """
    header_end = start + HEADER_BYTES
    if len(data) < header_end:
        return None
    fields, check = data[start : start + _FIELDS.size], data[start + _FIELDS.size : header_end]
    if check != (computed := _CHECK.pack(zlib.crc32(fields))):
        if _is_unwritten(base, data, start):
            return None
        raise JournalDamaged(segment, base + start, "header check", computed.hex(), check.hex())
    length, kind, time, sequence, head = _FIELDS.unpack(fields)
    payload_end = header_end + length
    end = payload_end + CHECKSUM_BYTES
    if len(data) < end:
        return None
    checksum = data[payload_end:end]
    if checksum != (computed := _checksum(data[start:payload_end])):
        if _is_unwritten(base, data, start):
            return None
        place = f"checksum of record {sequence}"
        raise JournalDamaged(segment, base + start, place, computed.hex(), checksum.hex())
    if kind not in RecordKind.__members__.values():
        place = f"kind of record {sequence}"
        raise JournalDamaged(segment, base + start, place, _known_kinds(), kind)
    record = Record(
        kind=RecordKind(kind),
        time_ms=int.from_bytes(time, "big"),
        sequence=sequence,
        head=int.from_bytes(head, "big"),
        payload=data[header_end:payload_end],
    )
    return record, end


def decode_segment_start(segment: str, offset: int, payload: bytes) -> SegmentStart:
    """Read the payload of a segment's first record.

    Raises: JournalDamaged for another length.
    """
    if len(payload) != _SEGMENT_START.size:
        expected = f"{_SEGMENT_START.size} bytes"
        raise JournalDamaged(segment, offset, "segment record", expected, len(payload))
    domain, epoch = _SEGMENT_START.unpack(payload)
    return SegmentStart(int.from_bytes(domain, "big"), epoch)


def decode_seal(record: Record) -> Seal:
    """Read the payload of a seal.

    Raises: JournalError for another length.
    """
    if len(record.payload) != _SEAL.size:
        place = f"seal, record {record.sequence}"
        raise JournalError(place, f"{_SEAL.size} bytes", len(record.payload))
    batch_number, sequencer_epoch, command_count, root = _SEAL.unpack(record.payload)
    return Seal(batch_number, sequencer_epoch, command_count, int.from_bytes(root, "big"))


def _checksum(framed: bytes) -> bytes:
    return blake2b(framed, digest_size=CHECKSUM_BYTES).digest()


def _is_unwritten(base: int, data: bytes, start: int) -> bool:
    """Whether `data` ends in zeros that begin at the record or at a sector inside it."""
    zeros_start = base + len(data.rstrip(b"\0"))
    first_sector = -(-zeros_start // SECTOR_BYTES) * SECTOR_BYTES
    return zeros_start <= base + start or first_sector < base + len(data)


def _known_kinds() -> str:
    return ", ".join(f"{kind.name.lower()} {kind.value}" for kind in RecordKind)
