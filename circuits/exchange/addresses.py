"""Where each leaf stands in the tree: two bits of region, then the slots of the region."""

from __future__ import annotations

from circuits.exchange.limits import (
    ACCOUNT_SLOTS,
    AGENT_SLOT_FIRST,
    BOOK_REGION,
    HEADER_SLOT,
    MARKET_REGION,
    MARKET_SLOT_BITS,
    POSITION_SLOT_FIRST,
    REGION_BITS,
    SHARE_SLOT_FIRST,
    SIGNER_SLOT_FIRST,
    SYSTEM_REGION,
    VAULT_LEDGER_SLOT,
    VAULT_TERMS_SLOT,
)

MARKET_BASE = MARKET_REGION << REGION_BITS
BOOK_BASE = BOOK_REGION << REGION_BITS
SYSTEM_BASE = SYSTEM_REGION << REGION_BITS

TERMS_SLOT, PRICES_SLOT, BOOK_SLOT = 0, 1, 2
FEE_TERMS_ADDRESS = SYSTEM_BASE
CONTROLS_ADDRESS = SYSTEM_BASE + 1


def header_address(account: int) -> int:
    """The header of an account."""
    return account * ACCOUNT_SLOTS + HEADER_SLOT


def position_address(account: int, bit: int) -> int:
    """The position that a bit of the account's bitmap stands for."""
    return account * ACCOUNT_SLOTS + POSITION_SLOT_FIRST + bit


def agent_address(account: int, agent: int) -> int:
    """An agent key, counted from 0."""
    return account * ACCOUNT_SLOTS + AGENT_SLOT_FIRST + agent


def share_address(account: int, bit: int) -> int:
    """The vault shares that a bit of the account's bitmap stands for."""
    return account * ACCOUNT_SLOTS + SHARE_SLOT_FIRST + bit


def vault_terms_address(account: int) -> int:
    """The terms of a vault."""
    return account * ACCOUNT_SLOTS + VAULT_TERMS_SLOT


def vault_ledger_address(account: int) -> int:
    """The ledger of a vault."""
    return account * ACCOUNT_SLOTS + VAULT_LEDGER_SLOT


def account_of(address: int) -> int:
    """The account that an address of the account region belongs to."""
    return address // ACCOUNT_SLOTS


def terms_address(market: int) -> int:
    """What governance fixed for a market."""
    return MARKET_BASE + (market << MARKET_SLOT_BITS) + TERMS_SLOT


def prices_address(market: int) -> int:
    """Prices and timers of a market."""
    return MARKET_BASE + (market << MARKET_SLOT_BITS) + PRICES_SLOT


def book_address(market: int) -> int:
    """Heads and totals of a market."""
    return MARKET_BASE + (market << MARKET_SLOT_BITS) + BOOK_SLOT


def trigger_address(market: int, slot: int) -> int:
    """A waiting trigger; its slots lie in the upper half of the market's."""
    return MARKET_BASE + (market << MARKET_SLOT_BITS) + slot


def order_address(market: int, slot: int) -> int:
    """A resting order."""
    return BOOK_BASE + (market << MARKET_SLOT_BITS) + slot


def signer_address(signer: int) -> int:
    """An oracle signer, counted from 0."""
    return SYSTEM_BASE + SIGNER_SLOT_FIRST + signer


def market_of(address: int) -> int:
    """The market that an address of the market or book region belongs to."""
    return (address & (2**REGION_BITS - 1)) >> MARKET_SLOT_BITS


def slot_of(address: int) -> int:
    """The slot of an address of the market or book region."""
    return address & (2**MARKET_SLOT_BITS - 1)
