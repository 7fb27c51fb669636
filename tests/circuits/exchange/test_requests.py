"""Published words of every kind of L1 request, and every one that no request can have."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.exchange.bodies import (
    ForcedCancelAll,
    ForcedClose,
    ForcedWithdraw,
    ListMarket,
    RequestLiquidation,
    RotateSequencer,
    SetFees,
    SetMode,
    SetOracleSigners,
    SetVault,
    UpdateMarket,
    VaultDeposit,
    VaultRedeem,
)
from circuits.exchange.errors import PubdataError
from circuits.exchange.events import Executed, Kind, Outcome
from circuits.exchange.leaves import FeeTerms, MarketTerms, VaultTerms
from circuits.exchange.packing import words_of
from circuits.exchange.requests import (
    BOUNDS,
    OUTCOMES,
    PublishedRequest,
    governed_words,
    parse_request,
    published_request,
)
from circuits.field import R
from circuits.poseidon2 import TAG_GOVERNED, hash_words

MARKET_TERMS = MarketTerms(*range(1, 24))
VAULT_TERMS = VaultTerms(*range(1, 11))
FEE_TERMS = FeeTerms(*range(1, 9))


def request_of(body: Any, outcome: Outcome = Outcome.APPLIED) -> PublishedRequest:
    return published_request(Executed(1, 1, body, (), outcome, {}))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ForcedWithdraw(1, 2, 3), (5 + (1 << 8) + (3 << 32), 2, 0, 0)),
        (ForcedWithdraw(1, 2, 0), (5 + (1 << 8), 2, 0, 0)),
        (ForcedClose(1, 2, 3), (6 + (1 << 8), 2, 3, 0)),
        (ForcedCancelAll(1, 2), (7 + (1 << 8), 2, 0, 0)),
        (RequestLiquidation(1, 2, 3, 4), (8 + (1 << 8), 2, 3 + (4 << 24), 0)),
        (VaultDeposit(1, 2, 3, 4), (9 + (1 << 8) + (3 << 32), 2, 4, 0)),
        (VaultRedeem(1, 2, 3, 4), (10 + (1 << 8), 2, 3 + (4 << 24), 0)),
    ],
)
def test_words_of_an_owner_s_request(body: Any, words: tuple[int, ...]) -> None:
    request = request_of(body)
    assert request.words == request.chain_words == words
    refused = request_of(body, Outcome.MODE_FORBIDS)
    assert refused.words == (words[0], 2 + (Outcome.MODE_FORBIDS << 160), *words[2:])
    assert refused.chain_words == words
    assert parse_request(refused.words, 0) == refused


@pytest.mark.parametrize(
    ("body", "hashed"),
    [
        (ListMarket(3, MARKET_TERMS), (3, *words_of(MARKET_TERMS))),
        (UpdateMarket(3, 2, MARKET_TERMS), (3 + (2 << 16), *words_of(MARKET_TERMS))),
        (SetOracleSigners(2, ((5, 6), (7, 8))), (2, 2, 5, 6, 7, 8)),
        (SetOracleSigners(2, ()), (2, 0)),
        (SetFees(FEE_TERMS), (0, *words_of(FEE_TERMS))),
        (SetVault(9, VAULT_TERMS), (9, *words_of(VAULT_TERMS))),
        (SetMode(1), (1,)),
        (RotateSequencer(7), (7,)),
    ],
)
def test_words_of_what_governance_decided(body: Any, hashed: tuple[int, ...]) -> None:
    assert governed_words(body) == hashed
    request = request_of(body, Outcome.INVALID_TERMS)
    word_3 = hash_words(TAG_GOVERNED, hashed)
    assert request.words == (int(body.KIND), Outcome.INVALID_TERMS << 160, word_3, 0)
    assert parse_request(request.words, 0) == request


def test_every_queued_kind_has_bounds() -> None:
    queued = {kind for kind in Kind if kind.is_queued}
    assert set(BOUNDS) == set(OUTCOMES) == queued


def test_only_what_came_with_collateral_brought_it_in() -> None:
    assert request_of(VaultDeposit(1, 2, 3, 4)).brought_in == 3
    assert request_of(ForcedWithdraw(1, 2, 3)).brought_in == 0


ONE = 1 << 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((0, 0, 0, 0), "word 8: expected the kind of a queued request, got 0"),
        ((3 + ONE, 0, 0, 0), "word 8: expected the kind of a queued request, got 3"),
        ((32 + ONE, 0, 0, 0), "word 8: expected the kind of a queued request, got 32"),
        ((5, 0, 0, 0), "word 8: expected an account in 1..16777215, got 0"),
        ((1 << 96, 0, 0, 0), f"word 8: expected a word of 96 bits, got {1 << 96:#x}"),
        ((5 + ONE, 1 << 168, 0, 0), f"word 9: expected a word of 168 bits, got {1 << 168:#x}"),
        ((5 + ONE, 1 << 160, 0, 0), "word 9: expected an outcome of this kind, got 1"),
        ((5 + ONE, 33 << 160, 0, 0), "word 9: expected an outcome of this kind, got 33"),
        ((5 + ONE, 0, 1, 0), "word 10: expected a word of 0 bits, got 0x1"),
        ((6 + ONE + (1 << 32), 0, 0, 0), "word 8: expected an amount in 0..0, got 1"),
        ((6 + ONE, 0, 1 << 16, 0), "word 10: expected a word of 16 bits, got 0x10000"),
        ((6 + ONE, 0, 0, 1), "word 11: expected a word of 0 bits, got 0x1"),
        ((7 + ONE, 0, 1, 0), "word 10: expected a word of 0 bits, got 0x1"),
        ((8 + ONE, 0, 1 << 40, 0), "word 10: expected a word of 40 bits, got 0x10000000000"),
        ((9 + ONE, 0, 0, 0), f"word 8: expected an amount in 1..{2**64 - 1}, got 0"),
        ((10 + ONE, 0, 1 << 120, 0), f"word 10: expected a word of 120 bits, got {1 << 120:#x}"),
        ((16 + ONE, 0, 0, 0), "word 8: expected no account and no owner, got (1, 0)"),
        ((16, 1, 0, 0), "word 8: expected no account and no owner, got (0, 1)"),
        ((16 + (1 << 32), 0, 0, 0), "word 8: expected an amount in 0..0, got 1"),
        ((22, 0, 0, 1), "word 11: expected a word of 0 bits, got 0x1"),
    ],
)
def test_words_that_no_request_publishes(words: tuple[int, ...], message: str) -> None:
    with pytest.raises(PubdataError) as caught:
        parse_request(words, 8)
    assert str(caught.value) == message


def test_a_hash_may_be_any_field_element() -> None:
    assert parse_request((16, 0, R - 1, 0), 0).word_3 == R - 1
