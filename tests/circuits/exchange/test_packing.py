"""Leaves and their words: there and back, at every bound of every field, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits import poseidon2
from circuits.exchange.errors import PubdataError
from circuits.exchange.leaves import Account, Controls, Leaf, OracleSigner, Position
from circuits.exchange.packing import (
    BY_KIND,
    BY_TAG,
    HEADER_BITS,
    HEADER_FIELDS,
    PACKINGS,
    WHOLE_WORD,
    Field,
    Packing,
    check_widths,
    header_fields,
    header_word,
    words_of,
)
from circuits.field import R

FIELDS = [
    pytest.param(packing, field, id=f"{packing.kind.__name__}.{field.name}")
    for packing in PACKINGS
    for fields in packing.words
    for field in fields
]


def bounds_of(field: Field) -> tuple[int, int]:
    """The smallest and the largest value that a field holds."""
    if field.bits == WHOLE_WORD:
        return 0, R - 1
    half = 1 << field.bits - 1
    return (-half, half - 1) if field.signed else (0, 2 * half - 1)


def zeros(packing: Packing) -> Any:
    return packing.kind(**dict.fromkeys(packing.kind._fields, 0))


def round_trip(packing: Packing, leaf: Leaf) -> None:
    words = words_of(leaf)
    assert all(0 <= word < R for word in words)
    assert packing.unpack(words, "leaf") == leaf


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    packing = draw(st.sampled_from(PACKINGS))
    values = {}
    for fields in packing.words:
        for field in fields:
            low, high = bounds_of(field)
            values[field.name] = draw(
                st.one_of(st.integers(low, high), st.sampled_from([low, 0, high]))
            )
    return packing.kind(**values)


@pytest.mark.parametrize(("packing", "field"), FIELDS)
def test_every_field_at_its_bounds(packing: Packing, field: Field) -> None:
    low, high = bounds_of(field)
    assert low <= 0 < high
    for value in (low, 0, 1, high):
        round_trip(packing, zeros(packing)._replace(**{field.name: value}))


@pytest.mark.parametrize(("packing", "field"), FIELDS)
def test_just_outside(packing: Packing, field: Field) -> None:
    low, high = bounds_of(field)
    if field.bits == WHOLE_WORD:
        high = 2**WHOLE_WORD - 1  # keys are field elements already; only the width is checked here
    for value in (low - 1, high + 1):
        leaf = zeros(packing)._replace(**{field.name: value})
        with pytest.raises(ValueError, match=f"^{packing.kind.__name__}.{field.name}: expected"):
            words_of(leaf)


@given(leaf=leaves())
def test_there_and_back(leaf: Leaf) -> None:
    round_trip(BY_KIND[type(leaf)], leaf)


@given(left=leaves(), right=leaves())
def test_different_leaves_have_different_words(left: Leaf, right: Leaf) -> None:
    """Under their tags, which is how they are hashed."""
    keys = [(BY_KIND[type(leaf)].tag, words_of(leaf)) for leaf in (left, right)]
    assert (keys[0] == keys[1]) == (type(left) is type(right) and left == right)


@pytest.mark.parametrize(("packing", "field"), FIELDS)
def test_each_field_has_bits_of_its_own(packing: Packing, field: Field) -> None:
    """All ones in one field changes no other: so no two fields can stand for each other."""
    low, high = bounds_of(field)
    filled = zeros(packing)._replace(**{field.name: high if low == 0 else -1})
    words, empty = words_of(filled), words_of(zeros(packing))
    changed = [word ^ other for word, other in zip(words, empty, strict=True)]
    assert sum(map(bool, changed)) == 1
    assert packing.unpack(words, "leaf") == filled


@pytest.mark.parametrize("packing", PACKINGS, ids=lambda packing: packing.kind.__name__)
def test_bits_that_no_field_owns(packing: Packing) -> None:
    empty = words_of(zeros(packing))
    for place in range(3):
        fields = packing.words[place] if place < len(packing.words) else ()
        width = sum(field.bits for field in fields)
        if width == WHOLE_WORD:
            continue
        for bad in (empty[place] | 1 << width, empty[place] | 1 << 253):
            words = list(empty)
            words[place] = bad
            with pytest.raises(PubdataError) as caught:
                packing.unpack(tuple(words), "leaf 7")  # type: ignore[arg-type]
            assert str(caught.value) == f"leaf 7: expected a word of {width} bits, got {bad:#x}"


@pytest.mark.parametrize("word", [R, R + 1, 2**254 - 1])
def test_a_whole_word_is_a_field_element(word: int) -> None:
    packing = BY_KIND[OracleSigner]
    for words in ((word, 0, 0), (0, word, 0)):
        with pytest.raises(PubdataError, match=r"^leaf: expected a word of 254 bits"):
            packing.unpack(words, "leaf")
    assert packing.unpack((R - 1, R - 1, 0), "leaf") == OracleSigner(R - 1, R - 1)


def test_a_word_above_the_field_is_refused_where_there_is_no_field() -> None:
    with pytest.raises(PubdataError, match=r"^leaf: expected a word of 0 bits"):
        BY_KIND[Controls].unpack((0, 0, 1), "leaf")


def test_every_kind_has_a_tag_of_its_own() -> None:
    tags = {name: tag for name, tag in vars(poseidon2).items() if name.startswith("TAG_")}
    assert len(set(tags.values())) == len(tags)
    assert len(BY_TAG) == len(BY_KIND) == len(PACKINGS)
    assert {packing.tag for packing in PACKINGS} <= set(tags.values())
    assert poseidon2.TAG_HEADER not in BY_TAG
    assert Account not in BY_KIND


class TestHeader:
    """The second word of a header; its first is a hash and its third the cash."""

    @pytest.mark.parametrize("field", HEADER_FIELDS, ids=lambda field: field.name)
    def test_every_field_at_its_bounds(self, field: Field) -> None:
        for value in (0, 1, 2**field.bits - 1):
            account = Account(7)._replace(**{field.name: value})
            expected = {name: getattr(account, name) for name, _, _ in HEADER_FIELDS}
            assert header_fields(header_word(account), "header") == expected

    def test_of_an_account_with_nothing_but_cash_it_is_the_nonce(self) -> None:
        assert header_word(Account(7, nonce=2**48 - 1, cash=-5)) == 2**48 - 1

    @pytest.mark.parametrize("bit", [HEADER_BITS, 247, 253])
    def test_bits_that_no_field_owns(self, bit: int) -> None:
        with pytest.raises(PubdataError) as caught:
            header_fields(5 | 1 << bit, "account 7")
        expected = f"account 7: expected a word of {HEADER_BITS} bits, got {5 | 1 << bit:#x}"
        assert str(caught.value) == expected

    def test_every_bit_that_a_field_owns(self) -> None:
        values = header_fields(2**HEADER_BITS - 1, "header")
        assert values == {name: 2**bits - 1 for name, bits, _ in HEADER_FIELDS}


class TestWidths:
    """A packing that would not be injective is refused at import."""

    def with_words(self, *words: tuple[Field, ...]) -> list[Packing]:
        return [Packing(Controls, 1, words)]

    FIELDS = (Field("mode", 8), Field("sequencer_epoch", 224), Field("quorum", 8))

    def test_up_to_248_bits(self) -> None:
        check_widths(self.with_words((*self.FIELDS, Field("signer_count", 8))))
        with pytest.raises(ValueError, match=r"^Controls: expected 248 bits, 249$"):
            check_widths(self.with_words((*self.FIELDS, Field("signer_count", 9))))

    def test_a_whole_word_stands_alone(self) -> None:
        whole = Field("signer_count", WHOLE_WORD)
        check_widths(self.with_words(self.FIELDS, (whole,)))
        with pytest.raises(ValueError, match=r"^Controls: expected 248 bits, 494$"):
            check_widths(self.with_words((*self.FIELDS, whole)))
        with pytest.raises(ValueError, match=r"^Controls: expected 248 bits, 253$"):
            check_widths(self.with_words(self.FIELDS, (Field("signer_count", 253),)))

    @pytest.mark.parametrize("name", ["mode", "other"])
    def test_the_fields_are_those_of_the_leaf(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"^Controls: expected its fields, got "):
            check_widths(self.with_words(self.FIELDS))
        with pytest.raises(ValueError, match=r"^Controls: expected its fields, got "):
            check_widths(self.with_words((*self.FIELDS, Field(name, 8))))

    def test_those_of_the_exchange_hold(self) -> None:
        check_widths(PACKINGS)
        assert BY_KIND[Position].kind is Position
