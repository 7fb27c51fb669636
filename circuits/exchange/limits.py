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

POSITION_SLOT_FIRST, POSITION_SLOTS = 1, 16
"""A health pass reads every position, so their number bounds what one fill can cost."""

AGENT_SLOT_FIRST, AGENT_SLOTS = 17, 8
"""One agent key for each device or strategy of a trader."""

SHARE_SLOT_FIRST, SHARE_SLOTS = 25, 16
"""Vaults that one account can hold shares of."""

VAULT_TERMS_SLOT, VAULT_LEDGER_SLOT = 41, 42
"""Leaves that only a vault's account has."""

MARKET_REGION, BOOK_REGION, SYSTEM_REGION = 1, 2, 3
"""The other regions, in the order of their root words in a statement."""

MARKET_BITS = 10
"""Markets: a region of 2^30 leaves less 20 bits of slot."""

MARKET_SLOT_BITS = 20
"""A million resting orders for each market; slot 0 stands for none."""

TRIGGER_SLOT_FIRST = 2 ** (MARKET_SLOT_BITS - 1) + 1
"""Triggers take the upper half of a market's slots, so that no leaf kind needs a region more."""

SIGNER_SLOT_FIRST, SIGNERS_MAX = 16, 16
"""Oracle signers, and so the quotes of a tick."""

PRICE_BITS = 32
"""Ticks: seven significant digits and room for a price to grow a thousandfold."""

SIZE_BITS = 47
"""|size| < 2^47 lots in a leaf; the open interest of a market is bounded far below."""

OPEN_INTEREST_QUOTE_MAX = 2**31
"""Open interest times quote per tick and lot: with a 32-bit price no position's notional passes
2^63 token units, whatever a tick does to the mark, so no tick ever has to be refused for it."""

NOTIONAL_BITS = 63
"""Token units of a position at any price."""

ENTRY_QUOTE_BITS = 64
"""|entry quote| <= 2^63: as many lots, each bought at some 32-bit price."""

PPM_BITS = 24
"""Fractions in millionths; each is at most one, and 24 bits hold 16."""

PPM = 10**6
"""The whole, in parts per million."""

PPB = 10**9
"""The whole, in parts per billion."""

RATE_BITS = 31
"""|funding rate| < 2^31 parts per billion per hour, which is 214 percent."""

FUNDING_INDEX_BITS = 95
"""|F| < 2^95 cash units per lot."""

FUNDING_CASH_BITS = 110
"""|F| times open interest stays below 2^110, so that cash, which holds what F was at each trade,
is not pushed out of its range by F alone."""

PREMIUM_SUM_BITS = 47
"""|premium sum| < 2^47: 32,767 samples of less than 2^32 ticks."""

SAMPLES_MAX = 2 ** (PREMIUM_SUM_BITS - PRICE_BITS) - 1
"""Premium samples in one funding period; 60 are taken."""

EQUITY_BITS = 127
"""|equity| < 2^127: cash, 16 positions of 2^103, and the funding that 2^110 bounds for each. With
a margin total below 2^108 a product of the two stays below r."""

SHARES_BITS = 96
"""Vault shares: 2^64 token units at a million shares each, and twelve bits for a fallen price."""

VIRTUAL_SHARES = 10**6
"""Shares that nobody holds, beside one token unit that nobody owns: an empty vault cannot be
inflated by a gift. Source: the decimals offset of OpenZeppelin's ERC-4626."""

ORDERS_MAX = 200
"""Resting orders of one account: what clearing it can cost."""

TRIGGERS_MAX = 50
"""Waiting triggers of one account, for the same reason."""

BATCH_OPERATIONS_MAX = 50
"""Operations under one signature."""

MATCH_STEPS_MAX = 50
"""Fills and drops of one order: what one command can cost."""

EPOCH_REDEMPTIONS_MAX = 16
"""Redemptions that one settlement of a vault's epoch pays."""

QUOTE_LAYERS_MAX = 3
"""Orders on each side that the liquidity vault rests in one market."""

SUB_ACCOUNT_FIRST = 2 ** (ACCOUNT_BITS - 1)
"""Sub-accounts that no L1 request opened; the L1 queue counts up from 1 and stays below."""

TAKER_FEE_MAX_PPM = 100_000
"""A tenth: no governance can take more of a trade."""

KEY_SLOT_BITS = 4
"""Which key signs: 0 the account's own, 1 to 8 an agent's."""

SAMPLE_MS, SETTLEMENT_MS = 60_000, 3_600_000
"""Funding is sampled each minute and settled each hour, on the clock's own minutes and hours."""

QUOTE_LIFE_MS = 60_000
"""How long an order of the liquidity vault stands."""

PACKED_BITS = 248
"""A packed word stays below 2^248 < r, so it is one canonical field element and 31 bytes."""

ACCOUNT_MAX = 2**ACCOUNT_BITS - 1
AMOUNT_MAX = 2**AMOUNT_BITS - 1
NONCE_MAX = 2**NONCE_BITS - 1
TIME_MAX_MS = 2**TIME_BITS - 1
PRICE_MAX = 2**PRICE_BITS - 1
MARKET_MAX = 2**MARKET_BITS - 1
ORDER_SLOT_MAX = 2**MARKET_SLOT_BITS - 1
TRIGGER_SLOT_MAX = 2**MARKET_SLOT_BITS - 1
SHARES_MAX = 2**SHARES_BITS - 1
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
    ("account slots do not overlap", POSITION_SLOT_FIRST + POSITION_SLOTS <= AGENT_SLOT_FIRST),
    ("agents come before shares", AGENT_SLOT_FIRST + AGENT_SLOTS <= SHARE_SLOT_FIRST),
    ("shares come before a vault's own", SHARE_SLOT_FIRST + SHARE_SLOTS <= VAULT_TERMS_SLOT),
    ("a vault's own fit its account", VAULT_LEDGER_SLOT < ACCOUNT_SLOTS),
    ("markets fill a region", MARKET_BITS + MARKET_SLOT_BITS == REGION_BITS),
    (
        "no position's notional passes its bound",
        OPEN_INTEREST_QUOTE_MAX * 2**PRICE_BITS <= 2**NOTIONAL_BITS,
    ),
    (
        "equity fits its bound",
        CASH_OFFSET + POSITION_SLOTS * (2**NOTIONAL_BITS * CASH_PER_UNIT + 2**FUNDING_CASH_BITS)
        < 2**EQUITY_BITS,
    ),
    (
        "equity times margin is a field element",
        2**EQUITY_BITS * POSITION_SLOTS * 2**NOTIONAL_BITS * CASH_PER_UNIT < R // 2,
    ),
    ("premiums fit their sum", SAMPLES_MAX * 2**PRICE_BITS < 2**PREMIUM_SUM_BITS),
    ("the agents have key slots", AGENT_SLOTS < 2**KEY_SLOT_BITS),
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
