"""Canonical bytes of commands: what is written is read back, and nothing else is read."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Signed
from circuits.exchange.codec import decode_command, encode_command, encoded_length
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, Items
from circuits.exchange.leaves import FeeTerms, MarketTerms
from circuits.exchange.transactions.batch import Batch, CancelOperation, PlaceOperation
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.place import Place
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.field import R
from circuits.signature import Signature
from tests.support.bodies import bodies, bodies_of
from tests.support.exchange import transfer

COMMANDS = st.builds(Command, st.integers(0, 2**48 - 1), bodies())
SIGNATURE = Signature(0xA, 0xB, 0xC)
SIGNED_END = "0a".zfill(64) + "0b".zfill(64) + "0c".zfill(64)
HEAD = "000000010203"


@cache
def sample(kind: Kind) -> bytes:
    """The bytes of one command of a kind, with some items if it has any."""
    found = []

    @settings(max_examples=20, database=None)
    @given(body=bodies_of(kind))
    def collect(body: Any) -> None:
        found.append(encode_command(Command(5, body)))

    collect()
    return sorted(found, key=len)[len(found) // 2]


@settings(print_blob=True, max_examples=400)
@given(command=COMMANDS)
def test_round_trip(command: Command) -> None:
    encoded = encode_command(command)
    assert decode_command(encoded) == command
    kind = Kind(encoded[0])
    assert len(encoded) >= encoded_length(kind)
    assert len(encoded) == encoded_length(kind) or isinstance(FORMS[kind].tail, Items)


@settings(print_blob=True)
@given(data=st.binary(max_size=200))
def test_bytes_decode_to_what_encodes_to_them_or_not_at_all(data: bytes) -> None:
    try:
        command = decode_command(data)
    except CodecError:
        return
    assert encode_command(command) == data


@settings(print_blob=True, max_examples=300)
@given(command=COMMANDS, data=st.data())
def test_changed_bytes_decode_to_what_encodes_to_them_or_not_at_all(
    command: Command, data: st.DataObject
) -> None:
    changed = bytearray(encode_command(command))
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_command(bytes(changed))
    except CodecError:
        return
    assert encode_command(other) == changed
    assert other != command


@pytest.mark.parametrize("kind", Kind, ids=[kind.name for kind in Kind])
def test_other_lengths_and_kinds_are_refused(kind: Kind) -> None:
    encoded = sample(kind)
    for end in range(len(encoded)):
        with pytest.raises(CodecError):
            decode_command(encoded[:end])
    for tail in (b"\0", b"\x01", bytes(11)):
        with pytest.raises(CodecError):
            decode_command(encoded + tail)
    for first in set(range(256)) - set(Kind):
        with pytest.raises(CodecError):
            decode_command(bytes([first]) + encoded[1:])


def test_layout_of_a_deposit() -> None:
    encoded = encode_command(Command(0x010203, Deposit(0x0A, 0xB0B, 0x0C)))
    assert encoded.hex() == "01" + HEAD + "00000a" + "b0b".zfill(40) + "0c".zfill(16)


def test_layout_of_a_place() -> None:
    place = Place(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    encoded = encode_command(Command(0x010203, Signed(place, SIGNATURE)))
    assert encoded.hex() == "".join(
        (
            "20" + HEAD,
            *("000001", "000000000002", "000000000003", "04", "0005", "06", "07", "08"),
            *("00000009", "00000000000a", "00000000000b", SIGNED_END),
        )
    )


def test_layout_of_a_batch() -> None:
    operations = (PlaceOperation(1, 2, 3, 4, 5, 6, 7), CancelOperation(8, 9))
    batch = Batch(1, 2, 3, 4, operations)
    encoded = encode_command(Command(0x010203, Signed(batch, SIGNATURE)))
    assert encoded.hex() == "".join(
        (
            *("24", HEAD, "000001", "000000000002", "000000000003", "04", SIGNED_END, "02"),
            *("01", "0001", "02", "03", "04", "00000005", "000000000006", "000000000007"),
            *("02", "08", "000000000009"),
        )
    )


def test_layout_of_an_oracle_tick() -> None:
    tick = OracleTick(3, (Quote(1, 2, 3, SIGNATURE),))
    assert encode_command(Command(0x010203, tick)).hex() == "".join(
        ("30", HEAD, "0003", "01", "01", "00000002", "000000000003", SIGNED_END)
    )


def test_layout_of_what_governance_decides() -> None:
    fees = encode_command(Command(0x010203, SetFees(FeeTerms(1, 2, 3, 4, 5, 6, 7, 8))))
    assert fees.hex() == "13" + HEAD + "".join(f"{number:06x}" for number in range(1, 9))
    keys = encode_command(Command(0x010203, SetOracleSigners(3, ((1, 2),))))
    assert keys.hex() == "12" + HEAD + "03" + "01" + "01".zfill(64) + "02".zfill(64)
    terms = MarketTerms(*range(1, 19), -19, *range(20, 24))
    update = encode_command(Command(0x010203, UpdateMarket(2, 1, terms))).hex()
    assert update.startswith("11" + HEAD + "0002" + "01" + "00000001" + "000002")
    # The interest, the one field that can be negative, has 2^31 added.
    assert f"{2**31 - 19:08x}" + "00000014" + "00000015" in update
    assert decode_command(bytes.fromhex(update)).body.terms.interest_ppb == -19


def test_lengths() -> None:
    assert {kind.name: encoded_length(kind) for kind in Kind} == {
        "DEPOSIT": 38,
        "REGISTER_KEY": 94,
        "TRANSFER": 129,
        "WITHDRAW": 126,
        "FORCED_WITHDRAW": 38,
        "FORCED_CLOSE": 32,
        "FORCED_CANCEL_ALL": 30,
        "REQUEST_LIQUIDATION": 35,
        "VAULT_DEPOSIT": 41,
        "VAULT_REDEEM": 45,
        "LIST_MARKET": 94,
        "UPDATE_MARKET": 95,
        "SET_ORACLE_SIGNERS": 9,
        "SET_FEES": 31,
        "SET_VAULT": 51,
        "SET_MODE": 8,
        "ROTATE_SEQUENCER": 15,
        "PLACE": 140,
        "CANCEL": 126,
        "CANCEL_ALL": 119,
        "MODIFY": 147,
        "BATCH": 120,
        "PLACE_TRIGGER": 146,
        "SET_AGENT": 190,
        "REVOKE_AGENT": 119,
        "SET_REFERRER": 121,
        "ADJUST_ISOLATED": 130,
        "VAULT_REDEEM_REQUEST": 133,
        "ORACLE_TICK": 10,
        "EXPIRE": 12,
        "TRIGGER": 11,
        "FUNDING_SAMPLE": 9,
        "FUNDING_SETTLE": 9,
        "HALT": 9,
        "RESUME": 9,
        "CLEAR_ORDERS": 10,
        "LIQUIDATE": 18,
        "TAKE_OVER": 21,
        "COVER_DEFICIT": 10,
        "AUTO_DELEVERAGE": 15,
        "VAULT_QUOTE": 9,
        "VAULT_SETTLE_EPOCH": 10,
    }


def test_every_field_is_whole_bytes_and_every_kind_has_a_form() -> None:
    assert set(FORMS) == set(Kind)
    for form in FORMS.values():
        assert all(spec.bits % 8 == 0 for spec in form.layout.fields)


KINDS = ", ".join(str(int(kind)) for kind in Kind)
TICK = "30" + HEAD + "0003"
ORDERS = "24" + HEAD + "000001" + "00" * 13 + SIGNED_END


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("", "byte 0: expected a command kind, got no bytes"),
        ("00", f"byte 0: expected a command kind ({KINDS}), got 0"),
        ("0b" + "00" * 37, f"byte 0: expected a command kind ({KINDS}), got 11"),
        ("01" + "00" * 36, "deposit command: expected 38 bytes, got 37"),
        ("01" + "00" * 37, "account: expected 1..16777215, got 0"),
        ("01" + "00" * 8 + "01" + "00" * 28, f"amount: expected 1..{2**64 - 1}, got 0"),
        (
            "02" + "00" * 8 + "01" + "00" * 20 + f"{R:064x}" + "00" * 32,
            f"key_x: expected 0..{R - 1}, got {R}",
        ),
        (TICK, "oracle_tick command: expected at least 10 bytes, got 9"),
        (TICK + "11", "quotes: expected at most 16, got 17"),
        (TICK + "01" + "00" * 106, "oracle_tick command: expected at least 117 bytes, got 116"),
        (TICK + "01" + "00" * 108, "oracle_tick command: expected 117 bytes, got 118"),
        (ORDERS + "33", "operations: expected at most 50, got 51"),
        (ORDERS + "01", "batch command: expected at least 121 bytes, got 120"),
        (ORDERS + "01" + "03", "operations[0]: expected a code (place 1, cancel 2), got 3"),
        (
            "12" + HEAD + "03" + "02" + "00" * 64 + f"{R:064x}" + "00" * 32,
            f"keys[1].x: expected 0..{R - 1}, got {R}",
        ),
        (
            "10" + HEAD + "0000" + "00" * 73 + "ff" * 4 + "00" * 8,
            f"terms.funding_cap_ppb: expected 0..{2**31 - 1}, got {2**32 - 1}",
        ),
    ],
)
def test_bytes_that_are_no_command(encoded: str, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_command(bytes.fromhex(encoded))
    assert str(caught.value) == message


FEES = FeeTerms(1, 2, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (Command(2**48, Deposit(1, 1, 1)), f"time_ms: expected 0..{2**48 - 1}, got {2**48}"),
        (Command(-1, Deposit(1, 1, 1)), f"time_ms: expected 0..{2**48 - 1}, got -1"),
        (Command(0, Deposit(1, 2**160, 1)), f"owner: expected 0..{2**160 - 1}, got {2**160}"),
        (Command(0, Deposit(0, 1, 1)), "account: expected 1..16777215, got 0"),
        (Command(0, Halt(2**16)), "market: expected 0..65535, got 65536"),
        (Command(0, Halt(-1)), "market: expected 0..65535, got -1"),
        (
            Command(0, SetFees(FEES._replace(maker_ppm=2**24))),
            "terms.maker_ppm: expected 0..16777215, got 16777216",
        ),
        (
            Command(0, OracleTick(1, (Quote(1, 2**32, 3, SIGNATURE),))),
            "quotes[0].price: expected 0..4294967295, got 4294967296",
        ),
        (
            Command(0, SetOracleSigners(1, ((1, 2),) * 17)),
            "keys: expected at most 16, got 17",
        ),
    ],
)
def test_commands_that_have_no_bytes(command: Any, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        encode_command(command)
    assert str(caught.value) == message


def test_a_signed_command_keeps_its_signature() -> None:
    command = Command(7, transfer(1, 2, 3, 4))
    assert decode_command(encode_command(command)).body.signature == command.body.signature
