"""The fields of every command, with their widths as the codec has them and their units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from circuits.exchange.events import Kind
from circuits.exchange.fields import FORMS, Items, Terms
from circuits.exchange.layout import FieldSpec
from circuits.exchange.leaves import MarketStatus, Mode, Side
from circuits.exchange.order_checks import TimeInForce

FLAG = "1 yes, 0 no"

UNITS: dict[str, str | type[IntEnum]] = {
    "account": "account",
    "agent": "place of an agent key, from 0",
    "agent_expiry_ms": "ms since 1970",
    "amount": "token units (10^-6 USDC)",
    "backstop": "account",
    "cooldown_ticks": "ticks of the oracle",
    "counterparty": "account",
    "epoch": "number",
    "epoch_ms": "ms",
    "expiry_ms": "ms since 1970",
    "exposure_cap": "token units (10^-6 USDC)",
    "fee_account": "account",
    "good_until_ms": "ms since 1970",
    "insurance_account": "account",
    "key_slot": "0 the account's key, 1 to 8 an agent's",
    "key_x": "coordinate",
    "key_y": "coordinate",
    "leverage_cap_ppm": "ppm of equity",
    "market": "market",
    "max_age_ms": "ms",
    "mode": Mode,
    "nonce": "number",
    "open_interest_max": "lots",
    "order_key_slot": "key slot of the order",
    "order_nonce": "nonce of the order",
    "owner": "L1 address",
    "price": "ticks",
    "price_valid_ms": "ms",
    "quorum": "quotes",
    "quote_layers": "orders on each side",
    "quote_per_tick_lot": "token units per tick and lot",
    "quote_size": "lots",
    "r_x": "coordinate of R",
    "r_y": "coordinate of R",
    "reduce_only": FLAG,
    "referrer": "account",
    "s": "scalar",
    "scope": "1 trade, 2 cancel, 3 both",
    "shares": "shares",
    "side": Side,
    "signer": "oracle signer, from 0",
    "size": "lots",
    "size_min": "lots",
    "skew_cap": "token units (10^-6 USDC)",
    "slot": "slot of the market's book",
    "source": "0 mark, 1 last trade",
    "status": MarketStatus,
    "sub": "account",
    "target": "account",
    "tier_1_notional": "token units (10^-6 USDC)",
    "tier_2_notional": "token units (10^-6 USDC)",
    "time_in_force": TimeInForce,
    "time_ms": "ms since 1970",
    "to": "account",
    "trigger_price": "ticks",
    "vault": "account",
    "vault_account": "account, or 0 for none",
    "x": "coordinate",
    "y": "coordinate",
}
"""What a field counts, or the names of its cases."""

UNITS_BY_ENDING = {"_ppm": "ppm", "_ppb": "10^-9 per hour"}
"""For fractions that have no line of their own."""

UNITS_BY_KIND = {
    (Kind.PLACE_TRIGGER, "direction"): "0 up, 1 down",
    (Kind.TRIGGER, "direction"): "0 up, 1 down",
    (Kind.ADJUST_ISOLATED, "direction"): "0 to sub, 1 from sub",
}
"""For names that do not mean the same everywhere."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a command as a reader sees it; `name` says where in the body it stands."""

    name: str
    bits: int
    minimum: int
    maximum: int
    unit: str


def fields_of_kind(kind: Kind) -> tuple[FieldRow, ...]:
    """All fields of a kind in their canonical order, a list's once."""
    form = FORMS[kind]
    rows = list(_rows(kind, "", form.layout.fields))
    match form.tail:
        case Terms(name=name, layout=layout):
            rows += _rows(kind, f"{name}.", layout.fields)
        case Items(name=name, choices=choices):
            for label, layout in choices.values():
                inner = f"{label}." if form.tail.is_coded else ""
                rows += _rows(kind, f"{name}[].{inner}", layout.fields)
    return tuple(rows)


def count_max(kind: Kind) -> int | None:
    """How many items the list of a kind may have; None for a kind without a list."""
    tail = FORMS[kind].tail
    return tail.count_max if isinstance(tail, Items) else None


def unit_of(kind: Kind, name: str) -> str:
    """The unit of a field, or its cases.

    Raises: LookupError for a field without one.
    """
    found = UNITS_BY_KIND.get((kind, name), UNITS.get(name))
    if found is None:
        found = next((UNITS_BY_ENDING[end] for end in UNITS_BY_ENDING if name.endswith(end)), None)
    if found is None:
        raise LookupError(f"{kind.name.lower()}.{name}: expected a unit in UNITS, got none")
    if isinstance(found, str):
        return found
    return ", ".join(f"{case.value} {case.name.lower().replace('_', ' ')}" for case in found)


def _rows(kind: Kind, prefix: str, specs: Iterable[FieldSpec]) -> Iterator[FieldRow]:
    for spec in specs:
        unit = unit_of(kind, spec.name)
        yield FieldRow(prefix + spec.name, spec.bits, spec.minimum, spec.maximum, unit)
