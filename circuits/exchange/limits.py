"""Every bound of the rules with its reason; the relations between bounds are checked at import."""

from __future__ import annotations

from circuits.exchange.units import CASH_PER_UNIT
from circuits.field import R

ACCOUNT_BITS = 24
"""A region holds 2^30 leaves and an account has 64 of them, which leaves 24 bits."""

ACCOUNT_FIRST = 1
"""Account 0 is never assigned, so an all-zero published row can never name an account."""

ACCOUNT_SLOTS = 64
"""Leaves of one account: header, positions, agent keys and vault shares (exchange.md section 2)."""

HEADER_SLOT = 0
"""The header comes first, so that its address is the account's own base address."""

TREE_LEVELS = 16
"""4-ary levels of the state tree: a leaf address is a 32-bit integer."""

REGION_BITS = 30
"""Address bits below the top two, which name one of the four regions."""

ACCOUNT_REGION = 0
"""Accounts come first, so a header address is the account times its slots, with no offset."""

AMOUNT_BITS = 64
"""Token amounts: 1.8e13 USDC, above the whole supply, and four 16-bit limbs in a chip."""

CASH_BITS = 111
"""|cash| < 2^111: room for every token unit that custody can hold, in cash units, with 7 bits
spare for unrealised results; cash + 2^111 is seven 16-bit limbs."""

CASH_OFFSET = 2**CASH_BITS
"""Added to cash before packing, so that the packed word is never negative."""

NONCE_BITS = 48
"""A nonce may be a time in milliseconds, which is what most clients send."""

TIME_BITS = 48
"""Milliseconds since 1970 until the year 10889; three 16-bit limbs."""

OWNER_BITS = 160
"""An L1 address."""

CHAIN_ID_BITS = 64
"""Chain ids in use are far smaller; with the address the domain stays below 248 bits."""

KIND_BITS = 8
"""Command kinds, in the low byte of every packed head."""

OUTCOME_BITS = 8
"""Outcome codes of queued commands, beside the owner in a published word."""

PACKED_BITS = 248
"""A packed word stays below 2^248 < r, so it is one canonical field element and 31 bytes."""

ACCOUNT_MAX = 2**ACCOUNT_BITS - 1
AMOUNT_MAX = 2**AMOUNT_BITS - 1
NONCE_MAX = 2**NONCE_BITS - 1
TIME_MAX_MS = 2**TIME_BITS - 1
OWNER_MAX = 2**OWNER_BITS - 1
CHAIN_ID_MAX = 2**CHAIN_ID_BITS - 1

CUSTODY_MAX = AMOUNT_MAX
"""Token units in custody; the contract refuses a deposit above it, so sums fit 64 bits."""

RELATIONS: tuple[tuple[str, bool], ...] = (
    ("packed words are field elements", R > 2**PACKED_BITS),
    ("four regions fill the tree", REGION_BITS + 2 == 2 * TREE_LEVELS),
    ("every account fits its region", (ACCOUNT_MAX + 1) * ACCOUNT_SLOTS <= 2**REGION_BITS),
    ("all of custody fits one account", CUSTODY_MAX * CASH_PER_UNIT < CASH_OFFSET),
    ("packed cash is whole 16-bit limbs", (CASH_BITS + 1) % 16 == 0),
    ("a packed cash fits a word", CASH_BITS + 1 <= PACKED_BITS),
    ("a domain fits a word", CHAIN_ID_BITS + OWNER_BITS <= PACKED_BITS),
    (
        "a digest head fits a word",
        KIND_BITS + ACCOUNT_BITS + NONCE_BITS + TIME_BITS <= PACKED_BITS,
    ),
    ("a digest tail fits a word", ACCOUNT_BITS + AMOUNT_BITS <= PACKED_BITS),
    ("a queue head fits a word", KIND_BITS + ACCOUNT_BITS + AMOUNT_BITS <= PACKED_BITS),
    ("a queue owner fits a word", OWNER_BITS + OUTCOME_BITS <= PACKED_BITS),
    ("a withdrawal fits a word", OWNER_BITS + AMOUNT_BITS <= PACKED_BITS),
    ("a published account head fits a word", ACCOUNT_BITS + NONCE_BITS <= PACKED_BITS),
)
"""What the packing and the chips rely on, in words."""


def check_relations(relations: tuple[tuple[str, bool], ...]) -> None:
    """Refuse a set of bounds that contradict each other.

    Raises: ValueError naming the first broken relation.
    """
    for meaning, holds in relations:
        if not holds:
            raise ValueError(f"limits: expected that {meaning}, got bounds that break it")


check_relations(RELATIONS)
