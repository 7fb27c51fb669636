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
from circuits.exchange.json_form import TimedBody, decode_line, encode_line, parse_object
from circuits.exchange.leaves import FeeTerms
from circuits.exchange.transactions.batch import Batch, CancelOperation, PlaceOperation
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.signature import Signature
from tests.support.bodies import bodies
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


TIMED = st.builds(TimedBody, st.integers(0, 2**48 - 1), bodies())


@settings(print_blob=True, max_examples=300)
@given(timed=TIMED)
def test_round_trip(timed: TimedBody) -> None:
    line = encode_line(timed)
    assert decode_line(line) == timed
    assert "\n" not in line
    assert encode_line(decode_line(line)) == line


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


def test_spelling_of_what_holds_more() -> None:
    signature = Signature(1, 2, 3)
    tick = OracleTick(3, (Quote(1, 2, 3, signature),))
    assert encode_line(TimedBody(9, tick)) == (
        '{"kind":"oracle_tick","market":3,"quotes":[{"signer":1,"price":2,"time_ms":3,'
        '"signature":{"r_x":"1","r_y":"2","s":"3"}}],"after_ms":9}'
    )
    fees = SetFees(FeeTerms(1, 2, 3, 4, 5, 6, 7, 8))
    assert encode_line(TimedBody(9, fees)) == (
        '{"kind":"set_fees","terms":{"taker_ppm":1,"maker_ppm":2,"referrer_share_ppm":3,'
        '"vault_share_ppm":4,"insurance_share_ppm":5,"fee_account":6,"insurance_account":7,'
        '"vault_account":8},"after_ms":9}'
    )
    keys = SetOracleSigners(1, ((4, 5),))
    assert encode_line(TimedBody(9, keys)) == (
        '{"kind":"set_oracle_signers","quorum":1,"keys":[{"x":"4","y":"5"}],"after_ms":9}'
    )


BATCH = {
    "kind": "batch",
    "account": 1,
    "nonce": 2,
    "expiry_ms": 3,
    "key_slot": 4,
    "operations": [
        {
            "kind": "place",
            "market": 1,
            "side": 0,
            "time_in_force": 2,
            "reduce_only": 1,
            "price": 5,
            "size": 6,
            "good_until_ms": 7,
        },
        {"kind": "cancel", "order_key_slot": 8, "order_nonce": 9},
    ],
    "signature": {"r_x": "5", "r_y": "6", "s": "7"},
    "after_ms": 8,
}


def test_a_batch_as_json() -> None:
    body = decode_line(json.dumps(BATCH)).body
    operations = (PlaceOperation(1, 0, 2, 1, 5, 6, 7), CancelOperation(8, 9))
    assert body.transaction == Batch(1, 2, 3, 4, operations)
    assert json.loads(encode_line(TimedBody(8, body))) == BATCH


CANCEL = BATCH["operations"][1]
LIST_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"operations": {}}, "field 'operations': expected a list, got {}"),
    ({"operations": [1]}, "field 'operations[0]': expected an object, got 1"),
    ({"operations": [CANCEL] * 51}, "operations: expected at most 50, got 51"),
    (
        {"operations": [CANCEL, {"kind": "modify"}]},
        "field 'operations[1].kind': expected one of place, cancel, got \"modify\"",
    ),
    (
        {"operations": [{}]},
        "field 'operations[0].kind': expected one of place, cancel, got no such field",
    ),
    (
        {"operations": [CANCEL | {"price": 1}]},
        (
            'field "operations[0].price": expected only kind, order_key_slot, order_nonce, '
            "got this field"
        ),
    ),
    (
        {"operations": [CANCEL | {"order_nonce": "9"}]},
        "field 'operations[0].order_nonce': expected a JSON integer, got \"9\"",
    ),
]


@pytest.mark.parametrize(("change", "message"), LIST_FAULTS, ids=[text for _, text in LIST_FAULTS])
def test_a_changed_batch_is_refused(change: dict[str, Any], message: str) -> None:
    assert refusal(json.dumps(BATCH | change)) == message


QUOTE = {"signer": 1, "price": 2, "time_ms": 3, "signature": {"r_x": "1", "r_y": "2", "s": "3"}}
TICK = {"kind": "oracle_tick", "market": 1, "quotes": [QUOTE], "after_ms": 0}
FEES = dict.fromkeys(FeeTerms._fields, 1)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            TICK | {"quotes": [QUOTE | {"signature": {"r_x": "1", "r_y": "2"}}]},
            "field 'quotes[0].signature.s': expected a value, got no such field",
        ),
        (
            TICK | {"quotes": [{"signer": 1, "price": 2, "time_ms": 3}]},
            "field 'quotes[0].signature': expected a value, got no such field",
        ),
        (TICK | {"quotes": [QUOTE] * 17}, "quotes: expected at most 16, got 17"),
        (
            {"kind": "set_fees", "terms": [], "after_ms": 0},
            "field 'terms': expected an object, got []",
        ),
        (
            {"kind": "set_fees", "terms": FEES | {"maker_ppm": -1}, "after_ms": 0},
            "field 'terms.maker_ppm': expected 0..16777215, got -1",
        ),
        (
            {"kind": "set_fees", "terms": FEES | {"gas": 1}, "after_ms": 0},
            f'field "terms.gas": expected only {", ".join(FeeTerms._fields)}, got this field',
        ),
    ],
)
def test_other_faults_inside_a_command(record: dict[str, Any], message: str) -> None:
    assert refusal(json.dumps(record)) == message


def test_only_what_fits_has_a_line() -> None:
    with pytest.raises(CodecError) as caught:
        encode_line(TimedBody(0, Deposit(0, 1, 1)))
    assert str(caught.value) == "account: expected 1..16777215, got 0"


KIND_FORM = "one of " + ", ".join(kind.name.lower() for kind in Kind)

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
        {"kind": "order"},
        f"field 'kind': expected {KIND_FORM}, got \"order\"",
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
