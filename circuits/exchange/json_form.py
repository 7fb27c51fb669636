"""The JSON line form of commands: one object per line, one spelling per value.

A field of at most 48 bits is a JSON integer, which every JSON reader keeps exact; a wider number
is a decimal string without sign or leading zero; an address is 0x and 40 lower-case hex digits.
Terms and signatures are objects of their own, operations, quotes and keys lists of objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from circuits.exchange.bodies import Body
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, SIGNATURE_NAMES, Form, Items, Tail, kind_of
from circuits.exchange.layout import FieldSpec, Layout
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
    """The canonical JSON line of a command, without the line end.

    Raises: CodecError naming the first field that does not fit its place.
    """
    form = FORMS[kind_of(timed.body)]
    record: dict[str, Any] = {"kind": form.kind.name.lower()}
    record |= _encode_fields(form.layout, timed.body, "")
    if form.tail is not None:
        signature = record.pop("signature", None)
        record[form.tail.name] = _encode_tail(form.tail, form.tail_of(timed.body))
        if signature is not None:
            record["signature"] = signature
    record["after_ms"] = timed.after_ms
    return json.dumps(record, separators=(",", ":"))


def decode_line(line: str) -> TimedBody:
    """The command of one JSON line.

    Raises: CodecError naming the field, what it must be and what it is.
    """
    record = parse_object(line)
    kind = KIND_NAMES[_choice(record, KIND_NAMES, "")]
    form = FORMS[kind]
    names = ["kind", *_own_names(form.layout)]
    if form.tail is not None:
        names.append(form.tail.name)
    names.append("after_ms")
    if kind.is_signed:
        names.append("signature")
    require_names(record, names, "")
    values = _decode_fields(form.layout, record, "")
    body = form.make(values, *_decode_tail(form, record))
    after_ms = decode_number(AFTER, record["after_ms"], AFTER.name)
    return TimedBody(after_ms, body)


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


def _choice(record: Mapping[str, Any], names: Iterable[str], prefix: str) -> str:
    """What the record's field "kind" says, if it is one of these names."""
    place, expected = f"field '{prefix}kind'", "one of " + ", ".join(names)
    if "kind" not in record:
        raise CodecError(place, expected, "no such field")
    name = record["kind"]
    if not isinstance(name, str) or name not in names:
        raise CodecError(place, expected, shown(name))
    return name


def _own_names(layout: Layout) -> list[str]:
    return [spec.name for spec in layout.fields if spec.name not in SIGNATURE_NAMES]


def _encode_fields(layout: Layout, thing: Any, prefix: str) -> dict[str, Any]:
    """All fields by name, those of a signature together under one of their own."""
    record: dict[str, Any] = {}
    signature: dict[str, Any] = {}
    for spec, value in zip(layout.fields, layout.read(thing), strict=True):
        spec.require(value, prefix)
        part = signature if spec.name in SIGNATURE_NAMES else record
        part[spec.name] = encode_number(spec, value)
    return record | {"signature": signature} if signature else record


def _encode_tail(tail: Tail, thing: Any) -> Any:
    if not isinstance(tail, Items):
        return _encode_fields(tail.layout, thing, f"{tail.name}.")
    tail.require_count(len(thing))
    entries = []
    for number, item in enumerate(thing):
        name, layout = tail.choices[tail.code_of(item)]
        entry = {"kind": name} if tail.is_coded else {}
        entries.append(entry | _encode_fields(layout, item, f"{tail.name}[{number}]."))
    return entries


def _decode_fields(layout: Layout, record: Mapping[str, Any], prefix: str) -> list[int]:
    """The values of the fields, in their order, of a record that has all of their names."""
    values = []
    signature: Mapping[str, Any] | None = None
    for spec in layout.fields:
        if spec.name not in SIGNATURE_NAMES:
            values.append(decode_number(spec, record[spec.name], prefix + spec.name))
            continue
        if signature is None:
            names = [each.name for each in layout.fields if each.name in SIGNATURE_NAMES]
            signature = _object(record["signature"], names, f"{prefix}signature")
        place = f"{prefix}signature.{spec.name}"
        values.append(decode_number(spec, signature[spec.name], place))
    return values


def _decode_tail(form: Form, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """The terms, or the items, as what `form.make` takes last; nothing if the kind has none."""
    tail = form.tail
    if tail is None:
        return ()
    found = record[tail.name]
    if not isinstance(tail, Items):
        terms = _object(found, _own_names(tail.layout), tail.name)
        return (tail.layout.make(*_decode_fields(tail.layout, terms, f"{tail.name}.")),)
    if not isinstance(found, list):
        raise CodecError(f"field '{tail.name}'", "a list", shown(found))
    tail.require_count(len(found))
    return (tuple(_decode_item(tail, item, number) for number, item in enumerate(found)),)


def _decode_item(items: Items, item: object, number: int) -> Any:
    place = f"{items.name}[{number}]"
    if not isinstance(item, dict):
        raise CodecError(f"field '{place}'", "an object", shown(item))
    layouts = dict(items.choices.values())
    head = ["kind"] if items.is_coded else []
    name = _choice(item, layouts, f"{place}.") if items.is_coded else next(iter(layouts))
    layout = layouts[name]
    own = _own_names(layout)
    tail = ["signature"] if len(own) < len(layout.fields) else []
    require_names(item, [*head, *own, *tail], f"{place}.")
    return layout.make(*_decode_fields(layout, item, f"{place}."))


def _object(value: object, names: list[str], place: str) -> Mapping[str, Any]:
    """A record of exactly these names."""
    if not isinstance(value, dict):
        raise CodecError(f"field '{place}'", "an object", shown(value))
    require_names(value, names, f"{place}.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in pairs:
        if name in record:
            raise CodecError(f"field {json.dumps(name)}", "one value", "two")
        record[name] = value
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise CodecError("column 1", "numbers", name)
