"""What is signed: every field of every kind, each in bits of its own."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.bodies import SignedTransaction
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.transactions.authority import (
    SCOPES,
    SIGNED_WIDTHS,
    digest_of,
    signed_words,
)
from circuits.exchange.transactions.batch import Batch, CancelOperation, PlaceOperation
from circuits.poseidon2 import TAG_COMMAND, hash_words
from tests.support.exchange import DOMAIN

KINDS = get_args(SignedTransaction)
OPERATIONS = (PlaceOperation, CancelOperation)
ALL_FIELDS = [
    pytest.param(kind, name, bits, id=f"{kind.__name__}.{name}")
    for kind in (*KINDS, *OPERATIONS)
    for name, bits in kind.WIDTHS
]


def zeros(kind: Any) -> Any:
    names = [field.name for field in fields(kind)]
    return kind(**{name: () if name == "operations" else 0 for name in names})


def words_of(value: Any) -> tuple[int, ...]:
    """The signed words of a transaction, or of a batch with one operation."""
    if isinstance(value, OPERATIONS):
        value = replace(zeros(Batch), operations=(value,))
    return signed_words(value, DOMAIN)


@st.composite
def transactions(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(KINDS))
    values = {
        name: draw(st.one_of(st.integers(0, 3), st.integers(0, 2**bits - 1)))
        for name, bits in kind.WIDTHS
    }
    if kind is Batch:
        values["operations"] = tuple(draw(st.lists(operations(), max_size=3)))
    return kind(**values)


@st.composite
def operations(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(OPERATIONS))
    return kind(*(draw(st.integers(0, 2**bits - 1)) for _, bits in kind.WIDTHS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_widths_name_every_field(kind: Any) -> None:
    names = [field.name for field in fields(kind) if field.name != "operations"]
    assert [name for name, _ in kind.WIDTHS] == names
    assert kind.WIDTHS[:3] == SIGNED_WIDTHS
    assert ("key_slot" in names) == (kind.KIND in SCOPES)


@pytest.mark.parametrize(("kind", "name", "bits"), ALL_FIELDS)
def test_every_field_at_its_bounds(kind: Any, name: str, bits: int) -> None:
    value = zeros(kind)
    assert words_of(replace(value, **{name: 2**bits - 1})) != words_of(value)
    for bad in (2**bits, -1):
        with pytest.raises(Rejected) as caught:
            words_of(replace(value, **{name: bad}))
        assert caught.value.reason is RejectReason.FIELD_OUT_OF_RANGE
        assert str(caught.value) == (
            f"field_out_of_range: expected {name} in 0..{2**bits - 1}, got {bad}"
        )


@pytest.mark.parametrize(("kind", "name", "bits"), ALL_FIELDS)
def test_each_field_has_bits_of_its_own(kind: Any, name: str, bits: int) -> None:
    """All ones in one field are as many ones in one word, and no other field's."""
    value = zeros(kind)
    empty, filled = words_of(value), words_of(replace(value, **{name: 2**bits - 1}))
    assert len(empty) == len(filled)
    changed = [word ^ other for word, other in zip(filled, empty, strict=True)]
    assert sum(map(bool, changed)) == 1
    assert sum(word.bit_count() for word in changed) == bits
    everything = words_of(
        replace(value, **{other: 2**size - 1 for other, size in kind.WIDTHS if other != name})
    )
    ones = [word ^ other for word, other in zip(everything, empty, strict=True)]
    assert not any(mine & others for mine, others in zip(changed, ones, strict=True))


@given(left=transactions(), right=transactions())
def test_different_transactions_have_different_words(left: Any, right: Any) -> None:
    assert (words_of(left) == words_of(right)) == (left == right)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_digest_is_their_hash(kind: Any) -> None:
    value = zeros(kind)
    assert digest_of(value, DOMAIN) == hash_words(TAG_COMMAND, signed_words(value, DOMAIN))
    assert digest_of(value, DOMAIN) != digest_of(value, DOMAIN + 1)


def test_operations_are_signed_in_their_order() -> None:
    one, two = CancelOperation(0, 5), CancelOperation(1, 5)
    batch = replace(zeros(Batch), operations=(one, two))
    assert words_of(batch) != words_of(replace(batch, operations=(two, one)))
    assert words_of(batch)[:2] == words_of(replace(batch, operations=()))
