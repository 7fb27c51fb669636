"""Which kind of leaf stands at an address: each place of the tree is for one kind alone."""

from __future__ import annotations

from circuits.exchange.addresses import (
    BOOK_SLOT,
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    PRICES_SLOT,
    TERMS_SLOT,
    signer_address,
    slot_of,
)
from circuits.exchange.leaves import (
    Account,
    AgentKey,
    Controls,
    FeeTerms,
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
    ACCOUNT_FIRST,
    ACCOUNT_REGION,
    ACCOUNT_SLOTS,
    AGENT_SLOT_FIRST,
    AGENT_SLOTS,
    BOOK_REGION,
    HEADER_SLOT,
    MARKET_REGION,
    POSITION_SLOT_FIRST,
    POSITION_SLOTS,
    REGION_BITS,
    SHARE_SLOT_FIRST,
    SHARE_SLOTS,
    SIGNERS_MAX,
    SYSTEM_REGION,
    TRIGGER_SLOT_FIRST,
    VAULT_LEDGER_SLOT,
    VAULT_TERMS_SLOT,
)

ACCOUNT_KINDS: dict[int, type] = {
    HEADER_SLOT: Account,
    **dict.fromkeys(range(POSITION_SLOT_FIRST, POSITION_SLOT_FIRST + POSITION_SLOTS), Position),
    **dict.fromkeys(range(AGENT_SLOT_FIRST, AGENT_SLOT_FIRST + AGENT_SLOTS), AgentKey),
    **dict.fromkeys(range(SHARE_SLOT_FIRST, SHARE_SLOT_FIRST + SHARE_SLOTS), VaultShare),
    VAULT_TERMS_SLOT: VaultTerms,
    VAULT_LEDGER_SLOT: VaultLedger,
}
MARKET_KINDS: dict[int, type] = {
    TERMS_SLOT: MarketTerms,
    PRICES_SLOT: MarketPrices,
    BOOK_SLOT: MarketBook,
}
SYSTEM_KINDS: dict[int, type] = {
    FEE_TERMS_ADDRESS: FeeTerms,
    CONTROLS_ADDRESS: Controls,
    **dict.fromkeys((signer_address(signer) for signer in range(SIGNERS_MAX)), OracleSigner),
}


def kind_at(address: int) -> type | None:
    """The kind of leaf that an address is for, or None where no leaf ever stands."""
    region = address >> REGION_BITS
    if region == ACCOUNT_REGION:
        account, slot = divmod(address, ACCOUNT_SLOTS)
        return ACCOUNT_KINDS.get(slot) if account >= ACCOUNT_FIRST else None
    slot = slot_of(address)
    if region == BOOK_REGION:
        return Order if slot else None
    if region == MARKET_REGION:
        return Trigger if slot >= TRIGGER_SLOT_FIRST else MARKET_KINDS.get(slot)
    return SYSTEM_KINDS.get(address) if region == SYSTEM_REGION else None
