"""JSON from outside: bounded nesting, whatever the recursion limit of the process is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from circuits.json_guard import BRACKETS_MAX, TooManyBrackets, parse_json

DEEP = 1_000_000


@pytest.mark.parametrize("text", ["null", '{"a": [1, {"b": "[{"}]}', "[" * 400 + "]" * 400])
def test_a_text_within_the_bound_is_parsed_as_json_loads_does(text: str) -> None:
    assert parse_json(text) == json.loads(text)


def test_hooks_reach_the_parser() -> None:
    assert parse_json('{"a": 1, "a": 2}', object_pairs_hook=list) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    "text", ["[" * DEEP, '{"a":' * DEEP, "[{" * (DEEP // 2), '"' + "[" * DEEP + '"']
)
def test_more_brackets_than_the_bound_are_refused(text: str) -> None:
    with pytest.raises(TooManyBrackets) as caught:
        parse_json(text)
    message = f"expected at most {BRACKETS_MAX} opening brackets, got {DEEP}"
    assert (str(caught.value), caught.value.brackets) == (message, DEEP)


def test_the_bound_is_inclusive() -> None:
    assert parse_json("[[]]", 2) == [[]]
    with pytest.raises(TooManyBrackets, match="expected at most 1 opening brackets, got 2"):
        parse_json("[[]]", 1)


def test_closing_brackets_in_strings_do_not_hide_nesting() -> None:
    with pytest.raises(TooManyBrackets):
        parse_json('["]",' * DEEP)


def test_readers_survive_a_deep_text_under_a_lifted_recursion_limit() -> None:
    """Given the limit that py_ecc sets, when files nest deeply, then each reader says so."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from circuits.errors import CircuitError\n"
        "from circuits.exchange.json_form import decode_line\n"
        "from circuits.statement import from_json\n"
        "from verifier.errors import KeyFileError\n"
        "from verifier.key import load_key\n"
        "sys.setrecursionlimit(100_000)\n"
        "text = sys.stdin.read()\n"
        "for read in (decode_line, from_json, lambda _: load_key(Path('/dev/stdin'))):\n"
        "    try:\n"
        "        read(text)\n"
        "    except (CircuitError, KeyFileError) as error:\n"
        "        print(type(error).__name__)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], input="[" * DEEP, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["CodecError", "StatementError", "KeyFileError"]
