"""What the liquidity vault quotes: deterministic prices, and orders like everybody's."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import CONTROLS_ADDRESS, FEE_TERMS_ADDRESS
from circuits.exchange.errors import RejectReason
from circuits.exchange.leaves import Controls, Mode, Side, VaultTerms
from circuits.exchange.limits import NONCE_MAX, PRICE_MAX, QUOTE_LIFE_MS
from circuits.exchange.quoting import half_spread, quotes, skew, used_leverage_ppm
from circuits.exchange.risk import Totals
from circuits.exchange.state import State
from circuits.exchange.steps import Cancelled, Ended, Filled, OperationRefused, Rested
from circuits.exchange.transactions.vault_quote import VaultQuote
from tests.support.distress import (
    CAROL,
    DAVE,
    EVE,
    OTHER,
    UNIT,
    VAULT,
    VAULT_TERMS,
    done,
    exchange,
    holding,
    orders_of,
    placed,
    refused,
    size_of,
    with_trigger,
    with_vault_terms,
)
from tests.support.listed import (
    BOB,
    FEES,
    MARKET,
    TERMS,
    account_of,
    prices_of,
    steps_of,
    with_account,
    with_leaves,
    with_prices,
)

BID, ASK = Side.BID, Side.ASK
quote = VaultQuote(MARKET)
HALF = TERMS.open_interest_max // 2


def vaulted(equity: int = 300_000, **sizes: int) -> State:
    """The vault has this equity, in token units, and these positions."""
    state = holding(exchange(), VAULT, equity * UNIT, **sizes)
    against = {market: -size for market, size in sizes.items()}
    return holding(state, CAROL, 10**9 * UNIT, **against)


def prices(state: State, market: int = MARKET) -> list[tuple[int, int]]:
    """Side and price of what the vault rests after quoting."""
    after = done(state, VaultQuote(market)).state
    return [(order.side, order.price) for order in orders_of(after, VAULT)]


def test_two_layers_on_each_side_of_the_index() -> None:
    """Nothing used: one percent and a half percent more of 1000."""
    state = vaulted()
    receipt = done(state, quote)
    assert [type(step) for step in steps_of(receipt)] == [Rested] * 4
    assert prices(state) == [(BID, 985), (BID, 990), (ASK, 1010), (ASK, 1015)]
    for order in orders_of(receipt.state, VAULT):
        assert (order.remaining, order.reduce_only, order.key_slot) == (10, 0, 0)
        assert order.good_until_ms == state.time_ms + QUOTE_LIFE_MS
    nonces = [order.nonce for order in orders_of(receipt.state, VAULT)]
    assert nonces == [3, 1, 2, 4]
    assert account_of(receipt.state, VAULT).nonce == 4


def test_old_quotes_are_replaced_and_only_those_of_the_market() -> None:
    state = placed(vaulted(), VAULT, BID, 700, 3, market=OTHER)
    state = placed(state, VAULT, BID, 800, 3)
    state = done(state, quote).state
    receipt = done(state, quote)
    steps = steps_of(receipt)
    assert [type(step) for step in steps] == [Cancelled] * 4 + [Rested] * 4
    assert [order.price for order in orders_of(receipt.state, VAULT)] == [
        700,
        985,
        990,
        1010,
        1015,
    ]
    assert account_of(receipt.state, VAULT).orders == 5


def test_quotes_are_a_function_of_the_state() -> None:
    state = vaulted(size=50)
    assert done(state, quote).state.leaves == done(state, quote).state.leaves


def test_the_spread_grows_with_the_leverage_used() -> None:
    """300,000 gross of 600,000 allowed is a half; at all of it the spread is twice as wide."""
    assert prices(vaulted(other=50)) == [(BID, 981), (BID, 987), (ASK, 1013), (ASK, 1019)]
    assert prices(vaulted(other=100)) == [(BID, 977), (BID, 985), (ASK, 1015), (ASK, 1023)]
    full = with_vault_terms(vaulted(other=200), quote_size=1)
    receipt = done(full, quote)
    refusals = [step for step in steps_of(receipt) if isinstance(step, OperationRefused)]
    assert refusals == []
    assert prices(full) == [(BID, 970), (BID, 980), (ASK, 1020), (ASK, 1030)]


def test_prices_lean_away_from_the_inventory() -> None:
    """A hundredth of a tick, rounded down: a short vault bids and asks a whole one more."""
    terms = {"quote_skew_ppm": 10**7 - 1}
    for size, lean in ((100, 0), (-100, -1)):
        state = with_vault_terms(vaulted(size=size), **terms, leverage_cap_ppm=2**32 - 1)
        middle = (prices(state)[1][1] + prices(state)[2][1]) // 2
        assert middle == 1000 - lean
    assert skew(1000, 100_000, HALF, 2 * HALF) == 50
    assert skew(1000, 100_000, -HALF, 2 * HALF) == -50
    assert skew(1000, 100_000, 1, 2 * HALF) == 0
    assert skew(1000, 100_000, -1, 2 * HALF) == -1


@given(
    index=st.integers(1, PRICE_MAX),
    layer=st.integers(0, 2),
    spread=st.integers(0, 10**6),
    step=st.integers(0, 10**6),
    used=st.integers(0, 10**6),
    inventory=st.integers(-(2**31), 2**31),
    skew_ppm=st.integers(0, 2**24 - 1),
)
def test_the_formulas_in_fractions(
    index: int, layer: int, spread: int, step: int, used: int, inventory: int, skew_ppm: int
) -> None:
    terms = VAULT_TERMS._replace(quote_spread_ppm=spread, quote_step_ppm=step)
    width = index * Fraction(spread + layer * step, 10**6) * (1 + Fraction(used, 10**6))
    assert half_spread(index, terms, layer, used) == ceil(width)
    assert half_spread(index, terms, layer, used) <= half_spread(index, terms, layer, used + 1)
    lean = index * Fraction(skew_ppm, 10**6) * Fraction(inventory, 2**31)
    assert skew(index, skew_ppm, inventory, 2**31) == floor(lean)
    assert skew(index, skew_ppm, inventory, 2**31) <= skew(index, skew_ppm, inventory + 1, 2**31)


@given(gross=st.integers(0, 2**67), equity=st.integers(1, 2**120), cap=st.integers(1, 2**32 - 1))
def test_used_leverage_in_fractions(gross: int, equity: int, cap: int) -> None:
    used = Fraction(gross * UNIT, equity) / Fraction(cap, 10**6)
    expected = min(floor(used * 10**6), 10**6)
    assert used_leverage_ppm(Totals(equity, 0, 0, 0, gross, 0), cap) == expected
    assert used_leverage_ppm(Totals(equity, 0, 0, 0, gross, 0), 0) == 10**6


def plain(terms: VaultTerms, index: int, inventory: int = 0) -> list[tuple[int, int]]:
    """Place and price of the quotes of an unlevered vault."""
    found = quotes(terms, index, 1000, inventory, Totals(1, 0, 0, 0, 0, 0))
    return [(each.place, each.price) for each in found]


def test_a_price_that_is_none_is_left_out() -> None:
    terms = VAULT_TERMS._replace(quote_spread_ppm=10**6, quote_step_ppm=10**6)
    assert plain(terms, 100) == [(1, 200), (3, 300)]
    assert plain(terms._replace(quote_spread_ppm=990_000), 100) == [(0, 1), (1, 199), (3, 299)]
    assert plain(VAULT_TERMS._replace(quote_layers=1), PRICE_MAX) == [
        (0, PRICE_MAX - ceil(Fraction(PRICE_MAX, 100)))
    ]
    assert plain(VAULT_TERMS._replace(quote_layers=0), 100) == []
    skipped = with_vault_terms(vaulted(), quote_spread_ppm=10**6)
    assert account_of(done(skipped, quote).state, VAULT).nonce == 2


@pytest.mark.parametrize(
    ("size", "bid_fills", "ask_fills"),
    [(0, False, False), (100, False, True), (-100, True, False)],
)
def test_only_what_reduces_the_inventory_takes(size: int, bid_fills: bool, ask_fills: bool) -> None:
    """Orders of others stand at the vault's own prices; what would add only rests or is refused."""
    state = with_vault_terms(vaulted(size=size, equity=10**6), quote_layers=1, quote_skew_ppm=0)
    low, high = (quoted[1] for quoted in prices(state))
    for side, price, expected in ((ASK, low, bid_fills), (BID, high, ask_fills)):
        crossed = placed(state, DAVE, side, price, 4)
        receipt = done(crossed, quote)
        fills = [step for step in steps_of(receipt) if isinstance(step, Filled)]
        assert bool(fills) is expected
        if expected:
            assert abs(size_of(receipt.state, VAULT)) == 96
            assert len(orders_of(receipt.state, VAULT)) == 2
        else:
            place = 0 if side == ASK else 1
            refusal = OperationRefused(place, RejectReason.POST_ONLY_CROSSES)
            assert refusal in steps_of(receipt)
            assert len(orders_of(receipt.state, VAULT)) == 1
            assert account_of(receipt.state, VAULT).nonce == 2


