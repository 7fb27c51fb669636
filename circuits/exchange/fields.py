"""The fields of each command kind and each kind of leaf, in their one canonical order.

Everything here is worked out from the WIDTHS of the transactions and from `packing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, get_args

from circuits.edwards import Point
from circuits.exchange import bodies
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.errors import CodecError
from circuits.exchange.events import Kind
from circuits.exchange.layout import FieldSpec, Layout, field, reader
from circuits.exchange.leaves import Account, FeeTerms, MarketTerms, VaultTerms
from circuits.exchange.limits import (
    ACCOUNT_FIRST,
    ACCOUNT_MAX,
    AMOUNT_MAX,
    BATCH_OPERATIONS_MAX,
    CASH_BITS,
    OWNER_BITS,
    SIGNERS_MAX,
)
from circuits.exchange.packing import HEADER_FIELDS, PACKINGS, WHOLE_WORD, Packing
from circuits.exchange.transactions.batch import CancelOperation, PlaceOperation
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.field import R
from circuits.signature import Signature

WORD_BITS = 256
"""Signature words travel whole, so that one out of its range is refused by the rules, by name."""

SIGNATURE_FIELDS = (field("r_x", WORD_BITS), field("r_y", WORD_BITS), field("s", WORD_BITS))
SIGNATURE_NAMES = frozenset(spec.name for spec in SIGNATURE_FIELDS)
SIGNATURE_COUNT = len(SIGNATURE_FIELDS)

QUEUED_RANGES = {
    "account": (ACCOUNT_FIRST, ACCOUNT_MAX),
    "key_x": (0, R - 1),
    "key_y": (0, R - 1),
}
"""Requests carry the ranges that the L1 contracts guarantee; all others only widths, because a
zero amount or an unknown account is for the rules to refuse."""

BROUGHT_IN = {Kind.DEPOSIT, Kind.VAULT_DEPOSIT}
"""Requests that come with an amount, which is never zero."""

_read_signature = attrgetter("r_x", "r_y", "s")


@dataclass(frozen=True, slots=True)
class Terms:
    """One more object of a body, always of the same length."""

    name: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class Items:
    """A list of a body: a count of one byte, then each. With more than one choice, a byte that
    says which stands before each, and in JSON the name of the choice.
    """

    name: str
    count_max: int
    choices: Mapping[int, tuple[str, Layout]]

    @property
    def is_coded(self) -> bool:
        """Whether each item says which of the choices it is."""
        return len(self.choices) > 1

    def require_count(self, count: int) -> None:
        """Refuse more items than there can be. Raises: CodecError."""
        if count > self.count_max:
            raise CodecError(self.name, f"at most {self.count_max}", count)

    def code_of(self, item: Any) -> int:
        """Which choice an item is."""
        return item.CODE if self.is_coded else next(iter(self.choices))


Tail = Terms | Items
"""What stands behind the fields that all bodies of a kind have."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the bodies of one kind are written: fields, the signature's last, and then the tail."""

    kind: Kind
    transaction: type
    layout: Layout
    tail: Tail | None

    def tail_of(self, body: Body) -> Any:
        """The terms or the items of a body."""
        assert self.tail is not None
        return getattr(body.transaction if isinstance(body, Signed) else body, self.tail.name)

    def make(self, values: Sequence[int], *tail: Any) -> Body:
        """The body with these values, in the order of the fields, and this tail if it has one."""
        if not self.kind.is_signed:
            body: Body = self.transaction(*values, *tail)
            return body
        own, signature = values[:-SIGNATURE_COUNT], values[-SIGNATURE_COUNT:]
        return Signed(self.transaction(*own, *tail), Signature(*signature))


def kind_of(body: Body) -> Kind:
    """The kind code of a body."""
    return body.transaction.KIND if isinstance(body, Signed) else body.KIND


def _own_fields(transaction: Any) -> tuple[FieldSpec, ...]:
    """The fields of a body's WIDTHS with their ranges."""
    ranges: dict[str, tuple[int, int]] = {}
    if transaction in get_args(bodies.Request):
        ranges = dict(QUEUED_RANGES)
    if transaction.KIND in BROUGHT_IN:
        ranges["amount"] = (1, AMOUNT_MAX)
    return tuple(
        field(name, bits, *ranges.get(name, (0, None))) for name, bits in transaction.WIDTHS
    )


