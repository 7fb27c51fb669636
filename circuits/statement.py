"""The statement of a batch: twenty public words and the published data, each word below r.

The contract recomputes or checks every word; `docs/protocol.md` says which and how. What the
words of `pubdata` mean is said in `circuits.exchange.pubdata`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from circuits.errors import StatementError
from circuits.field import R
from circuits.json_guard import TooManyBrackets, parse_json

FIELD_BITS = 254  # stands for "below r", which is narrower than 254 bits

# Name and width of each public word, in the order of the transcript.
WORD_BITS: dict[str, int] = {
    "domain": 224,
    "batch_number": 64,
    "sequencer_epoch": 64,
    "old_root": FIELD_BITS,
    "new_root": FIELD_BITS,
    "root_accounts": FIELD_BITS,
    "root_markets": FIELD_BITS,
    "root_books": FIELD_BITS,
    "root_system": FIELD_BITS,
    "time_first_ms": 48,
    "time_last_ms": 48,
    "queue_cursor_before": 64,
    "queue_hash": 248,
    "journal_head": 248,
    "command_count": 32,
    "queue_count": 32,
    "withdrawal_count": 32,
    "account_count": 32,
    "deposit_total": 64,
    "withdrawal_total": 64,
}
PUBLIC_WORDS: tuple[str, ...] = tuple(WORD_BITS)

QUEUE_WORDS = 4
WITHDRAWAL_WORDS = 1
ACCOUNT_WORDS = 3

FORMAT = "plasmaperps-statement"
VERSION = 1
BRACKETS_MAX = 16  # a sound file has two

_HEX_WORD = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")


@dataclass(frozen=True, slots=True)
class Statement:
    """What one batch proof claims; the fields are the public words in order, then the pubdata."""

    domain: int
    batch_number: int
    sequencer_epoch: int
    old_root: int
    new_root: int
    root_accounts: int
    root_markets: int
    root_books: int
    root_system: int
    time_first_ms: int
    time_last_ms: int
    queue_cursor_before: int
    queue_hash: int
    journal_head: int
    command_count: int
    queue_count: int
    withdrawal_count: int
    account_count: int
    deposit_total: int
    withdrawal_total: int
    pubdata: tuple[int, ...]

    def words(self) -> tuple[int, ...]:
        """The public words in the order of PUBLIC_WORDS."""
        return tuple(getattr(self, name) for name in PUBLIC_WORDS)

    def validate(self) -> None:
        """Check every range and that the counts fit the pubdata.

        Raises: StatementError for the first word that does not hold.
        """
        for name, bits in WORD_BITS.items():
            require_range(name, getattr(self, name), bits)
        for index, word in enumerate(self.pubdata):
            require_range(f"pubdata[{index}]", word, FIELD_BITS)
        if self.time_last_ms < self.time_first_ms:
            raise StatementError(
                "time_last_ms", f"at least time_first_ms = {self.time_first_ms}", self.time_last_ms
            )
        expected = (
            QUEUE_WORDS * self.queue_count
            + WITHDRAWAL_WORDS * self.withdrawal_count
            + ACCOUNT_WORDS * self.account_count
        )
        if len(self.pubdata) != expected:
            raise StatementError(
                "pubdata", f"{expected} words by the counts", f"{len(self.pubdata)} words"
            )


def domain(chain_id: int, address: int) -> int:
    """The first public word: settlement contract address above the chain id.

    Raises: StatementError if the chain id has over 64 or the address over 160 bits.
    """
    require_range("chain_id", chain_id, 64)
    require_range("settlement address", address, 160)
    return chain_id + (address << 64)


def to_json(statement: Statement) -> str:
    """The statement file: one JSON object, every word a hexadecimal string, newline at the end."""
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    document |= {name: hex(getattr(statement, name)) for name in PUBLIC_WORDS}
    document["pubdata"] = [hex(word) for word in statement.pubdata]
    return json.dumps(document, indent=1) + "\n"


def from_json(text: str) -> Statement:
    """Read a statement file; every number has exactly one accepted form.

    Raises: StatementError naming the first missing, unknown, mistyped or out-of-range field.
    """
    try:
        document = parse_json(text, BRACKETS_MAX, object_pairs_hook=_unique_fields)
    except TooManyBrackets as error:
        found = f"{error.brackets} opening brackets"
        raise StatementError("statement", "a flat JSON object", found) from None
    except ValueError as error:
        raise StatementError("statement", "a JSON object", f"invalid JSON ({error})") from None
    if not isinstance(document, dict):
        raise StatementError("statement", "a JSON object", type(document).__name__)
    _require_fields(document)
    if not isinstance(document["pubdata"], list):
        raise StatementError("pubdata", "a list of words", type(document["pubdata"]).__name__)
    values = {name: _parse_word(name, document[name]) for name in PUBLIC_WORDS}
    pubdata = tuple(
        _parse_word(f"pubdata[{index}]", word) for index, word in enumerate(document["pubdata"])
    )
    statement = Statement(**values, pubdata=pubdata)
    statement.validate()
    return statement


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, content in pairs:
        if name in document:
            raise StatementError(_short(name), "each field once", "the field twice")
        document[name] = content
    return document


def _require_fields(document: Mapping[str, Any]) -> None:
    if document.get("format") != FORMAT:
        raise StatementError("format", repr(FORMAT), _short(repr(document.get("format"))))
    # bool is an int in Python, and True == 1.
    version = document.get("version")
    if version != VERSION or type(version) is not int:
        raise StatementError("version", VERSION, _short(repr(version)))
    known = ("format", "version", *(field.name for field in fields(Statement)))
    for name in known:
        if name not in document:
            raise StatementError(name, "the field", "nothing")
    for name in document:
        if name not in known:
            raise StatementError(_short(name), "no such field", "the field")


def _short(shown: str) -> str:
    """At most 80 characters of what a file holds, so that an error stays one line."""
    return shown if len(shown) <= 80 else shown[:77] + "..."


def _parse_word(place: str, text: object) -> int:
    if not isinstance(text, str) or _HEX_WORD.fullmatch(text) is None:
        raise StatementError(
            place,
            "a string 0x... of up to 64 lower-case hexadecimal digits without leading zeros",
            _short(repr(text)),
        )
    return int(text, 16)


def require_range(place: str, word: int, bits: int) -> None:
    """Check that a word is an int of so many bits, or below r where bits is FIELD_BITS.

    Raises: StatementError naming the place.
    """
    if type(word) is not int:
        raise StatementError(place, "an integer", type(word).__name__)
    if bits < FIELD_BITS:
        if not 0 <= word < 1 << bits:
            raise StatementError(place, f"a number below 2**{bits}", word)
    elif not 0 <= word < R:
        raise StatementError(place, "a field element below r", word)
