"""Words files: one form for each batch, and every other refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from circuits.errors import StatementError
from circuits.field import R
from circuits.statement import to_json
from sequencer.batcher import Batch
from sequencer.engine import Engine, run_commands
from sequencer.words_file import BatchWords, read_words
from tests.support.exchange import DOMAIN
from tests.support.signed_day import DAY_BATCH, day_commands

BATCHES = [
    output
    for output in run_commands(Engine(DOMAIN, 1, DAY_BATCH), day_commands())
    if isinstance(output, Batch)
]
DOCUMENT = json.loads(BatchWords.of_batch(BATCHES[4]).to_json())


def test_only_batches_of_margin_commands_have_statements() -> None:
    has_statement = [batch.statement is not None for batch in BATCHES]
    assert has_statement == [True, True, *[False] * 7, True]
    assert [batch.published.is_plain for batch in BATCHES] == has_statement


@pytest.mark.parametrize("number", range(len(BATCHES)))
def test_what_is_written_reads_back(number: int) -> None:
    batch = BATCHES[number]
    words = BatchWords.of_batch(batch)
    assert read_words(words.to_json()) == words
    assert words.published() == batch.published
    if batch.statement is not None:
        assert read_words(to_json(batch.statement)) == words


def test_layout() -> None:
    assert list(DOCUMENT) == [
        *("format", "version", "domain", "batch_number", "old_root", "new_root"),
        *("root_accounts", "root_markets", "root_books", "root_system"),
        *("queue_count", "withdrawal_count", "account_count", "leaf_count", "market_count"),
        "words",
    ]
    assert (DOCUMENT["format"], DOCUMENT["version"]) == ("plasmaperps-words", 1)
    assert DOCUMENT["batch_number"] == "0x5"
    assert DOCUMENT["words"] == [hex(word) for word in BATCHES[4].published.words]


HEX = "a string 0x... of up to 64 lower-case hexadecimal digits without leading zeros"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version: expected 1, got 2"),
        ({"version": True}, "version: expected 1, got True"),
        ({"gas": "0x1"}, "'gas': expected no such field, got the field"),
        ({"words": "0x1"}, "words: expected a list of words, got str"),
        ({"words": ["0x01"]}, f"words[0]: expected {HEX}, got '0x01'"),
        ({"words": ["0xA"]}, f"words[0]: expected {HEX}, got '0xA'"),
        ({"words": [1]}, f"words[0]: expected {HEX}, got 1"),
        ({"words": [hex(R)]}, f"words[0]: expected a field element below r, got {R}"),
        ({"leaf_count": "0x100000000"}, f"leaf_count: expected a number below 2**32, got {2**32}"),
        ({"root_books": None}, f"root_books: expected {HEX}, got None"),
        # Anything that does not say that it is a words file must be a statement file.
        ({"format": "words"}, "format: expected 'plasmaperps-statement', got 'words'"),
    ],
)
def test_other_files_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(StatementError) as caught:
        read_words(json.dumps(DOCUMENT | change))
    assert str(caught.value) == message


@pytest.mark.parametrize("name", [name for name in DOCUMENT if name != "format"])
def test_a_missing_field_is_named(name: str) -> None:
    record = {key: value for key, value in DOCUMENT.items() if key != name}
    with pytest.raises(StatementError) as caught:
        read_words(json.dumps(record))
    expected = "expected 1, got None" if name == "version" else "expected the field, got nothing"
    assert str(caught.value) == f"{name}: {expected}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "statement: expected a JSON object, got invalid JSON"),
        ("[]", "statement: expected a JSON object, got list"),
        ("[" * 50, "statement: expected a flat JSON object, got 50 opening brackets"),
        (json.dumps(DOCUMENT)[:-1] + ',"words":[]}', "words file: expected each field once"),
    ],
)
def test_text_that_is_no_file(text: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        read_words(text)
    assert str(caught.value).startswith(message)