def _form(transaction: Any) -> Form:
    kind: Kind = transaction.KIND
    own = _own_fields(transaction)
    read_own = reader([spec.name for spec in own])
    tail = TAILS.get(kind)
    names = [spec.name for spec in own] + ([tail.name] if tail else [])
    if names != [each.name for each in fields(transaction)]:
        raise ValueError(f"{transaction.__name__}: expected its fields in WIDTHS, got {names}")

    def read_signed(body: Signed) -> tuple[int, ...]:
        return *read_own(body.transaction), *_read_signature(body.signature)

    if kind.is_signed:
        layout = Layout((*own, *SIGNATURE_FIELDS), tuple, read_signed)
    else:
        layout = Layout(own, tuple, read_own)
    return Form(kind, transaction, layout, tail)


def _leaf_layout(packing: Packing) -> Layout:
    """The fields of a leaf in the order of its own, as wide as they are packed."""
    specs = {
        each.name: FieldSpec(each.name, WORD_BITS, 0, R - 1)
        if each.bits == WHOLE_WORD
        else FieldSpec(each.name, each.bits, -(1 << each.bits - 1), (1 << each.bits - 1) - 1)
        if each.signed
        else field(each.name, each.bits)
        for fields_of_word in packing.words
        for each in fields_of_word
    }
    kind: Any = packing.kind
    return Layout((specs[name] for name in kind._fields), kind, tuple)


def _header_layout() -> Layout:
    words = {each.name: field(each.name, each.bits) for each in HEADER_FIELDS}
    words["owner"] = field("owner", OWNER_BITS)
    words["cash"] = FieldSpec("cash", CASH_BITS + 1, -(1 << CASH_BITS), (1 << CASH_BITS) - 1)
    key = (field("key_x", WORD_BITS, 0, R - 1), field("key_y", WORD_BITS, 0, R - 1))
    specs: list[FieldSpec] = []
    for name in Account._fields:
        specs += key if name == "key" else (words[name],)

    def make(owner: int, key_x: int, key_y: int, *rest: Any) -> Account:
        return Account(owner, (key_x, key_y), *rest)

    def read(account: Account) -> tuple[int, ...]:
        return account.owner, *account.key, *account[2:]

    return Layout(specs, make, read)


def _make_quote(signer: int, price: int, time_ms: int, *signature: int) -> Quote:
    return Quote(signer, price, time_ms, Signature(*signature))


def _read_quote(quote: Quote) -> tuple[int, ...]:
    return *quote[:3], *_read_signature(quote.signature)


def _make_point(x: int, y: int) -> Point:
    return x, y


def _operation(operation: type[PlaceOperation | CancelOperation]) -> Layout:
    specs = [field(name, bits) for name, bits in operation.WIDTHS]
    return Layout(specs, operation, reader([spec.name for spec in specs]))


LEAF_LAYOUTS: Mapping[type, Layout] = {
    Account: _header_layout(),
    **{packing.kind: _leaf_layout(packing) for packing in PACKINGS},
}
"""The bytes of every leaf kind, in snapshots and as the terms of governed commands."""

QUOTE_LAYOUT = Layout(
    (*(field(name, bits) for name, bits in OracleTick.QUOTE_WIDTHS), *SIGNATURE_FIELDS),
    _make_quote,
    _read_quote,
)
POINT_LAYOUT = Layout(
    (field("x", WORD_BITS, 0, R - 1), field("y", WORD_BITS, 0, R - 1)), _make_point, tuple
)

TAILS: Mapping[Kind, Tail] = {
    Kind.LIST_MARKET: Terms("terms", LEAF_LAYOUTS[MarketTerms]),
    Kind.UPDATE_MARKET: Terms("terms", LEAF_LAYOUTS[MarketTerms]),
    Kind.SET_FEES: Terms("terms", LEAF_LAYOUTS[FeeTerms]),
    Kind.SET_VAULT: Terms("terms", LEAF_LAYOUTS[VaultTerms]),
    Kind.SET_ORACLE_SIGNERS: Items("keys", SIGNERS_MAX, {0: ("key", POINT_LAYOUT)}),
    Kind.ORACLE_TICK: Items("quotes", SIGNERS_MAX, {0: ("quote", QUOTE_LAYOUT)}),
    Kind.BATCH: Items(
        "operations",
        BATCH_OPERATIONS_MAX,
        {
            PlaceOperation.CODE: ("place", _operation(PlaceOperation)),
            CancelOperation.CODE: ("cancel", _operation(CancelOperation)),
        },
    ),
}
"""A count of zero is for the rules to refuse, one above the bound has no bytes."""

FORMS: Mapping[Kind, Form] = {
    transaction.KIND: _form(transaction)
    for union in (bodies.SignedTransaction, bodies.Request, bodies.Governed, bodies.Derived)
    for transaction in get_args(union)
} | {Kind.ORACLE_TICK: _form(bodies.Feed)}
"""How the bodies of each kind are written."""
