"""The JSON line form of commands: one object per line, one spelling per value.

A field of at most 48 bits is a JSON integer, which every JSON reader keeps exact; a wider number
is a decimal string without sign or leading zero; an address is 0x and 40 lower-case hex digits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from circuits.exchange.apply import Body
from circuits.exchange.codec import kind_of
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import (
    FIELDS,
    SIGNATURE_FIELDS,
    SIGNATURE_NAMES,
    SIGNED_KINDS,
    FieldSpec,
    body_from_fields,
    fields_of,
)
from circuits.exchange.limits import OWNER_BITS, TIME_BITS, TIME_MAX_MS
from circuits.json_guard import TooManyBrackets, parse_json

JSON_INTEGER_BITS = 48
"""Wider numbers are strings: a double, which most JSON readers use, is exact to 53 bits."""

DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.ASCII)

AFTER = FieldSpec("after_ms", TIME_BITS, 0, TIME_MAX_MS)
KIND_NAMES = {kind.name.lower(): kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class TimedBody:
    """A command whose time is still relative to the command before it."""

    after_ms: int
    body: Body


def encode_line(timed: TimedBody) -> str:
    """The canonical JSON line of a command, without the line end."""
    kind = kind_of(timed.body)
    values = fields_of(timed.body)
    record: dict[str, Any] = {"kind": kind.name.lower()}
    for spec in FIELDS[kind]:
        if spec.name not in SIGNATURE_NAMES:
            record[spec.name] = encode_number(spec, values[spec.name])
    if kind in SIGNED_KINDS:
        record["signature"] = {
            spec.name: encode_number(spec, values[spec.name]) for spec in SIGNATURE_FIELDS
        }
    record["after_ms"] = timed.after_ms
    return json.dumps(record, separators=(",", ":"))


def decode_line(line: str) -> TimedBody:
    """The command of one JSON line.

    Raises: CodecError naming the field, what it must be and what it is.
    """
    record = parse_object(line)
    if "kind" not in record:
        raise CodecError("field 'kind'", "one of " + ", ".join(KIND_NAMES), "no such field")
    name = record["kind"]
    if not isinstance(name, str) or name not in KIND_NAMES:
        raise CodecError("field 'kind'", "one of " + ", ".join(KIND_NAMES), json.dumps(name))
    kind = KIND_NAMES[name]
    own = [spec for spec in FIELDS[kind] if spec.name not in SIGNATURE_NAMES]
    names = ["kind", *(spec.name for spec in own), "after_ms"]
    if kind in SIGNED_KINDS:
        names.append("signature")
    require_names(record, names, "")
    values = {spec.name: decode_number(spec, record[spec.name], spec.name) for spec in own}
    if kind in SIGNED_KINDS:
        values |= _decode_signature(record["signature"])
    after_ms = decode_number(AFTER, record["after_ms"], AFTER.name)
    return TimedBody(after_ms, body_from_fields(kind, values))


def parse_object(line: str) -> dict[str, Any]:
    """One JSON object in which no name occurs twice.

    Raises: CodecError with the column of a syntax error, or what stands there instead.
    """
    try:
        parsed = parse_json(line, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise CodecError(f"column {error.colno}", "a JSON object", error.msg.lower()) from None
    except TooManyBrackets as error:
        found = f"{error.brackets} opening brackets"
        raise CodecError("column 1", "a flat JSON object", found) from None
    except ValueError:
        raise CodecError("column 1", "numbers of a few digits", "a number too long") from None
    if not isinstance(parsed, dict):
        raise CodecError("column 1", "a JSON object", shown(parsed))
    return parsed


def require_names(record: Mapping[str, Any], names: list[str], prefix: str) -> None:
    """Refuse an object that lacks one of the names or has any other.

    Raises: CodecError naming the first missing field, else the first unknown one.
    """
    for name in names:
        if name not in record:
            raise CodecError(f"field '{prefix}{name}'", "a value", "no such field")
    for name in record:
        if name not in names:
            raise CodecError(
                f"field {json.dumps(prefix + name)}", "only " + ", ".join(names), "this field"
            )


def encode_number(spec: FieldSpec, value: int) -> int | str:
    """A value as its field spells it."""
    if spec.bits <= JSON_INTEGER_BITS:
        return value
    return f"0x{value:040x}" if spec.bits == OWNER_BITS else str(value)


def decode_number(spec: FieldSpec, value: object, place: str) -> int:
    """The number that a field spells, in the field's range.

    Raises: CodecError for another type, another spelling or a value out of range.
    """
    place = f"field '{place}'"
    if spec.bits <= JSON_INTEGER_BITS:
        if type(value) is not int:
            raise CodecError(place, "a JSON integer", shown(value))
        number = value
    elif spec.bits == OWNER_BITS:
        if not isinstance(value, str) or not ADDRESS.fullmatch(value):
            raise CodecError(place, "0x and 40 lower-case hex digits in quotes", shown(value))
        number = int(value, 16)
    else:
        if not isinstance(value, str) or not DECIMAL.fullmatch(value):
            raise CodecError(place, "a decimal number in quotes", shown(value))
        number = int(value)
    if not spec.minimum <= number <= spec.maximum:
        raise CodecError(place, f"{spec.minimum}..{spec.maximum}", shown(number))
    return number


def shown(value: object) -> str:
    """A JSON value in an error: whole if short, else its beginning."""
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _decode_signature(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise CodecError("field 'signature'", "an object", shown(value))
    names = [spec.name for spec in SIGNATURE_FIELDS]
    require_names(value, names, "signature.")
    return {
        spec.name: decode_number(spec, value[spec.name], f"signature.{spec.name}")
        for spec in SIGNATURE_FIELDS
    }


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in pairs:
        if name in record:
            raise CodecError(f"field {json.dumps(name)}", "one value", "two")
        record[name] = value
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise CodecError("column 1", "numbers", name)
