"""The statement: order of the public words, every bound, and the strict statement file."""

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.errors import StatementError
from circuits.field import Q, R
from circuits.statement import (
    FIELD_BITS,
    PUBLIC_WORDS,
    WORD_BITS,
    Statement,
    domain,
    from_json,
    to_json,
)

STATEMENT = Statement(
    domain=domain(31337, 0xC0FFEE),
    batch_number=7,
    sequencer_epoch=1,
    old_root=R - 1,
    new_root=2,
    root_accounts=3,
    root_markets=4,
    root_books=5,
    root_system=6,
    time_first_ms=1_700_000_000_000,
    time_last_ms=1_700_000_000_500,
    queue_cursor_before=12,
    queue_hash=2**248 - 1,
    journal_head=99,
    command_count=3,
    queue_count=1,
    withdrawal_count=1,
    account_count=2,
    deposit_total=10,
    withdrawal_total=4,
    pubdata=tuple(range(100, 111)),
)
# Counts and times are tied to other words, so they cannot be moved alone.
FREE_WORDS = [
    name
    for name in PUBLIC_WORDS
    if not name.startswith("time_") and (not name.endswith("_count") or name == "command_count")
]


def bound_of(name: str) -> int:
    """The smallest number that a word may not be."""
    return R if WORD_BITS[name] == FIELD_BITS else 1 << WORD_BITS[name]


def bound_text(name: str) -> str:
    """How an error names the bound of a word."""
    bits = WORD_BITS[name]
    return "a field element below r" if bits == FIELD_BITS else f"a number below 2**{bits}"


def document() -> dict[str, Any]:
    """The statement file as parsed JSON."""
    parsed: dict[str, Any] = json.loads(to_json(STATEMENT))
    return parsed


def message_of(text: str) -> str:
    """What reading a bad statement file says."""
    with pytest.raises(StatementError) as caught:
        from_json(text)
    return str(caught.value)


def test_public_words_are_the_published_twenty_in_order() -> None:
    assert PUBLIC_WORDS == (
        "domain", "batch_number", "sequencer_epoch", "old_root", "new_root", "root_accounts",
        "root_markets", "root_books", "root_system", "time_first_ms", "time_last_ms",
        "queue_cursor_before", "queue_hash", "journal_head", "command_count", "queue_count",
        "withdrawal_count", "account_count", "deposit_total", "withdrawal_total",
    )  # fmt: skip
    assert tuple(field.name for field in fields(Statement)) == (*PUBLIC_WORDS, "pubdata")


def test_words_follow_the_order() -> None:
    words = STATEMENT.words()
    assert dict(zip(PUBLIC_WORDS, words, strict=True)) == {
        name: getattr(STATEMENT, name) for name in PUBLIC_WORDS
    }
    assert words[:3] == (31337 + (0xC0FFEE << 64), 7, 1)
    assert words[-2:] == (10, 4)


def test_sound_statement_validates() -> None:
    STATEMENT.validate()


@pytest.mark.parametrize("name", FREE_WORDS)
def test_largest_value_of_each_word_is_allowed(name: str) -> None:
    replace(STATEMENT, **{name: bound_of(name) - 1}).validate()


@pytest.mark.parametrize("name", PUBLIC_WORDS)
def test_bound_of_each_word_is_refused(name: str) -> None:
    for word in (bound_of(name), R + 1, Q - 1, 2**256, -1):
        with pytest.raises(StatementError) as caught:
            replace(STATEMENT, **{name: word}).validate()
        assert str(caught.value) == f"{name}: expected {bound_text(name)}, got {word}"


@pytest.mark.parametrize("name", PUBLIC_WORDS)
def test_each_word_plus_r_is_refused(name: str) -> None:
    with pytest.raises(StatementError):
        replace(STATEMENT, **{name: getattr(STATEMENT, name) + R}).validate()


@pytest.mark.parametrize("word", [R, Q - 1, -1])
def test_published_words_are_field_elements(word: int) -> None:
    pubdata = (*STATEMENT.pubdata[:4], word, *STATEMENT.pubdata[5:])
    with pytest.raises(StatementError) as caught:
        replace(STATEMENT, pubdata=pubdata).validate()
    assert str(caught.value) == f"pubdata[4]: expected a field element below r, got {word}"


@pytest.mark.parametrize("not_a_number", [True, 1.0, "1", None])
def test_words_are_integers(not_a_number: Any) -> None:
    with pytest.raises(StatementError) as caught:
        replace(STATEMENT, batch_number=not_a_number).validate()
    expected = f"batch_number: expected an integer, got {type(not_a_number).__name__}"
    assert str(caught.value) == expected


def test_time_runs_forward() -> None:
    replace(STATEMENT, time_last_ms=STATEMENT.time_first_ms).validate()
    with pytest.raises(StatementError) as caught:
        replace(STATEMENT, time_last_ms=STATEMENT.time_first_ms - 1).validate()
    assert str(caught.value) == (
        "time_last_ms: expected at least time_first_ms = 1700000000000, got 1699999999999"
    )


