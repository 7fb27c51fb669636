"""Forms and layouts against the transactions and leaves that they are worked out from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import pytest

from circuits.exchange import fields, leaves
from circuits.exchange.bodies import Request
from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, LEAF_LAYOUTS, SIGNATURE_FIELDS, TAILS, kind_of
from circuits.exchange.packing import PACKINGS
from circuits.exchange.transactions.batch import CancelOperation, PlaceOperation
from circuits.exchange.transactions.deposit import Deposit
from tests.support.exchange import transfer


@pytest.mark.parametrize("kind", Kind, ids=[kind.name for kind in Kind])
def test_a_form_has_the_widths_of_its_transaction(kind: Kind) -> None:
    form = FORMS[kind]
    assert form.kind is kind
    transaction: Any = form.transaction
    own = tuple((spec.name, spec.bits) for spec in form.layout.fields)
    signature = tuple((spec.name, spec.bits) for spec in SIGNATURE_FIELDS)
    assert own == (*transaction.WIDTHS, *(signature if kind.is_signed else ()))
    assert form.tail is TAILS.get(kind)


def test_only_requests_have_narrower_ranges() -> None:
    """What the contracts guarantee; of everything else the rules say what is wrong."""
    requests = {request.KIND for request in get_args(Request)}
    narrow = {
        (kind, spec.name)
        for kind, form in FORMS.items()
        for spec in form.layout.fields
        if (spec.minimum, spec.maximum) != (0, 2**spec.bits - 1)
    }
    assert narrow == {(kind, "account") for kind in requests} | {
        (Kind.REGISTER_KEY, "key_x"),
        (Kind.REGISTER_KEY, "key_y"),
        (Kind.DEPOSIT, "amount"),
        (Kind.VAULT_DEPOSIT, "amount"),
    }


def test_every_leaf_has_a_layout() -> None:
    assert set(LEAF_LAYOUTS) == set(get_args(leaves.Leaf))
    for packing in PACKINGS:
        names = [spec.name for spec in LEAF_LAYOUTS[packing.kind].fields]
        assert names == list(packing.kind._fields)


def test_kinds_of_bodies() -> None:
    assert kind_of(Deposit(1, 2, 3)) is Kind.DEPOSIT
    assert kind_of(transfer(1, 1, 2, 3)) is Kind.TRANSFER


def test_operations_say_what_they_are() -> None:
    items = TAILS[Kind.BATCH]
    assert items.is_coded
    assert items.code_of(CancelOperation(1, 2)) == 2
    assert items.code_of(PlaceOperation(1, 2, 3, 4, 5, 6, 7)) == 1
    assert not TAILS[Kind.ORACLE_TICK].is_coded


def test_a_transaction_with_a_field_that_is_not_written_is_refused() -> None:
    @dataclass(frozen=True)
    class Careless:
        KIND: ClassVar[Kind] = Kind.HALT
        WIDTHS: ClassVar[tuple[tuple[str, int], ...]] = (("market", 16),)
        market: int
        price: int

    with pytest.raises(ValueError, match=r"^Careless: expected its fields in WIDTHS, got "):
        fields._form(Careless)
