"""How each kind of leaf becomes three words and a hash, and comes back: injective, so that equal
leaves are equal words and no two leaves share a hash.

A signed field is stored with half its range added. A header and the leaves of keys keep whole
field elements in words of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import add, attrgetter, lshift, rshift
from typing import Any, NamedTuple, NoReturn

from circuits import poseidon2
from circuits.exchange.errors import PubdataError
from circuits.exchange.leaves import (
    AgentKey,
    Controls,
    FeeTerms,
    Leaf,
    MarketBook,
    MarketPrices,
    MarketTerms,
    OracleSigner,
    Order,
    Position,
    Trigger,
    VaultLedger,
    VaultShare,
    VaultTerms,
)
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    AMOUNT_BITS,
    ENTRY_QUOTE_BITS,
    FUNDING_INDEX_BITS,
    KEY_SLOT_BITS,
    MARKET_BITS,
    MARKET_SLOT_BITS,
    NONCE_BITS,
    PACKED_BITS,
    PPM_BITS,
    PREMIUM_SUM_BITS,
    PRICE_BITS,
    RATE_BITS,
    REGION_BITS,
    SHARES_BITS,
    SIZE_BITS,
    TIME_BITS,
)
from circuits.field import R

WHOLE_WORD = 254
"""Width that stands for a whole field element, alone in its word."""

Words = tuple[int, int, int]

LAID_BITS = 256
"""Words laid end to end for packing stand this far apart."""

LAID_MASK = 2**LAID_BITS - 1


class Field(NamedTuple):
    """A field in its place; a signed one is stored with 2^(bits-1) added."""

    name: str
    bits: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Packing:
    """The three words of one leaf kind, lowest field first.

    Raises: ValueError for fields that are not those of the leaf.
    """

    kind: Any
    tag: int
    words: tuple[tuple[Field, ...], ...]
    # By place in the leaf: what is added to a field, its width, and where it stands in the words
    # laid end to end.
    _offsets: tuple[int, ...] = field(init=False, repr=False)
    _widths: tuple[int, ...] = field(init=False, repr=False)
    _shifts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        plan: dict[str, tuple[int, int, int]] = {}
        for place, fields in enumerate(self.words):
            shift = place * LAID_BITS
            for name, bits, signed in fields:
                plan[name] = (1 << bits - 1 if signed else 0, bits, shift)
                shift += bits
        names = sorted(each.name for fields in self.words for each in fields)
        if names != sorted(self.kind._fields):
            raise ValueError(f"{self.kind.__name__}: expected its fields, got {names}")
        in_order = zip(*(plan[name] for name in self.kind._fields), strict=True)
        for attribute, values in zip(("_offsets", "_widths", "_shifts"), in_order, strict=True):
            object.__setattr__(self, attribute, values)

    def pack(self, leaf: Any) -> Words:
        """The words of a leaf.

        Raises: ValueError naming a field that does not fit, which no rule may let happen.
        Cost: 2 microseconds; every changed leaf is packed at each seal.
        """
        stored = tuple(map(add, leaf, self._offsets))
        if any(map(rshift, stored, self._widths)):  # what is negative stays so
            self._refuse(stored)
        laid = sum(map(lshift, stored, self._shifts))
        return laid & LAID_MASK, laid >> LAID_BITS & LAID_MASK, laid >> 2 * LAID_BITS

    def _refuse(self, stored: tuple[int, ...]) -> NoReturn:
        wrong = [
            (name, bits, value)
            for name, bits, value in zip(self.kind._fields, self._widths, stored, strict=True)
            if value >> bits
        ]
        name, bits, value = wrong[0]
        raise ValueError(f"{self.kind.__name__}.{name}: expected {bits} bits, got {value}")

    def unpack(self, words: Words, place: str) -> Any:
        """The leaf of three words.

        Raises: PubdataError for a word with bits that no field owns.
        """
        values = {}
        for word, fields in zip(words, (*self.words, (), ()), strict=False):
            rest = word
            for name, bits, signed in fields:
                values[name] = rest % (1 << bits) - (1 << bits - 1 if signed else 0)
                rest >>= bits
            if rest or word >= R:
                width = sum(field.bits for field in fields)
                raise PubdataError(place, f"a word of {width} bits", hex(word))
        return self.kind(**values)


def _ppm(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, PPM_BITS) for name in names)


ADDRESS_BITS = REGION_BITS
SLOT = MARKET_SLOT_BITS
SIGNED_SIZE = SIZE_BITS + 1

PACKINGS: tuple[Packing, ...] = (
    Packing(
        Position,
        poseidon2.TAG_POSITION,
        (
            (
                Field("market", MARKET_BITS),
                Field("previous", ADDRESS_BITS),
                Field("next", ADDRESS_BITS),
            ),
            (Field("size", SIGNED_SIZE, True),),
            (Field("entry_quote", ENTRY_QUOTE_BITS + 1, True),),
        ),
    ),
    Packing(
        AgentKey,
        poseidon2.TAG_AGENT_KEY,
        (
            (Field("key_x", WHOLE_WORD),),
            (Field("key_y", WHOLE_WORD),),
            (Field("scope", 8), Field("expiry_ms", TIME_BITS), Field("nonce", NONCE_BITS)),
        ),
    ),
    Packing(
        VaultShare,
        poseidon2.TAG_VAULT_SHARE,
        (
            (Field("vault", ACCOUNT_BITS), Field("next", ADDRESS_BITS)),
            (Field("shares", SHARES_BITS), Field("pending", SHARES_BITS)),
        ),
    ),
    Packing(
        VaultTerms,
        poseidon2.TAG_VAULT_TERMS,
        (
            (
                Field("leverage_cap_ppm", 32),
                Field("exposure_cap", AMOUNT_BITS),
                Field("skew_cap", AMOUNT_BITS),
                Field("epoch_ms", 32),
            ),
            (
                *_ppm("unwind_ppm", "quote_spread_ppm", "quote_step_ppm", "quote_skew_ppm"),
                Field("quote_size", 32),
                Field("quote_layers", 8),
            ),
        ),
    ),
    Packing(
        VaultLedger,
        poseidon2.TAG_VAULT_LEDGER,
        (
            (Field("total_shares", SHARES_BITS), Field("pending_shares", SHARES_BITS)),
            (
                Field("queue_head", ADDRESS_BITS),
                Field("queue_tail", ADDRESS_BITS),
                Field("next_epoch_ms", TIME_BITS),
            ),
        ),
    ),
    Packing(
        MarketTerms,
        poseidon2.TAG_MARKET_TERMS,
        (
            (
                Field("quote_per_tick_lot", 32),
                *_ppm("initial_ppm", "maintenance_ppm", "close_out_ppm", "withdraw_buffer_ppm"),
                *_ppm("liquidation_fee_ppm", "outlier_ppm", "band_ppm", "mark_band_ppm"),
                Field("cooldown_ticks", 8),
            ),
            (
                Field("tier_1_notional", AMOUNT_BITS),
                *_ppm("tier_1_initial_ppm", "tier_1_maintenance_ppm"),
                Field("tier_2_notional", AMOUNT_BITS),
                *_ppm("tier_2_initial_ppm", "tier_2_maintenance_ppm"),
            ),
            (
                Field("max_age_ms", 32),
                Field("price_valid_ms", 32),
                Field("interest_ppb", RATE_BITS + 1, True),
                Field("funding_clamp_ppb", RATE_BITS),
                Field("funding_cap_ppb", RATE_BITS),
                Field("size_min", 32),
                Field("open_interest_max", 32),
            ),
        ),
    ),
    Packing(
        MarketPrices,
        poseidon2.TAG_MARKET_PRICES,
        (
            (
                Field("index_price", PRICE_BITS),
                Field("mark_price", PRICE_BITS),
                Field("pending", PRICE_BITS),
                Field("price_time_ms", TIME_BITS),
                Field("valid_until_ms", TIME_BITS),
                Field("status", 8),
                Field("halted", 1),
                Field("cooldown_count", 8),
            ),
            (Field("funding_index", FUNDING_INDEX_BITS + 1, True),),
            (
                Field("premium_sum", PREMIUM_SUM_BITS + 1, True),
                Field("premium_samples", 16),
                Field("next_sample_ms", TIME_BITS),
                Field("next_settlement_ms", TIME_BITS),
            ),
        ),
    ),
    Packing(
        MarketBook,
        poseidon2.TAG_MARKET_BOOK,
        (
            (
                Field("best_bid", SLOT),
                Field("best_ask", SLOT),
                Field("mark_up", SLOT),
                Field("mark_down", SLOT),
                Field("last_up", SLOT),
                Field("last_down", SLOT),
                Field("order_count", SLOT),
                Field("last_trade", PRICE_BITS),
            ),
            (
                Field("long_head", ADDRESS_BITS),
                Field("short_head", ADDRESS_BITS),
                Field("long_count", ACCOUNT_BITS),
                Field("short_count", ACCOUNT_BITS),
                Field("open_interest", SIZE_BITS),
            ),
        ),
    ),
    Packing(
        Order,
        poseidon2.TAG_ORDER,
        (
            (
                Field("account", ACCOUNT_BITS),
                Field("key_slot", KEY_SLOT_BITS),
                Field("nonce", NONCE_BITS),
                Field("good_until_ms", TIME_BITS),
                Field("side", 1),
                Field("reduce_only", 1),
            ),
            (
                Field("price", PRICE_BITS),
                Field("remaining", SIZE_BITS),
                Field("previous", SLOT),
                Field("next", SLOT),
            ),
        ),
    ),
    Packing(
        Trigger,
        poseidon2.TAG_TRIGGER,
        (
            (
                Field("account", ACCOUNT_BITS),
                Field("key_slot", KEY_SLOT_BITS),
                Field("nonce", NONCE_BITS),
                Field("good_until_ms", TIME_BITS),
                Field("side", 1),
                Field("reduce_only", 1),
                Field("time_in_force", 2),
                Field("source", 1),
                Field("direction", 1),
            ),
            (
                Field("trigger_price", PRICE_BITS),
                Field("price", PRICE_BITS),
                Field("size", SIZE_BITS),
                Field("previous", SLOT),
                Field("next", SLOT),
            ),
        ),
    ),
    Packing(
        FeeTerms,
        poseidon2.TAG_FEE_TERMS,
        (
            _ppm(
                "taker_ppm",
                "maker_ppm",
                "referrer_share_ppm",
                "vault_share_ppm",
                "insurance_share_ppm",
            ),
            (
                Field("fee_account", ACCOUNT_BITS),
                Field("insurance_account", ACCOUNT_BITS),
                Field("vault_account", ACCOUNT_BITS),
            ),
        ),
    ),
    Packing(
        Controls,
        poseidon2.TAG_CONTROLS,
        (
            (
                Field("mode", 8),
                Field("sequencer_epoch", 64),
                Field("quorum", 8),
                Field("signer_count", 8),
            ),
        ),
    ),
    Packing(
        OracleSigner,
        poseidon2.TAG_ORACLE_SIGNER,
        ((Field("key_x", WHOLE_WORD),), (Field("key_y", WHOLE_WORD),)),
    ),
)
"""Every kind but the header, whose first word is a hash: `account_words` packs that one."""

BY_KIND = {packing.kind: packing for packing in PACKINGS}
BY_TAG = {packing.tag: packing for packing in PACKINGS}

HEADER_FIELDS = (
    Field("nonce", NONCE_BITS),
    Field("positions", 16),
    Field("kind", 8),
    Field("orders", 8),
    Field("triggers", 8),
    Field("referrer", ACCOUNT_BITS),
    Field("shares", 16),
)
"""The second word of a header; that of an account with nothing but cash is its nonce alone."""


HEADER_SHIFTS = tuple(
    sum(before.bits for before in HEADER_FIELDS[:place]) for place in range(len(HEADER_FIELDS))
)
_header_values = attrgetter(*(each.name for each in HEADER_FIELDS))


def words_of(leaf: Leaf) -> Words:
    """The three words of any leaf but a header."""
    return BY_KIND[type(leaf)].pack(leaf)


def header_word(account: Any) -> int:
    """The second word of a header, from anything that has its fields."""
    return sum(map(lshift, _header_values(account), HEADER_SHIFTS))


def header_fields(word: int, place: str) -> dict[str, int]:
    """The fields of the second word of a header.

    Raises: PubdataError for a word with bits that no field owns.
    """
    values = {}
    rest = word
    for name, bits, _ in HEADER_FIELDS:
        values[name] = rest % (1 << bits)
        rest >>= bits
    if rest:
        raise PubdataError(place, f"a word of {HEADER_BITS} bits", hex(word))
    return values


def check_widths(packings: Iterable[Packing]) -> None:
    """Refuse a packing with a word too wide.

    Raises: ValueError naming the leaf kind.
    """
    for packing in packings:
        for fields in packing.words:
            width = sum(field.bits for field in fields)
            if width > PACKED_BITS and (len(fields) > 1 or width != WHOLE_WORD):
                raise ValueError(f"{packing.kind.__name__}: expected {PACKED_BITS} bits, {width}")


HEADER_BITS = sum(field.bits for field in HEADER_FIELDS)
check_widths(PACKINGS)