def test_a_layer_beyond_a_cap_takes_nothing() -> None:
    state = with_vault_terms(vaulted(size=-10), exposure_cap=0, quote_layers=1)
    state = placed(state, EVE, ASK, 900, 4)
    receipt = done(state, quote)
    assert any(isinstance(step, Filled) for step in steps_of(receipt))
    assert size_of(receipt.state, VAULT) == -6
    flip = with_vault_terms(state, quote_size=20)
    flip = placed(flip, DAVE, ASK, 901, 16)
    end = [step for step in steps_of(done(flip, quote)) if isinstance(step, Ended)]
    assert [step.reason for step in end] == [RejectReason.VAULT_CAP]


def test_what_a_refused_layer_did_is_undone() -> None:
    """The order that it dropped on its way to one that it may not take is back."""
    state = with_vault_terms(vaulted(size=-10), exposure_cap=0, quote_layers=1, quote_size=20)
    state = placed(state, EVE, ASK, 900, 4, good_until_ms=state.time_ms)
    state = placed(state, DAVE, ASK, 901, 20)
    receipt = done(state, quote, state.time_ms + 1)
    assert steps_of(receipt)[0] == OperationRefused(0, RejectReason.VAULT_CAP)
    assert len(orders_of(receipt.state, EVE)) == 1