@pytest.mark.parametrize(
    ("count", "words"), [("queue_count", 4), ("withdrawal_count", 1), ("account_count", 3)]
)
def test_counts_account_for_every_published_word(count: str, words: int) -> None:
    with pytest.raises(StatementError) as caught:
        replace(STATEMENT, **{count: getattr(STATEMENT, count) + 1}).validate()
    assert str(caught.value) == f"pubdata: expected {11 + words} words by the counts, got 11 words"


def test_domain_packs_address_above_chain_id() -> None:
    assert domain(0, 0) == 0
    assert domain(2**64 - 1, 2**160 - 1) == 2**224 - 1
    assert domain(1, 1) == 2**64 + 1


@pytest.mark.parametrize(
    ("chain_id", "address", "message"),
    [
        (2**64, 0, f"chain_id: expected a number below 2**64, got {2**64}"),
        (-1, 0, "chain_id: expected a number below 2**64, got -1"),
        (1, 2**160, f"settlement address: expected a number below 2**160, got {2**160}"),
    ],
)
def test_domain_refuses_wide_parts(chain_id: int, address: int, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        domain(chain_id, address)
    assert str(caught.value) == message


@given(st.lists(st.integers(0, R - 1), min_size=11, max_size=11), st.integers(0, R - 1))
def test_file_round_trip(pubdata: list[int], root: int) -> None:
    statement = replace(STATEMENT, pubdata=tuple(pubdata), new_root=root)
    assert from_json(to_json(statement)) == statement


def test_file_form() -> None:
    text = to_json(STATEMENT)
    assert text.endswith("\n}\n")
    parsed = json.loads(text)
    assert list(parsed) == ["format", "version", *PUBLIC_WORDS, "pubdata"]
    assert (parsed["format"], parsed["version"]) == ("plasmaperps-statement", 1)
    assert parsed["batch_number"] == "0x7"


@pytest.mark.parametrize("name", ["format", "version", *PUBLIC_WORDS, "pubdata"])
def test_missing_field_is_named(name: str) -> None:
    parsed = document()
    del parsed[name]
    expected = {
        "format": "format: expected 'plasmaperps-statement', got None",
        "version": "version: expected 1, got None",
    }.get(name, f"{name}: expected the field, got nothing")
    assert message_of(json.dumps(parsed)) == expected


def test_unknown_field_is_named() -> None:
    assert message_of(json.dumps(document() | {"surprise": 1})) == (
        "surprise: expected no such field, got the field"
    )


def test_doubled_field_is_named() -> None:
    text = to_json(STATEMENT).replace("{", '{"domain": "0x1",', 1)
    assert message_of(text) == "domain: expected each field once, got the field twice"


@pytest.mark.parametrize("version", [0, 2, True, "1", 1.0, None])
def test_other_version_is_named(version: Any) -> None:
    message = message_of(json.dumps(document() | {"version": version}))
    assert message == f"version: expected 1, got {version!r}"


@pytest.mark.parametrize(
    "word", [7, "7", "0x07", "0x", "0xA", "0X7", " 0x7", "0x7\n", "0x-7", "0x" + "1" * 65, None, []]
)
def test_word_has_one_accepted_form(word: Any) -> None:
    message = message_of(json.dumps(document() | {"batch_number": word}))
    assert message.startswith(
        "batch_number: expected a string 0x... of up to 64 lower-case hexadecimal digits without "
        "leading zeros, got "
    )


def test_long_garbage_is_cut_in_the_message() -> None:
    garbage = "x" * 10_000
    for change in ({"batch_number": garbage}, {"format": garbage}, {garbage: 1}):
        assert len(message_of(json.dumps(document() | change))) < 250


@pytest.mark.parametrize("name", PUBLIC_WORDS)
def test_file_with_a_word_out_of_range_is_refused(name: str) -> None:
    word = bound_of(name)
    message = message_of(json.dumps(document() | {name: hex(word)}))
    assert message == f"{name}: expected {bound_text(name)}, got {word}"


@pytest.mark.parametrize(
    ("pubdata", "message"),
    [
        ("0x1", "pubdata: expected a list of words, got str"),
        (["0x1"], "pubdata: expected 11 words by the counts, got 1 words"),
        (
            [hex(R)] + ["0x1"] * 10,
            f"pubdata[0]: expected a field element below r, got {R}",
        ),
        (
            ["0x1"] * 10 + [1],
            (
                "pubdata[10]: expected a string 0x... of up to 64 lower-case hexadecimal digits "
                "without leading zeros, got 1"
            ),
        ),
    ],
)
def test_bad_pubdata_is_named(pubdata: Any, message: str) -> None:
    assert message_of(json.dumps(document() | {"pubdata": pubdata})) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "statement: expected a JSON object, got list"),
        ("null", "statement: expected a JSON object, got NoneType"),
        (
            "{",
            (
                "statement: expected a JSON object, got invalid JSON (Expecting property name "
                "enclosed in double quotes: line 1 column 2 (char 1))"
            ),
        ),
        (
            "[" * 100_000,
            "statement: expected a flat JSON object, got 100000 opening brackets",
        ),
    ],
)
def test_text_that_is_no_object_is_refused(text: str, message: str) -> None:
    assert message_of(text) == message


def test_huge_number_is_refused_as_json() -> None:
    assert message_of("9" * 5000).startswith("statement: expected a JSON object, got invalid JSON")
