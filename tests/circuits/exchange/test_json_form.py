"""The JSON line form: one spelling per value, everything else refused by name."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FIELDS, body_from_fields
from circuits.exchange.json_form import TimedBody, decode_line, encode_line, parse_object
from tests.support.exchange import deposit, register, transfer, withdraw

DEPOSIT = {
    "kind": "deposit",
    "account": 1,
    "owner": "0x" + "ab" * 20,
    "amount": "5",
    "after_ms": 9,
}
WITHDRAW = {
    "kind": "withdraw",
    "account": 1,
    "nonce": 2,
    "expiry_ms": 3,
    "amount": "4",
    "signature": {"r_x": "5", "r_y": "6", "s": "7"},
    "after_ms": 8,
}


def refusal(line: str) -> str:
    with pytest.raises(CodecError) as caught:
        decode_line(line)
    return str(caught.value)


@st.composite
def timed_bodies(draw: st.DrawFn) -> TimedBody:
    kind = draw(st.sampled_from(Kind))
    values = {spec.name: draw(st.integers(spec.minimum, spec.maximum)) for spec in FIELDS[kind]}
    return TimedBody(draw(st.integers(0, 2**48 - 1)), body_from_fields(kind, values))


@settings(print_blob=True)
@given(timed=timed_bodies())
def test_round_trip(timed: TimedBody) -> None:
    line = encode_line(timed)
    assert decode_line(line) == timed
    assert "\n" not in line


@pytest.mark.parametrize(
    "body", [deposit(1, 2), register(1), transfer(1, 2, 3, 4), withdraw(1, 2, 3)]
)
def test_every_kind_reads_back(body: Any) -> None:
    assert decode_line(encode_line(TimedBody(5, body))).body == body


def test_spelling() -> None:
    assert encode_line(TimedBody(9, deposit(1, 5))) == (
        '{"kind":"deposit","account":1,"owner":"0x000000000000000000000000000a11ce00000001",'
        '"amount":"5","after_ms":9}'
    )


KIND_FORM = "one of deposit, register_key, transfer, withdraw"

CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"account": "1"}, "field 'account': expected a JSON integer, got \"1\""),
    ({"account": 1.0}, "field 'account': expected a JSON integer, got 1.0"),
    ({"account": True}, "field 'account': expected a JSON integer, got true"),
    ({"account": None}, "field 'account': expected a JSON integer, got null"),
    ({"account": 0}, "field 'account': expected 1..16777215, got 0"),
    ({"account": 2**24}, "field 'account': expected 1..16777215, got 16777216"),
    ({"amount": 5}, "field 'amount': expected a decimal number in quotes, got 5"),
    ({"amount": "05"}, "field 'amount': expected a decimal number in quotes, got \"05\""),
    ({"amount": "+5"}, "field 'amount': expected a decimal number in quotes, got \"+5\""),
    ({"amount": "-5"}, "field 'amount': expected a decimal number in quotes, got \"-5\""),
    ({"amount": "5\n"}, "field 'amount': expected a decimal number in quotes, got \"5\\n\""),
    ({"amount": "٥"}, "field 'amount': expected a decimal number in quotes, got \"\\u0665\""),
    ({"amount": ""}, "field 'amount': expected a decimal number in quotes, got \"\""),
    ({"amount": "0"}, "field 'amount': expected 1..18446744073709551615, got 0"),
    ({"amount": str(2**64)}, f"field 'amount': expected 1..{2**64 - 1}, got {2**64}"),
    (
        {"owner": "0x" + "AB" * 20},
        f"field 'owner': expected 0x and 40 lower-case hex digits in quotes, got \"0x{'AB' * 20}\"",
    ),
    ({"owner": 5}, "field 'owner': expected 0x and 40 lower-case hex digits in quotes, got 5"),
    ({"after_ms": -1}, "field 'after_ms': expected 0..281474976710655, got -1"),
    ({"after_ms": 2**48}, f"field 'after_ms': expected 0..281474976710655, got {2**48}"),
    (
        {"kind": "place"},
        "field 'kind': expected one of deposit, register_key, transfer, withdraw, got \"place\"",
    ),
    (
        {"kind": ["deposit"]},
        f"field 'kind': expected {KIND_FORM}, got [\"deposit\"]",
    ),
    (
        {"fee": 1},
        'field "fee": expected only kind, account, owner, amount, after_ms, got this field',
    ),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=[text for _, text in CHANGES])
def test_a_changed_deposit_is_refused(change: dict[str, Any], message: str) -> None:
    assert refusal(json.dumps(DEPOSIT | change)) == message


@pytest.mark.parametrize("name", DEPOSIT)
def test_a_missing_field_is_named(name: str) -> None:
    record = {key: value for key, value in DEPOSIT.items() if key != name}
    expected = KIND_FORM if name == "kind" else "a value"
    assert refusal(json.dumps(record)) == f"field '{name}': expected {expected}, got no such field"


SIGNATURES: list[tuple[Any, str]] = [
    ("00", "field 'signature': expected an object, got \"00\""),
    ({"r_x": "1", "r_y": "1"}, "field 'signature.s': expected a value, got no such field"),
    (
        {"r_x": "1", "r_y": "1", "s": "1", "v": "1"},
        'field "signature.v": expected only r_x, r_y, s, got this field',
    ),
    (
        {"r_x": 1, "r_y": "1", "s": "1"},
        "field 'signature.r_x': expected a decimal number in quotes, got 1",
    ),
    (
        {"r_x": "1", "r_y": "1", "s": str(2**256)},
        f"field 'signature.s': expected 0..{2**256 - 1}, got {2**256}",
    ),
]


@pytest.mark.parametrize(("signature", "message"), SIGNATURES)
def test_a_changed_signature_is_refused(signature: Any, message: str) -> None:
    assert refusal(json.dumps(WITHDRAW | {"signature": signature})) == message


def test_zero_amounts_and_unknown_accounts_are_for_the_rules_to_refuse() -> None:
    order = decode_line(json.dumps(WITHDRAW | {"amount": "0", "account": 0})).body.transaction
    assert (order.amount, order.account) == (0, 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "column 1: expected a JSON object, got expecting value"),
        ('{"kind":', "column 9: expected a JSON object, got expecting value"),
        ("[1]", "column 1: expected a JSON object, got [1]"),
        ("null", "column 1: expected a JSON object, got null"),
        ('{"a":1,"a":1}', 'field "a": expected one value, got two'),
        ('{"a":NaN}', "column 1: expected numbers, got NaN"),
        (
            '{"a":' + "1" * 5000 + "}",
            "column 1: expected numbers of a few digits, got a number too long",
        ),
        (
            "[" * 100_000,
            "column 1: expected a flat JSON object, got 100000 opening brackets",
        ),
        ("{} {}", "column 4: expected a JSON object, got extra data"),
    ],
    ids=["empty", "cut", "list", "null", "twice", "nan", "digits", "nesting", "two"],
)
def test_lines_that_are_no_object(line: str, message: str) -> None:
    assert refusal(line) == message


@settings(print_blob=True)
@given(text=st.text(max_size=60))
def test_only_codec_errors_escape(text: str) -> None:
    with contextlib.suppress(CodecError):
        parse_object(text)
    with contextlib.suppress(CodecError):
        decode_line(text)


def test_a_long_value_is_cut_in_the_message() -> None:
    message = refusal(json.dumps(DEPOSIT | {"amount": "9" * 200}))
    assert message.endswith("9...")
    assert len(message) < 150
