"""Fields in a row: bounds that the bytes do not keep, numbers below zero, errors by name."""

from __future__ import annotations

import random

import pytest

from circuits.exchange.errors import CodecError
from circuits.exchange.fields import LEAF_LAYOUTS
from circuits.exchange.layout import FieldSpec, Layout, field, reader
from circuits.exchange.leaves import Account, Position
from circuits.exchange.packing import BY_KIND
from tests.support.leaves import any_leaf

LAYOUT = Layout(
    (field("small", 4), FieldSpec("signed", 12, -(2**11), 2**11 - 1), field("whole", 16)),
    lambda *values: values,
    tuple,
)


@pytest.mark.parametrize(
    ("values", "encoded"),
    [((0, 0, 0), "0008000000"), ((15, -2048, 65535), "0f0000ffff"), ((1, 2047, 2), "010fff0002")],
)
def test_bytes(values: tuple[int, ...], encoded: str) -> None:
    assert LAYOUT.encode(values).hex() == encoded
    assert LAYOUT.decode(b"\xff" + bytes.fromhex(encoded), 1) == values
    assert LAYOUT.byte_count == 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((16, 0, 0), "small: expected 0..15, got 16"),
        ((0, 2048, 0), "signed: expected -2048..2047, got 2048"),
        ((0, -2049, 0), "signed: expected -2048..2047, got -2049"),
        ((0, 0, 65536), "whole: expected 0..65535, got 65536"),
        ((0, 0, -1), "whole: expected 0..65535, got -1"),
    ],
)
def test_values_that_do_not_fit(values: tuple[int, ...], message: str) -> None:
    with pytest.raises(CodecError) as caught:
        LAYOUT.encode(values, "terms.")
    assert str(caught.value) == f"terms.{message}"


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("1000000000", "small: expected 0..15, got 16"),
        ("0010000000", "signed: expected -2048..2047, got 2048"),
    ],
)
def test_bytes_that_say_too_much(encoded: str, message: str) -> None:
    with pytest.raises(CodecError) as caught:
        LAYOUT.decode(bytes.fromhex(encoded))
    assert str(caught.value) == message


def test_a_reader_gives_a_tuple_however_many_names() -> None:
    account = Account(7, nonce=9)
    assert reader([])(account) == ()
    assert reader(["owner"])(account) == (7,)
    assert reader(["nonce", "owner"])(account) == (9, 7)


@pytest.mark.parametrize("kind", LEAF_LAYOUTS, ids=[kind.__name__ for kind in LEAF_LAYOUTS])
def test_every_leaf_reads_back(kind: type, rng: random.Random) -> None:
    layout = LEAF_LAYOUTS[kind]
    for _ in range(20):
        leaf = any_leaf(kind, rng)
        assert layout.decode(layout.encode(leaf)) == leaf
        assert type(layout.decode(layout.encode(leaf))) is kind


def test_a_leaf_has_bytes_if_it_has_words() -> None:
    """The two ways of writing a leaf agree on what is in range."""
    whole = Position(1023, -(2**47), -(2**64), 2**30 - 1, 0)
    assert LEAF_LAYOUTS[Position].encode(whole)
    for change in ({"market": 1024}, {"size": 2**47}, {"entry_quote": 2**64}, {"next": 2**30}):
        leaf = whole._replace(**change)
        with pytest.raises(CodecError):
            LEAF_LAYOUTS[Position].encode(leaf)
        with pytest.raises(ValueError, match=r"expected \d+ bits"):
            BY_KIND[Position].pack(leaf)
