"""Every leaf has an address of its own, in the region of its kind."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    account_of,
    agent_address,
    book_address,
    header_address,
    market_of,
    order_address,
    position_address,
    prices_address,
    share_address,
    signer_address,
    slot_of,
    terms_address,
    trigger_address,
    vault_ledger_address,
    vault_terms_address,
)

ACCOUNTS = (1, 2, 2**23, 2**24 - 1)
MARKETS = (0, 1, 1022, 1023)
SLOTS = (1, 2, 2**19, 2**19 + 1, 2**20 - 1)


def all_addresses() -> list[int]:
    found = [FEE_TERMS_ADDRESS, CONTROLS_ADDRESS, *map(signer_address, range(16))]
    for account in ACCOUNTS:
        found.append(header_address(account))
        found.extend(position_address(account, bit) for bit in range(16))
        found.extend(agent_address(account, agent) for agent in range(8))
        found.extend(share_address(account, bit) for bit in range(16))
        found.extend((vault_terms_address(account), vault_ledger_address(account)))
    for market in MARKETS:
        found.extend((terms_address(market), prices_address(market), book_address(market)))
        found.extend(order_address(market, slot) for slot in SLOTS)
        found.extend(trigger_address(market, slot) for slot in SLOTS if slot > 2**19)
    return found


def test_no_two_leaves_share_an_address() -> None:
    addresses = all_addresses()
    assert len(set(addresses)) == len(addresses)
    assert all(0 <= address < 2**32 for address in addresses)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_account_is_64_addresses_of_the_first_region(account: int) -> None:
    parts: list[int] = [
        header_address(account),
        *(position_address(account, bit) for bit in range(16)),
        *(agent_address(account, agent) for agent in range(8)),
        *(share_address(account, bit) for bit in range(16)),
        vault_terms_address(account),
        vault_ledger_address(account),
    ]
    assert parts == list(range(64 * account, 64 * account + 43))
    assert {account_of(address) for address in parts} == {account}
    assert max(parts) < 2**30


@pytest.mark.parametrize(
    ("address_of", "region"), [(trigger_address, 1), (order_address, 2)], ids=["trigger", "order"]
)
def test_market_and_slot(address_of: Callable[[int, int], int], region: int) -> None:
    for market, slot in product(MARKETS, SLOTS):
        address = address_of(market, slot)
        assert address >> 30 == region
        assert (market_of(address), slot_of(address)) == (market, slot)


def test_leaves_of_a_market_come_before_its_triggers() -> None:
    for market in MARKETS:
        three = [terms_address(market), prices_address(market), book_address(market)]
        assert [slot_of(address) for address in three] == [0, 1, 2]
        assert {market_of(address) for address in three} == {market}
        assert {address >> 30 for address in three} == {1}


def test_what_belongs_to_the_whole_exchange() -> None:
    assert (FEE_TERMS_ADDRESS, CONTROLS_ADDRESS) == (3 << 30, (3 << 30) + 1)
    assert [signer_address(signer) - (3 << 30) for signer in (0, 15)] == [16, 31]
