"""Ticks of the oracle, the breaker and the mark: every refusal, and every way back to a price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circuits.exchange.addresses import header_address
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.errors import RejectReason
from circuits.exchange.gates import DOWN, MARK, UP
from circuits.exchange.leaves import MarketStatus, Side
from circuits.exchange.oracle_price import is_near
from circuits.exchange.state import State
from circuits.exchange.steps import BreakerHeld, BreakerTripped, Halted, PriceTaken, Resumed
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote, quote_digest
from circuits.exchange.transactions.resume import Resume
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.units import CashUnits
from circuits.poseidon2 import TAG_QUOTE, hash_words
from circuits.signature import SignatureReject
from tests.support.exchange import DOMAIN
from tests.support.listed import (
    BOB,
    HOUR,
    MARKET,
    MINUTE,
    START,
    UNSIGNED,
    account_of,
    after,
    listed,
    played,
    priced,
    prices_of,
    quote,
    reason,
    signer_point,
    steps_of,
    tick,
    with_head,
    with_leaves,
    with_prices,
    with_terms,
    with_trigger,
)

NOW = START + 1000


def quotes(*values: tuple[int, int, int]) -> OracleTick:
    """A tick of (signer, price, time) in the order given."""
    return OracleTick(MARKET, tuple(Quote(*value, UNSIGNED) for value in values))


def tried(state: State, *prices: int, time_ms: int = NOW) -> RejectReason | None:
    return reason(state, tick(*prices, time_ms=time_ms), time_ms)


class TestQuotes:
    """What a tick is made of, in the order in which it is checked."""

    def test_a_first_price(self) -> None:
        receipt = played(listed(), tick(998, 1000, 1001, time_ms=NOW - 5), NOW)
        assert steps_of(receipt) == (PriceTaken(MARKET, 1000, 1000),)
        prices = prices_of(receipt.state)
        assert (prices.index_price, prices.mark_price) == (1000, 1000)
        assert (prices.price_time_ms, prices.valid_until_ms) == (NOW - 5, NOW + 30_000)

    def test_the_newest_quote_dates_the_price_so_that_none_counts_twice(self) -> None:
        body = quotes((1, 999, NOW - 7), (0, 1000, NOW - 1), (2, 1000, NOW - 3))
        state = after(listed(), body, NOW)
        prices = prices_of(state)
        assert (prices.index_price, prices.price_time_ms) == (1000, NOW - 1)
        again = quotes((1, 999, NOW), (0, 1000, NOW - 1), (2, 1000, NOW))
        assert reason(state, again, NOW) is RejectReason.QUOTE_NOT_NEWER

    def test_of_two_in_the_middle_the_lower_is_taken(self) -> None:
        state = after(
            listed(), SetOracleSigners(3, tuple(map(signer_point, range(4)))), time_ms=START
        )
        assert prices_of(after(state, tick(999, 1000, 1001, 1002, time_ms=NOW), NOW))[:1] == (1000,)

    @pytest.mark.parametrize("market", [MARKET + 1, 1024, -1])
    def test_a_market_that_is_not_listed(self, market: int) -> None:
        body = tick(1000, 1000, time_ms=NOW, market=market)
        assert reason(listed(), body, NOW) is RejectReason.UNKNOWN_MARKET

    def test_a_delisted_market_takes_no_price_but_a_reducing_one_does(self) -> None:
        delisted = with_prices(listed(), status=MarketStatus.DELISTED)
        assert tried(delisted, 1000, 1000) is RejectReason.MARKET_STATUS
        assert tried(with_prices(listed(), status=MarketStatus.REDUCE_ONLY), 1000, 1000) is None

    def test_funding_that_is_due_comes_first(self) -> None:
        minute = START + MINUTE
        assert tried(listed(), 1000, 1000, time_ms=minute - 1) is None
        assert tried(listed(), 1000, 1000, time_ms=minute) is RejectReason.FUNDING_DUE

    def test_a_trigger_that_is_armed_fires_first(self) -> None:
        state = with_trigger(priced(), MARK, UP, 1000)
        assert tried(state, 1000, 1000) is RejectReason.TRIGGER_DUE
        assert tried(with_trigger(priced(), MARK, UP, 1001), 1001, 1001) is None

    @pytest.mark.parametrize(
        ("count", "expected"), [(0, True), (1, False), (16, False), (17, True)]
    )
    def test_the_number_of_quotes(self, count: int, expected: bool) -> None:
        body = quotes(*((signer, 1000, NOW) for signer in range(count)))
        found = reason(listed(), body, NOW)
        assert (found is RejectReason.QUOTE_COUNT) is expected

    @pytest.mark.parametrize(
        "values",
        [
            [(0, 1001, NOW), (1, 1000, NOW)],
            [(1, 1000, NOW), (0, 1000, NOW)],
            [(0, 1000, NOW), (0, 1000, NOW)],
            [(0, 1000, NOW), (1, 1001, NOW), (2, 1000, NOW)],
        ],
    )
    def test_quotes_increase_by_price_and_signer(self, values: list[tuple[int, int, int]]) -> None:
        assert reason(listed(), quotes(*values), NOW) is RejectReason.QUOTE_ORDER

    @pytest.mark.parametrize("signer", [3, 15, 255, -1])
    def test_a_signer_who_is_not_in_the_set(self, signer: int) -> None:
        body = quotes((0, 1000, NOW), (signer, 1001, NOW))
        assert reason(listed(), body, NOW) is RejectReason.UNKNOWN_SIGNER
        assert reason(listed(), quotes((0, 1000, NOW), (2, 1001, NOW)), NOW) is None

    def test_a_signer_counts_once(self) -> None:
        """One signer cannot make a quorum of two with two prices."""
        body = quotes((1, 1000, NOW), (1, 1001, NOW))
        assert reason(listed(), body, NOW) is RejectReason.DUPLICATE_SIGNER

    def test_a_price_of_zero_or_beyond_its_width(self) -> None:
        assert tried(listed(), 0, 1000) is RejectReason.PRICE_ZERO
        assert tried(listed(), 1, 1) is None
        assert tried(listed(), 2**32 - 1, 2**32 - 1) is None
        assert tried(listed(), 2**32, 2**32) is RejectReason.FIELD_OUT_OF_RANGE
        assert tried(listed(), -1, 1000) is RejectReason.FIELD_OUT_OF_RANGE

    def test_a_quote_of_the_future(self) -> None:
        body = quotes((0, 1000, NOW), (1, 1000, NOW + 1))
        assert reason(listed(), body, NOW) is RejectReason.QUOTE_FUTURE
        assert reason(listed(), body, NOW + 1) is None

    def test_a_stale_quote(self) -> None:
        body = quotes((0, 1000, NOW), (1, 1000, NOW + 1))
        assert reason(listed(), body, NOW + 5000) is None
        assert reason(listed(), body, NOW + 5001) is RejectReason.QUOTE_STALE

    def test_a_quote_no_newer_than_the_price(self) -> None:
        state = priced(time_ms=NOW)
        body = quotes((0, 1000, NOW + 1), (1, 1000, NOW))
        assert reason(state, body, NOW + 1) is RejectReason.QUOTE_NOT_NEWER
        assert tried(state, 1000, 1000, time_ms=NOW + 1) is None

    def test_the_same_tick_again(self) -> None:
        body = tick(1000, 1000, 1000, time_ms=NOW)
        assert reason(after(listed(), body, NOW), body) is RejectReason.QUOTE_NOT_NEWER

    def test_a_minority(self) -> None:
        assert tried(listed(), 1000) is RejectReason.QUORUM
        assert tried(listed(), 1000, 1000) is None

    def test_a_first_price_that_a_minority_agrees_on(self) -> None:
        """Two quotes, of which one is 2001 millionths off, are no quorum of two."""
        assert tried(listed(), 1_000_000, 1_002_000) is None
        assert tried(listed(), 1_000_000, 1_002_001) is RejectReason.QUORUM

    def test_a_time_too_late_for_its_validity(self) -> None:
        last = 2**48 - 1 - 30_000
        state = with_prices(listed(), next_sample_ms=2**48 - 1, next_settlement_ms=2**48 - 1)
        assert tried(state, 1000, 1000, time_ms=last) is None
        assert tried(state, 1000, 1000, time_ms=last + 1) is RejectReason.TIME_OUT_OF_RANGE

    def test_an_earlier_quote_is_checked_whole_before_a_later_one(self) -> None:
        body = quotes((0, 1000, NOW + 1), (3, 1001, NOW))
        assert reason(listed(), body, NOW) is RejectReason.QUOTE_FUTURE


MESSAGES = [
    (quotes((0, 1000, NOW - 5001)), f"quote_stale: expected a time of at least {NOW - 5000} ms"),
    (quotes((0, 1000, NOW + 1)), f"quote_future: expected a time of at most {NOW} ms"),
    (quotes((3, 1000, NOW)), "unknown_signer: expected a signer below 3, got 3"),
    (quotes((0, 1000, NOW)), "quorum: expected 2 quotes, got 1"),
    (
        quotes((1, 1000, NOW), (0, 999, NOW)),
        "quote_order: expected a price and signer above 1000, 1, got 999, 0",
    ),
]


@pytest.mark.parametrize(("body", "message"), MESSAGES, ids=[text for _, text in MESSAGES])
def test_messages_carry_expected_and_got(body: OracleTick, message: str) -> None:
    assert str(played(listed(), body, NOW).rejected).startswith(message)


class TestSignatures:
    """What the signers sign."""

    def test_the_digest(self) -> None:
        word = MARKET + (1000 << 16) + (NOW << 48)
        assert quote_digest(DOMAIN, MARKET, 1000, NOW) == hash_words(TAG_QUOTE, (DOMAIN, word))

    def test_real_signatures(self) -> None:
        body = OracleTick(MARKET, (quote(0, 1000, NOW), quote(2, 1001, NOW)))
        receipt = apply_command(listed(), Command(NOW, body))
        assert receipt.rejected is None
        assert prices_of(receipt.state).index_price == 1000

    @pytest.mark.parametrize(
        "change", [{"price": 1002}, {"time_ms": NOW - 1}, {"signer": 1}], ids=["p", "t", "s"]
    )
    def test_every_field_of_a_quote_is_bound(self, change: dict[str, int]) -> None:
        bad = quote(2, 1001, NOW)._replace(**change)
        receipt = apply_command(
            listed(), Command(NOW, OracleTick(MARKET, (quote(0, 1000, NOW), bad)))
        )
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason.SIGNATURE_EQUATION

    def test_a_quote_of_another_market(self) -> None:
        bad = quote(0, 1000, NOW, market=MARKET + 1)
        receipt = apply_command(listed(), Command(NOW, OracleTick(MARKET, (bad,))))
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason.SIGNATURE_EQUATION

    @pytest.mark.parametrize("reject", SignatureReject)
    def test_every_reason_of_the_verifier(self, reject: SignatureReject) -> None:
        body = tick(1000, 1000, time_ms=NOW)
        receipt = apply_command(listed(), Command(NOW, body), verify=lambda *_: reject)
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason(reject.value)

    def test_keys_that_were_replaced_sign_nothing_more(self) -> None:
        state = after(listed(), SetOracleSigners(2, tuple(map(signer_point, (3, 4, 5)))), START)
        body = OracleTick(MARKET, (quote(0, 1000, NOW), quote(2, 1001, NOW)))
        receipt = apply_command(state, Command(NOW, body))
        assert receipt.rejected is not None
        assert receipt.rejected.reason is RejectReason.SIGNATURE_EQUATION


class TestBreaker:
    """A market stops at a price that is too far off, and goes on when the oracle agrees again."""

    def test_near_is_a_closed_interval(self) -> None:
        assert is_near(1100, 1000, 100_000)
        assert is_near(900, 1000, 100_000)
        assert not is_near(1101, 1000, 100_000)
        assert not is_near(899, 1000, 100_000)

    @pytest.mark.parametrize(("price", "is_taken"), [(1100, True), (1101, False), (899, False)])
    def test_at_the_band_and_beyond(self, price: int, is_taken: bool) -> None:
        receipt = played(priced(), tick(price, price, price, time_ms=NOW), NOW)
        prices = prices_of(receipt.state)
        if is_taken:
            assert steps_of(receipt) == (PriceTaken(MARKET, price, price),)
            assert (prices.index_price, prices.halted) == (price, 0)
        else:
            assert steps_of(receipt) == (BreakerTripped(MARKET, price),)
            assert (prices.index_price, prices.mark_price) == (1000, 1000)
            assert (prices.halted, prices.cooldown_count, prices.pending) == (1, 0, price)
            assert (prices.price_time_ms, prices.valid_until_ms) == (NOW, NOW + 30_000)

    def test_quotes_that_disagree_trip_it_too(self) -> None:
        """The median is within the band, but only one quote is near it."""
        receipt = played(priced(), tick(900, 1000, 1100, time_ms=NOW), NOW)
        assert steps_of(receipt) == (BreakerTripped(MARKET, 1000),)

    def test_an_outlier_does_not_count_but_does_no_harm(self) -> None:
        receipt = played(priced(), tick(1, 1000, 1002, time_ms=NOW), NOW)
        assert steps_of(receipt) == (PriceTaken(MARKET, 1000, 1000),)

    def tripped(self, price: int = 2000) -> State:
        return after(priced(), tick(price, price, price, time_ms=NOW), NOW)

    def test_recovery_at_the_old_price(self) -> None:
        """A spike: the first tick back disagrees with the spike, three more agree with it."""
        state = self.tripped()
        for place, count in enumerate((0, 1, 2, 3), 1):
            time_ms = NOW + place
            assert reason(state, Resume(MARKET)) is RejectReason.NOT_DUE
            receipt = played(state, tick(1001, 1001, 1001, time_ms=time_ms), time_ms)
            assert steps_of(receipt) == (BreakerHeld(MARKET, 1001, count),)
            state = receipt.state
            assert prices_of(state).index_price == 1000
        receipt = played(state, Resume(MARKET), NOW + 4)
        assert steps_of(receipt) == (Resumed(MARKET, 1001, 1001),)
        prices = prices_of(receipt.state)
        assert (prices.halted, prices.index_price, prices.mark_price) == (0, 1001, 1001)

    def test_recovery_at_a_far_away_price(self) -> None:
        """The market did move: the ticks agree with each other, not with the last price."""
        state = self.tripped(50_000)
        for place in range(1, 4):
            price = 50_000 + 1000 * place
            state = priced(price, state)
        receipt = played(state, Resume(MARKET), state.time_ms)
        assert steps_of(receipt) == (Resumed(MARKET, 53_000, 53_000),)
        assert tried(receipt.state, 53_000, 53_000, time_ms=state.time_ms + 1) is None

    def test_a_tick_that_disagrees_starts_the_count_anew(self) -> None:
        state = priced(2000, priced(2000, self.tripped()))
        assert prices_of(state).cooldown_count == 2
        state = priced(2201, state)
        prices = prices_of(state)
        assert (prices.cooldown_count, prices.pending) == (0, 2201)
        state = priced(2200, priced(2200, priced(2200, state)))
        assert reason(state, Resume(MARKET)) is None

    def test_a_minority_that_agrees_starts_the_count_anew(self) -> None:
        state = priced(2000, priced(2000, self.tripped()))
        state = after(state, tick(1500, 2000, 2500, time_ms=NOW + 9), NOW + 9)
        assert prices_of(state).cooldown_count == 0

    def test_the_count_stays_in_its_byte(self) -> None:
        state = with_prices(self.tripped(), cooldown_count=255)
        assert prices_of(priced(2000, state)).cooldown_count == 255
        state = with_prices(self.tripped(), cooldown_count=254)
        assert prices_of(priced(2000, state)).cooldown_count == 255


class TestHalt:
    """A market without a price stops, by a command that only that can justify."""

    def test_a_silent_oracle(self) -> None:
        state = priced()
        valid_until_ms = prices_of(state).valid_until_ms
        assert reason(state, Halt(MARKET), valid_until_ms - 1) is RejectReason.NOT_DUE
        receipt = played(state, Halt(MARKET), valid_until_ms)
        assert steps_of(receipt) == (Halted(MARKET),)
        prices = prices_of(receipt.state)
        assert (prices.halted, prices.cooldown_count, prices.pending) == (1, 0, 1000)

    def test_the_oracle_comes_back(self) -> None:
        state = after(priced(), Halt(MARKET), START + 40_000)
        assert reason(state, Resume(MARKET)) is RejectReason.NOT_DUE
        for _ in range(2):
            state = priced(1050, state)
            assert reason(state, Resume(MARKET)) is RejectReason.NOT_DUE
        state = priced(1050, state)
        resumed = after(state, Resume(MARKET))
        assert prices_of(resumed).index_price == 1050

    def test_the_oracle_is_late_but_nobody_halted(self) -> None:
        """Without a halt the next tick revives the market at once: its band is the old price's."""
        state = priced(1100, time_ms=START + 40_000, state=priced())
        assert (prices_of(state).halted, prices_of(state).index_price) == (0, 1100)

    def test_a_trigger_that_is_armed_comes_before_a_resume(self) -> None:
        state = with_prices(priced(), halted=1, cooldown_count=3, pending=1010)
        state = with_trigger(state, MARK, DOWN, 1000)
        assert reason(state, Resume(MARKET)) is RejectReason.TRIGGER_DUE

    @pytest.mark.parametrize("command", [Halt, Resume])
    def test_a_market_that_is_not_listed(self, command: type[Halt | Resume]) -> None:
        assert reason(listed(), command(MARKET + 1)) is RejectReason.UNKNOWN_MARKET

    def test_a_market_that_never_had_a_price_or_is_halted_already(self) -> None:
        assert reason(listed(), Halt(MARKET), START + HOUR) is RejectReason.NOT_DUE
        state = after(priced(), Halt(MARKET), START + 40_000)
        assert reason(state, Halt(MARKET)) is RejectReason.NOT_DUE

    def test_a_market_that_is_not_halted_does_not_resume(self) -> None:
        state = with_prices(priced(), cooldown_count=3)
        assert reason(state, Resume(MARKET)) is RejectReason.NOT_DUE

    def test_a_price_that_is_stale_again_does_not_resume(self) -> None:
        state = with_prices(priced(), halted=1, cooldown_count=3, pending=1010)
        valid_until_ms = prices_of(state).valid_until_ms
        assert reason(state, Resume(MARKET), valid_until_ms) is RejectReason.NOT_DUE
        assert reason(state, Resume(MARKET), valid_until_ms - 1) is None

    def test_funding_comes_before_a_resume(self) -> None:
        state = with_prices(priced(), halted=1, cooldown_count=3, pending=1010)
        state = with_prices(state, next_sample_ms=NOW)
        assert reason(state, Resume(MARKET), NOW) is RejectReason.FUNDING_DUE
        assert reason(state, Resume(MARKET), NOW - 1) is None


