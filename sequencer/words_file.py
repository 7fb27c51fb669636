"""What a batch published, in a file of its own, for a batch that no chip proves yet.

A statement holds these words too. One JSON object, in which every number is a hexadecimal string,
as in a statement file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from circuits.errors import StatementError
from circuits.exchange.pubdata import Counts, Published
from circuits.exchange.pubdata_reader import parse_pubdata
from circuits.json_guard import parse_json
from circuits.merkle import Children
from circuits.statement import FIELD_BITS, Statement, from_json, require_range
from sequencer.batcher import Batch

FORMAT = "plasmaperps-words"
VERSION = 1
BRACKETS_MAX = 16  # a sound file has two

WORD_BITS = {
    "domain": 224,
    "batch_number": 64,
    "old_root": FIELD_BITS,
    "new_root": FIELD_BITS,
    "root_accounts": FIELD_BITS,
    "root_markets": FIELD_BITS,
    "root_books": FIELD_BITS,
    "root_system": FIELD_BITS,
    "queue_count": 32,
    "withdrawal_count": 32,
    "account_count": 32,
    "leaf_count": 32,
    "market_count": 32,
}
"""The fields of a file before its words, and their widths; below r where it is FIELD_BITS."""

_HEX_WORD = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")


@dataclass(frozen=True, slots=True)
class BatchWords:
    """The words of a batch, and what must be known to read and to check them."""

    domain: int
    batch_number: int
    old_root: int
    new_root: int
    region_roots: Children
    counts: Counts
    words: tuple[int, ...]

    @classmethod
    def of_batch(cls, batch: Batch) -> BatchWords:
        """What a sealed batch published."""
        return cls(
            batch.state.domain,
            batch.number,
            batch.old_root,
            batch.new_root,
            batch.region_roots,
            batch.published.counts,
            batch.published.words,
        )

    @classmethod
    def of_statement(cls, statement: Statement) -> BatchWords:
        """The same part of a statement."""
        return cls(
            statement.domain,
            statement.batch_number,
            statement.old_root,
            statement.new_root,
            (
                statement.root_accounts,
                statement.root_markets,
                statement.root_books,
                statement.root_system,
            ),
            Counts(statement.queue_count, statement.withdrawal_count, statement.account_count),
            statement.pubdata,
        )

    def published(self) -> Published:
        """The words read back. Raises: PubdataError."""
        return parse_pubdata(self.words, self.counts)

    def to_json(self) -> str:
        """The words file, with a newline at its end."""
        values = (
            self.domain,
            self.batch_number,
            self.old_root,
            self.new_root,
            *self.region_roots,
            *self.counts,
        )
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        document |= {name: hex(value) for name, value in zip(WORD_BITS, values, strict=True)}
        document["words"] = [hex(word) for word in self.words]
        return json.dumps(document, indent=1) + "\n"


def read_words(text: str) -> BatchWords:
    """The words of a statement file or of a words file.

    Raises: StatementError naming the first missing, unknown, mistyped or out-of-range field.
    """
    try:
        document = parse_json(text, BRACKETS_MAX, object_pairs_hook=_unique_fields)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return BatchWords.of_statement(from_json(text))
    version = document.get("version")
    if version != VERSION or type(version) is not int:
        raise StatementError("version", VERSION, _short(version))
    known = ("format", "version", *WORD_BITS, "words")
    for name in known:
        if name not in document:
            raise StatementError(name, "the field", "nothing")
    for name in document:
        if name not in known:
            raise StatementError(_short(name), "no such field", "the field")
    values = [_parse_word(name, document[name], bits) for name, bits in WORD_BITS.items()]
    words = document["words"]
    if not isinstance(words, list):
        raise StatementError("words", "a list of words", type(words).__name__)
    domain, batch_number, old_root, new_root, accounts, markets, books, system, *counts = values
    return BatchWords(
        domain,
        batch_number,
        old_root,
        new_root,
        (accounts, markets, books, system),
        Counts(*counts),
        tuple(_parse_word(f"words[{index}]", word, FIELD_BITS) for index, word in enumerate(words)),
    )


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise StatementError("words file", "each field once", "a field twice")
    return document


def _parse_word(place: str, text: object, bits: int) -> int:
    if not isinstance(text, str) or _HEX_WORD.fullmatch(text) is None:
        expected = "a string 0x... of up to 64 lower-case hexadecimal digits without leading zeros"
        raise StatementError(place, expected, _short(text))
    word = int(text, 16)
    require_range(place, word, bits)
    return word


def _short(shown: object) -> str:
    """At most 80 characters of what a file holds, so that an error stays one line."""
    text = repr(shown)
    return text if len(text) <= 80 else text[:77] + "..."
