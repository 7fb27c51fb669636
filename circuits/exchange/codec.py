"""Canonical bytes of commands: one command has one encoding, and nothing else decodes.

Layout: kind (1 byte), time (6), the fields of the kind as `fields` lists them, a signed kind's
R x (32), R y (32) and S (32), and then what only some kinds have: terms, or a count (1) and as
many operations, quotes or keys. A negative number is written with half its range added.
"""

from __future__ import annotations

from typing import Any

from circuits.exchange.apply import Command
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, Form, Items, kind_of
from circuits.exchange.limits import KIND_BITS, TIME_BITS, TIME_MAX_MS

HEAD_BYTES = (KIND_BITS + TIME_BITS) // 8
KIND_BYTES = KIND_BITS // 8
COUNT_BYTES = CODE_BYTES = 1


def encode_command(command: Command) -> bytes:
    """The canonical bytes of a command.

    Raises: CodecError naming the first field that does not fit its place.
    Cost: 2 to 4 microseconds for a signed command; every one is journalled.
    """
    body, time_ms = command.body, command.time_ms
    if not 0 <= time_ms <= TIME_MAX_MS:
        raise CodecError("time_ms", f"0..{TIME_MAX_MS}", time_ms)
    form = FORMS[kind_of(body)]
    head = (form.kind << TIME_BITS | time_ms).to_bytes(HEAD_BYTES, "big")
    encoded = head + form.layout.encode(body)
    if form.tail is None:
        return encoded
    if isinstance(form.tail, Items):
        return encoded + _encode_items(form.tail, form.tail_of(body))
    return encoded + form.tail.layout.encode(form.tail_of(body), f"{form.tail.name}.")


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
    form = FORMS[kind]
    length = HEAD_BYTES + form.layout.byte_count
    if isinstance(form.tail, Items):
        _require_bytes(form, length + COUNT_BYTES, encoded, "at least ")
    else:
        length += form.tail.layout.byte_count if form.tail else 0
        _require_bytes(form, length, encoded)
    time_ms = int.from_bytes(encoded[KIND_BYTES:HEAD_BYTES], "big")
    values = form.layout.values(encoded, HEAD_BYTES)
    if form.tail is None:
        return Command(time_ms, form.make(values))
    start = HEAD_BYTES + form.layout.byte_count
    if isinstance(form.tail, Items):
        return Command(time_ms, form.make(values, _decode_items(form, form.tail, encoded, start)))
    terms = form.tail.layout.decode(encoded, start, f"{form.tail.name}.")
    return Command(time_ms, form.make(values, terms))


def encoded_length(kind: Kind) -> int:
    """How many bytes every command of a kind has; with a list, those of an empty one."""
    form = FORMS[kind]
    length = HEAD_BYTES + form.layout.byte_count
    if isinstance(form.tail, Items):
        return length + COUNT_BYTES
    return length + (form.tail.layout.byte_count if form.tail else 0)


def _encode_items(items: Items, things: tuple[Any, ...]) -> bytes:
    items.require_count(len(things))
    parts = [bytes([len(things)])]
    for number, thing in enumerate(things):
        code = items.code_of(thing)
        if items.is_coded:
            parts.append(bytes([code]))
        parts.append(items.choices[code][1].encode(thing, f"{items.name}[{number}]."))
    return b"".join(parts)


def _decode_items(form: Form, items: Items, encoded: bytes, start: int) -> tuple[Any, ...]:
    count = encoded[start]
    items.require_count(count)
    position = start + COUNT_BYTES
    things = []
    for number in range(count):
        place = f"{items.name}[{number}]"
        code = next(iter(items.choices))
        if items.is_coded:
            _require_bytes(form, position + CODE_BYTES, encoded, "at least ")
            code = encoded[position]
            position += CODE_BYTES
            if code not in items.choices:
                names = ", ".join(f"{name} {known}" for known, (name, _) in items.choices.items())
                raise CodecError(place, f"a code ({names})", code)
        _, layout = items.choices[code]
        _require_bytes(form, position + layout.byte_count, encoded, "at least ")
        things.append(layout.decode(encoded, position, f"{place}."))
        position += layout.byte_count
    _require_bytes(form, position, encoded)
    return tuple(things)


def _require_bytes(form: Form, length: int, encoded: bytes, at_least: str = "") -> None:
    """Refuse bytes that are not of this length, or are shorter."""
    if len(encoded) < length or (len(encoded) > length and not at_least):
        place = f"{form.kind.name.lower()} command"
        raise CodecError(place, f"{at_least}{length} bytes", len(encoded))