class TestMark:
    """The median of index, average premium and the middle of the book, in the mark's own band."""

    def mark(self, state: State, price: int = 10_000) -> int:
        return prices_of(priced(price, state)).mark_price

    @pytest.mark.parametrize(
        ("bid", "ask", "premium", "mark"),
        [
            (0, 0, 0, 10_000),
            (10_020, 10_041, 0, 10_000),
            (10_020, 10_041, 20, 10_020),
            (10_020, 10_041, 50, 10_030),
            (10_020, 10_041, -50, 10_000),
            (9_000, 9_001, -500, 9_900),
            (19_000, 19_001, 500, 10_100),
            (10_020, 0, 20, 10_000),
            (0, 10_020, 20, 10_000),
            (10_020, 0, -20, 10_000),
            (0, 10_020, -20, 10_000),
        ],
    )
    def test_a_median_of_three(self, bid: int, ask: int, premium: int, mark: int) -> None:
        state = listed()
        if bid:
            state = with_head(state, Side.BID, bid)
        if ask:
            state = with_head(state, Side.ASK, ask)
        state = with_prices(state, premium_sum=7 * premium, premium_samples=7)
        assert self.mark(state) == mark

    def test_the_average_rounds_down(self) -> None:
        state = with_head(with_head(listed(), Side.BID, 9_000), Side.ASK, 9_001)
        assert self.mark(with_prices(state, premium_sum=-1, premium_samples=7)) == 9_999
        state = with_head(with_head(listed(), Side.BID, 11_000), Side.ASK, 11_001)
        assert self.mark(with_prices(state, premium_sum=13, premium_samples=7)) == 10_001

    def test_an_expired_head_is_no_head(self) -> None:
        state = with_prices(listed(), premium_sum=50, premium_samples=1)
        time_ms = state.time_ms + 2
        for good_until_ms, mark in ((time_ms, 10_030), (time_ms - 1, 10_000)):
            state = with_head(state, Side.BID, 10_020, good_until_ms=good_until_ms)
            assert self.mark(with_head(state, Side.ASK, 10_041)) == mark

    def test_a_mark_at_the_ends_of_its_range(self) -> None:
        wide = with_terms(listed(), mark_band_ppm=999_999)
        low = with_prices(wide, premium_sum=-5, premium_samples=1)
        low = with_head(with_head(low, Side.BID, 1), Side.ASK, 1)
        assert self.mark(low, 1) == 1
        top = 2**32 - 1
        high = with_prices(wide, premium_sum=top, premium_samples=1)
        high = with_head(with_head(high, Side.BID, top), Side.ASK, top)
        assert self.mark(high, top) == top
        # A price that nobody could pay does not count until somebody can.
        assert self.mark(high, top - 5) == top - 5
        rich = account_of(high, BOB).with_cash(CashUnits(2**100))
        high = with_leaves(high, {header_address(BOB): rich})
        assert self.mark(high, top - 5) == top


def test_a_refused_tick_changes_nothing() -> None:
    state = priced()
    body = replace(tick(1000, 1000, time_ms=NOW), market=MARKET + 1)
    assert played(state, body, NOW).state is state
