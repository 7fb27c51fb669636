"""Canonical bytes of commands: what is written is read back, and nothing else is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.apply import Body, Command
from circuits.exchange.codec import decode_command, encode_command, encoded_length
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.fields import FIELDS, body_from_fields
from circuits.exchange.transactions.deposit import Deposit
from circuits.field import R
from tests.support.exchange import transfer


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    kind = draw(st.sampled_from(Kind))
    values = {
        spec.name: draw(
            st.one_of(
                st.integers(spec.minimum, spec.maximum),
                st.sampled_from([spec.minimum, spec.maximum]),
            )
        )
        for spec in FIELDS[kind]
    }
    return body_from_fields(kind, values)


COMMANDS = st.builds(Command, st.integers(0, 2**48 - 1), bodies())


@settings(print_blob=True)
@given(command=COMMANDS)
def test_round_trip(command: Command) -> None:
    encoded = encode_command(command)
    assert decode_command(encoded) == command
    assert len(encoded) == encoded_length(Kind(encoded[0]))


@settings(print_blob=True)
@given(data=st.binary(max_size=200))
def test_bytes_decode_to_what_encodes_to_them_or_not_at_all(data: bytes) -> None:
    try:
        command = decode_command(data)
    except CodecError:
        return
    assert encode_command(command) == data


@settings(print_blob=True)
@given(command=COMMANDS, cut=st.integers(1, 120), tail=st.binary(min_size=1, max_size=3))
def test_other_lengths_are_refused(command: Command, cut: int, tail: bytes) -> None:
    encoded = encode_command(command)
    for wrong in (encoded[:-cut], encoded + tail):
        with pytest.raises(CodecError):
            decode_command(wrong)


def test_layout_of_a_deposit() -> None:
    encoded = encode_command(Command(0x010203, Deposit(0x0A, 0xB0B, 0x0C)))
    assert encoded.hex() == "01" + "000000010203" + "00000a" + "b0b".zfill(40) + "0c".zfill(16)


def test_lengths() -> None:
    assert {kind.name: encoded_length(kind) for kind in Kind} == {
        "DEPOSIT": 38,
        "REGISTER_KEY": 94,
        "TRANSFER": 129,
        "WITHDRAW": 126,
    }


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (b"", "byte 0: expected a command kind, got no bytes"),
        (b"\x00", "byte 0: expected a command kind (1, 2, 3, 4), got 0"),
        (b"\x05" + bytes(37), "byte 0: expected a command kind (1, 2, 3, 4), got 5"),
        (b"\x01" + bytes(36), "deposit command: expected 38 bytes, got 37"),
        (b"\x01" + bytes(37), "account: expected 1..16777215, got 0"),
        (
            b"\x01" + bytes(8) + b"\x01" + bytes(28),
            "amount: expected 1..18446744073709551615, got 0",
        ),
        (
            b"\x02" + bytes(8) + b"\x01" + bytes(20) + R.to_bytes(32, "big") + bytes(32),
            f"key_x: expected 0..{R - 1}, got {R}",
        ),
    ],
)
def test_bytes_that_are_no_command(encoded: bytes, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode_command(encoded)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (Command(2**48, Deposit(1, 1, 1)), f"time_ms: expected 0..{2**48 - 1}, got {2**48}"),
        (Command(-1, Deposit(1, 1, 1)), f"time_ms: expected 0..{2**48 - 1}, got -1"),
        (Command(0, Deposit(1, 2**160, 1)), f"owner: expected 0..{2**160 - 1}, got {2**160}"),
    ],
)
def test_commands_that_have_no_bytes(command: Any, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        encode_command(command)
    assert str(caught.value) == message


def test_a_signed_command_keeps_its_signature() -> None:
    command = Command(7, transfer(1, 2, 3, 4))
    assert decode_command(encode_command(command)).body.signature == command.body.signature