def test_every_layer_may_be_refused() -> None:
    small = with_vault_terms(vaulted(), quote_size=0)
    receipt = done(small, quote)
    assert steps_of(receipt) == tuple(
        OperationRefused(place, RejectReason.SIZE_TOO_SMALL) for place in range(4)
    )
    poor = with_vault_terms(vaulted(equity=2_000), quote_size=14)
    assert [order.side for order in orders_of(done(poor, quote).state, VAULT)] == []


def in_mode(state: State, mode: Mode) -> State:
    controls = state.leaves.get(CONTROLS_ADDRESS)
    assert isinstance(controls, Controls)
    return with_leaves(state, {CONTROLS_ADDRESS: controls._replace(mode=mode)})


def test_what_quoting_refuses_and_in_which_order() -> None:
    state = vaulted()
    unlisted = VaultQuote(1023)
    without = with_leaves(state, {FEE_TERMS_ADDRESS: FEES})
    for mode in (Mode.CONSERVATIVE, Mode.FROZEN):
        assert refused(in_mode(without, mode), unlisted) is RejectReason.MODE_FORBIDS
    assert refused(without, unlisted) is RejectReason.UNKNOWN_VAULT
    unset = with_leaves(state, {FEE_TERMS_ADDRESS: None})
    assert refused(unset, unlisted) is RejectReason.UNKNOWN_VAULT
    assert refused(state, unlisted) is RejectReason.UNKNOWN_MARKET
    due_ms, stale_ms = prices_of(state).next_sample_ms, prices_of(state).valid_until_ms
    for changes in ({"halted": 1}, {"status": 1}, {"status": 2}):
        closed = with_prices(state, **changes)
        assert refused(closed, quote, due_ms) is RejectReason.MARKET_STATUS
    armed = with_trigger(state, BOB, 1000)
    assert refused(armed, quote, due_ms) is RejectReason.FUNDING_DUE
    assert refused(armed, quote, stale_ms) is RejectReason.TRIGGER_DUE
    poor = vaulted(equity=0)
    assert refused(poor, quote, stale_ms) is RejectReason.PRICE_STALE
    assert refused(poor, quote) is RejectReason.INSUFFICIENT_MARGIN
    tight = vaulted(equity=14_999, size=100)
    assert refused(tight, quote) is RejectReason.INSUFFICIENT_MARGIN
    done(vaulted(equity=15_000, size=100), quote)


def test_another_market_of_the_vault_without_a_price() -> None:
    state = vaulted(other=1)
    stale = with_prices(state, OTHER, valid_until_ms=state.time_ms)
    assert refused(stale, quote) is RejectReason.PRICE_STALE
    assert refused(with_prices(state, OTHER, halted=1), quote) is RejectReason.PRICE_STALE


def test_nonces_do_not_run_out_silently() -> None:
    state = with_vault_terms(vaulted(), quote_layers=3)
    state = with_account(state, VAULT, nonce=NONCE_MAX - 6)
    assert account_of(done(state, quote).state, VAULT).nonce == NONCE_MAX
    state = with_account(state, VAULT, nonce=NONCE_MAX - 5)
    assert refused(state, quote) is RejectReason.FIELD_OUT_OF_RANGE


@given(
    size=st.integers(-100, 100),
    other=st.integers(-100, 100),
    offers=st.lists(st.tuples(st.booleans(), st.integers(-40, 40), st.integers(1, 20)), max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_quoting_never_adds_risk_by_taking(
    size: int, other: int, offers: list[tuple[bool, int, int]]
) -> None:
    state = vaulted(equity=10**6, size=size, other=other)
    for is_bid, offset, lots in offers:
        side = BID if is_bid else ASK
        if (is_bid and offset > -25) or (not is_bid and offset < 25):
            state = placed(state, DAVE if is_bid else EVE, side, 1000 + offset, lots)
    after = done(state, quote).state
    assert abs(size_of(after, VAULT)) <= max(abs(size), 20)
    assert size_of(after, VAULT, OTHER) == size_of(state, VAULT, OTHER)
