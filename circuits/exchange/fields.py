"""The fields of each command kind: name, width and range, in their one canonical order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from circuits.exchange.apply import Body, Signed
from circuits.exchange.events import Kind
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    ACCOUNT_FIRST,
    AMOUNT_BITS,
    NONCE_BITS,
    OWNER_BITS,
    TIME_BITS,
)
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.exchange.units import TokenUnits
from circuits.field import R
from circuits.signature import Signature

WORD_BITS = 256
"""Signature words travel whole, so that one out of its range is refused by the rules, by name."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field: its width in bytes follows from `bits`, its range may be narrower."""

    name: str
    bits: int
    minimum: int
    maximum: int

    @property
    def byte_count(self) -> int:
        """Bytes of the canonical encoding."""
        return self.bits // 8


def _field(name: str, bits: int, minimum: int = 0, maximum: int | None = None) -> FieldSpec:
    return FieldSpec(name, bits, minimum, 2**bits - 1 if maximum is None else maximum)


QUEUED_FIELDS = (_field("account", ACCOUNT_BITS, ACCOUNT_FIRST), _field("owner", OWNER_BITS))
SIGNED_FIELDS = (
    _field("account", ACCOUNT_BITS),
    _field("nonce", NONCE_BITS),
    _field("expiry_ms", TIME_BITS),
)
SIGNATURE_FIELDS = (
    _field("r_x", WORD_BITS),
    _field("r_y", WORD_BITS),
    _field("s", WORD_BITS),
)

FIELDS: dict[Kind, tuple[FieldSpec, ...]] = {
    Kind.DEPOSIT: (*QUEUED_FIELDS, _field("amount", AMOUNT_BITS, 1)),
    Kind.REGISTER_KEY: (
        *QUEUED_FIELDS,
        _field("key_x", WORD_BITS, 0, R - 1),
        _field("key_y", WORD_BITS, 0, R - 1),
    ),
    Kind.TRANSFER: (
        *SIGNED_FIELDS,
        _field("to", ACCOUNT_BITS),
        _field("amount", AMOUNT_BITS),
        *SIGNATURE_FIELDS,
    ),
    Kind.WITHDRAW: (*SIGNED_FIELDS, _field("amount", AMOUNT_BITS), *SIGNATURE_FIELDS),
}
"""Queued kinds carry the ranges that the L1 contracts guarantee; signed ones only widths, because
a zero amount or an unknown account is for the rules to refuse."""

SIGNATURE_NAMES = frozenset(spec.name for spec in SIGNATURE_FIELDS)
SIGNED_KINDS = frozenset({Kind.TRANSFER, Kind.WITHDRAW})


def fields_of(body: Body) -> dict[str, int]:
    """All fields of a body by name, the signature's included."""
    part = body.transaction if isinstance(body, Signed) else body
    values = {
        spec.name: getattr(part, spec.name)
        for spec in FIELDS[part.KIND]
        if spec.name not in SIGNATURE_NAMES
    }
    if isinstance(body, Signed):
        values |= {name: getattr(body.signature, name) for name in ("r_x", "r_y", "s")}
    return values


def body_from_fields(kind: Kind, values: Mapping[str, int]) -> Body:
    """The body with these fields.

    Assumes: exactly the fields of the kind, each in its range (checked by the decoders).
    """
    amount = TokenUnits(values.get("amount", 0))
    if kind is Kind.DEPOSIT:
        return Deposit(values["account"], values["owner"], amount)
    if kind is Kind.REGISTER_KEY:
        return RegisterKey(values["account"], values["owner"], values["key_x"], values["key_y"])
    authority = (values["account"], values["nonce"], values["expiry_ms"])
    signature = Signature(values["r_x"], values["r_y"], values["s"])
    if kind is Kind.TRANSFER:
        return Signed(Transfer(*authority, values["to"], amount), signature)
    return Signed(Withdraw(*authority, amount), signature)
