"""Canonical bytes of commands: one command has one encoding, and nothing else decodes.

Layout: kind (1 byte), time (6), account (3), then by kind, all numbers big-endian
    deposit       owner (20), amount (8)
    register_key  owner (20), key x (32), key y (32)
    transfer      nonce (6), expiry (6), to (3), amount (8), R x (32), R y (32), S (32)
    withdraw      nonce (6), expiry (6), amount (8), R x (32), R y (32), S (32)
"""

from __future__ import annotations

from circuits.exchange.apply import Body, Command, Signed
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FIELDS, FieldSpec, body_from_fields, fields_of
from circuits.exchange.limits import TIME_BITS, TIME_MAX_MS

KIND_BYTES = 1
TIME_BYTES = TIME_BITS // 8


def kind_of(body: Body) -> Kind:
    """The kind code of a body."""
    return body.transaction.KIND if isinstance(body, Signed) else body.KIND


def encode_command(command: Command) -> bytes:
    """The canonical bytes of a command.

    Raises: CodecError naming the first field that does not fit its place.
    """
    if not 0 <= command.time_ms <= TIME_MAX_MS:
        raise CodecError("time_ms", f"0..{TIME_MAX_MS}", command.time_ms)
    kind = kind_of(command.body)
    values = fields_of(command.body)
    encoded = bytes([kind]) + command.time_ms.to_bytes(TIME_BYTES, "big")
    for spec in FIELDS[kind]:
        _require_range(spec, values[spec.name])
        encoded += values[spec.name].to_bytes(spec.byte_count, "big")
    return encoded


def encoded_length(kind: Kind) -> int:
    """How many bytes every command of a kind has."""
    return KIND_BYTES + TIME_BYTES + sum(spec.byte_count for spec in FIELDS[kind])


def decode_command(encoded: bytes) -> Command:
    """The command of canonical bytes.

    Raises: CodecError naming the place, for an unknown kind, another length or a bad value.
    """
    if not encoded:
        raise CodecError("byte 0", "a command kind", "no bytes")
    try:
        kind = Kind(encoded[0])
    except ValueError:
        kinds = ", ".join(str(int(known)) for known in Kind)
        raise CodecError("byte 0", f"a command kind ({kinds})", encoded[0]) from None
    if len(encoded) != encoded_length(kind):
        raise CodecError(
            f"{kind.name.lower()} command", f"{encoded_length(kind)} bytes", len(encoded)
        )
    position = KIND_BYTES + TIME_BYTES
    time_ms = int.from_bytes(encoded[KIND_BYTES:position], "big")
    values: dict[str, int] = {}
    for spec in FIELDS[kind]:
        values[spec.name] = int.from_bytes(encoded[position : position + spec.byte_count], "big")
        _require_range(spec, values[spec.name])
        position += spec.byte_count
    return Command(time_ms, body_from_fields(kind, values))


def _require_range(spec: FieldSpec, value: int) -> None:
    if not spec.minimum <= value <= spec.maximum:
        raise CodecError(spec.name, f"{spec.minimum}..{spec.maximum}", value)
