"""Command files: whole files read, and each fault named by file, line and expectation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from circuits.exchange.json_form import KIND_NAMES, TimedBody, encode_line
from sequencer.command_file import Header, load_command_file
from sequencer.errors import CommandFileError
from tests.support.exchange import DOMAIN, deposit, register, transfer

HEADER = Header(31337, 0x5E771E)
BODIES = [register(1), deposit(1, 5), transfer(1, 1, 2, 3)]
LINES = [encode_line(TimedBody(10 * number, body)) for number, body in enumerate(BODIES)]


def written(path: Path, *lines: str | bytes) -> Path:
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in encoded))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CommandFileError) as caught:
        load_command_file(path)
    return str(caught.value).removeprefix(str(path))


def test_a_file_reads_back(tmp_path: Path) -> None:
    loaded = load_command_file(written(tmp_path / "day.jsonl", HEADER.encode(), *LINES))
    assert loaded.header == HEADER
    assert loaded.header.domain == DOMAIN
    assert [timed.body for timed in loaded.lines] == BODIES
    assert loaded.requests == (BODIES[0], BODIES[1])


def test_times_count_on_from_the_base(tmp_path: Path) -> None:
    loaded = load_command_file(written(tmp_path / "day.jsonl", HEADER.encode(), *LINES))
    assert [command.time_ms for command in loaded.commands(1000)] == [1000, 1010, 1030]


def test_a_time_that_leaves_48_bits_names_its_line(tmp_path: Path) -> None:
    loaded = load_command_file(written(tmp_path / "day.jsonl", HEADER.encode(), *LINES))
    with pytest.raises(CommandFileError) as caught:
        list(loaded.commands(2**48 - 1))
    assert str(caught.value) == (
        f"{loaded.path}:3: time: expected 0..{2**48 - 1} ms, got {2**48 + 9} ms"
    )


def test_header_spelling() -> None:
    assert HEADER.encode() == (
        f'{{"plasmaperps":"commands","version":1,"domain":"{DOMAIN}","chain_id":"31337",'
        '"settlement":"0x00000000000000000000000000000000005e771e"}'
    )


def changed_header(**changes: Any) -> str:
    return json.dumps(json.loads(HEADER.encode()) | changes)


HEADERS = [
    ("", ":1: column 1: expected a JSON object, got expecting value"),
    (
        changed_header(plasmaperps="witness"),
        ':1: field \'plasmaperps\': expected "commands", got "witness"',
    ),
    (changed_header(version=2), ":1: field 'version': expected 1, got 2"),
    (changed_header(version=True), ":1: field 'version': expected 1, got true"),
    (changed_header(version="1"), ":1: field 'version': expected 1, got \"1\""),
    (
        changed_header(chain_id=31337),
        ":1: field 'chain_id': expected a decimal number in quotes, got 31337",
    ),
    (
        changed_header(chain_id=str(2**64)),
        f":1: field 'chain_id': expected 0..{2**64 - 1}, got {2**64}",
    ),
    (
        changed_header(domain="5"),
        f":1: field 'domain': expected {DOMAIN} of chain and settlement, got 5",
    ),
    (
        '{"plasmaperps":"commands","version":1}',
        ":1: field 'domain': expected a value, got no such field",
    ),
    (LINES[0], ":1: field 'plasmaperps': expected a value, got no such field"),
]


@pytest.mark.parametrize(("line", "message"), HEADERS, ids=[text for _, text in HEADERS])
def test_bad_headers(tmp_path: Path, line: str, message: str) -> None:
    assert refusal(written(tmp_path / "day.jsonl", line, *LINES)) == message


COMMANDS: list[tuple[str | bytes, str]] = [
    (
        '{"kind":"order"}',
        f":3: field 'kind': expected one of {', '.join(KIND_NAMES)}, got \"order\"",
    ),
    (
        LINES[1][:-1],
        f":3: column {len(LINES[1])}: expected a JSON object, got expecting ',' delimiter",
    ),
    ("", ":3: column 1: expected a JSON object, got expecting value"),
    (b"\xff{}", ":3: byte 0: expected UTF-8, got 0xff"),
    (
        b"\xef\xbb\xbf{}",
        ":3: column 1: expected a JSON object, got unexpected utf-8 bom (decode using utf-8-sig)",
    ),
]


@pytest.mark.parametrize(("line", "message"), COMMANDS, ids=[text for _, text in COMMANDS])
def test_bad_commands(tmp_path: Path, line: str | bytes, message: str) -> None:
    path = written(tmp_path / "day.jsonl", HEADER.encode(), LINES[0], line, LINES[2])
    assert refusal(path) == message


def test_a_file_cut_off_in_its_last_line(tmp_path: Path) -> None:
    path = written(tmp_path / "day.jsonl", HEADER.encode(), *LINES)
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(path) == (":4: end of file: expected a line end after the last line, got none")


def test_an_empty_file(tmp_path: Path) -> None:
    assert refusal(written(tmp_path / "day.jsonl")) == (
        ":1: header: expected a JSON object, got an empty file"
    )


def test_a_file_of_no_commands_is_a_file(tmp_path: Path) -> None:
    assert load_command_file(written(tmp_path / "day.jsonl", HEADER.encode())).lines == ()


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_command_file(tmp_path / "none.jsonl")


def test_the_error_carries_its_parts(tmp_path: Path) -> None:
    path = written(tmp_path / "day.jsonl", HEADER.encode(), LINES[0], "[]")
    with pytest.raises(CommandFileError) as caught:
        load_command_file(path)
    error = caught.value
    assert (error.path, error.line, error.place) == (path, 3, "column 1")
    assert (error.expected, error.got) == ("a JSON object", "[]")
