"""Funding: what is due cannot be skipped, in its order; the rate, the index and their bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.exchange.draft import Draft
from circuits.exchange.errors import RejectReason
from circuits.exchange.funding import is_bounded, moved_index, premium_of, rate_of
from circuits.exchange.guide import SCAN
from circuits.exchange.leaves import MarketPrices, Side
from circuits.exchange.risk import totals
from circuits.exchange.state import State
from circuits.exchange.steps import FundingSettled, Sampled
from circuits.exchange.transactions.funding_sample import FundingSample
from circuits.exchange.transactions.funding_settle import FundingSettle
from tests.support.listed import (
    ALICE,
    BOB,
    HOUR,
    MARKET,
    MINUTE,
    START,
    TERMS,
    account_of,
    after,
    listed,
    played,
    priced,
    prices_of,
    reason,
    steps_of,
    tick,
    with_book,
    with_head,
    with_position,
    with_prices,
)

SAMPLE, SETTLE = FundingSample(MARKET), FundingSettle(MARKET)


def sampled(state: State, time_ms: int) -> Sampled:
    (step,) = steps_of(played(state, SAMPLE, time_ms))
    assert isinstance(step, Sampled)
    return step


def settled(state: State, time_ms: int) -> FundingSettled:
    (step,) = steps_of(played(state, SETTLE, time_ms))
    assert isinstance(step, FundingSettled)
    return step


def lasting(state: State) -> State:
    """The state with a price that stays valid for ever."""
    return with_prices(state, valid_until_ms=2**48 - 1)


class TestDue:
    """Minutes and hours of the clock, and which of two that are due comes first."""

    def test_timers_of_a_new_market(self) -> None:
        prices = prices_of(listed())
        assert prices.next_sample_ms == START + MINUTE
        assert prices.next_settlement_ms == START + HOUR

    def test_nothing_before_its_time(self) -> None:
        assert reason(listed(), SAMPLE, START + MINUTE - 1) is RejectReason.NOT_DUE
        assert reason(listed(), SETTLE, START + HOUR - 1) is RejectReason.NOT_DUE
        assert reason(listed(), SAMPLE, START + MINUTE) is None

    @pytest.mark.parametrize("command", [FundingSample, FundingSettle])
    def test_a_market_that_is_not_listed(
        self, command: type[FundingSample | FundingSettle]
    ) -> None:
        assert reason(listed(), command(MARKET + 1)) is RejectReason.UNKNOWN_MARKET

    def test_once_for_each_minute(self) -> None:
        state = after(listed(), SAMPLE, START + MINUTE + 5)
        assert prices_of(state).next_sample_ms == START + 2 * MINUTE
        assert reason(state, SAMPLE) is RejectReason.NOT_DUE

    def test_minutes_that_passed_in_silence_are_one_sample(self) -> None:
        state = after(lasting(priced()), SAMPLE, START + 5 * MINUTE + 1)
        assert prices_of(state).next_sample_ms == START + 6 * MINUTE
        assert prices_of(state).premium_samples == 1

    def test_an_older_sample_comes_before_the_settlement(self) -> None:
        """The last full minute before the hour was not sampled yet."""
        assert reason(listed(), SETTLE, START + HOUR) is RejectReason.FUNDING_DUE
        state = after(listed(), SAMPLE, START + HOUR)
        assert reason(state, SETTLE) is None

    def test_at_the_full_hour_the_settlement_comes_before_the_sample(self) -> None:
        state = after(listed(), SAMPLE, START + HOUR - 1)
        assert prices_of(state).next_sample_ms == START + HOUR
        assert reason(state, SAMPLE, START + HOUR) is RejectReason.FUNDING_DUE
        state = after(state, SETTLE, START + HOUR)
        assert prices_of(state).next_settlement_ms == START + 2 * HOUR
        assert reason(state, SAMPLE) is None

    def test_hours_of_silence_are_one_sample_and_one_settlement(self) -> None:
        later = START + 7 * HOUR + 90_000
        state = after(lasting(priced()), SAMPLE, later)
        state = after(state, SETTLE, later)
        assert reason(state, SAMPLE) is RejectReason.NOT_DUE
        assert reason(state, SETTLE) is RejectReason.NOT_DUE
        prices = prices_of(state)
        assert prices.next_sample_ms == START + 7 * HOUR + 2 * MINUTE
        assert prices.next_settlement_ms == START + 8 * HOUR
        assert reason(state, tick(1000, 1000, time_ms=later)) is None

    def test_nothing_that_reads_the_market_goes_before_them(self) -> None:
        later = START + HOUR
        body = tick(1000, 1000, time_ms=later)
        assert reason(listed(), body, later) is RejectReason.FUNDING_DUE
        state = after(listed(), SAMPLE, later)
        assert reason(state, body) is RejectReason.FUNDING_DUE
        assert reason(after(state, SETTLE), body) is None

    def test_a_time_without_a_next_minute(self) -> None:
        last = 2**48 - 1
        assert reason(listed(), SAMPLE, last) is RejectReason.TIME_OUT_OF_RANGE
        state = with_prices(listed(), next_sample_ms=last)
        assert reason(state, SETTLE, last) is RejectReason.TIME_OUT_OF_RANGE


class TestSample:
    """The premium of a minute."""

    @pytest.mark.parametrize(
        ("bid", "ask", "premium"),
        [
            (0, 0, 0),
            (1000, 1000, 0),
            (999, 1001, 0),
            (1001, 1002, 1),
            (998, 999, -1),
            (1500, 0, 500),
            (0, 400, -600),
            (2**32 - 1, 2**32 - 1, 2**32 - 1001),
        ],
    )
    def test_the_book_against_the_index(self, bid: int, ask: int, premium: int) -> None:
        assert premium_of(1000, bid, ask) == premium

    def test_a_sample_counts_and_moves_the_mark(self) -> None:
        state = with_head(with_head(priced(), Side.BID, 1004), Side.ASK, 1007)
        assert sampled(lasting(state), START + MINUTE) == Sampled(MARKET, 4, 1004, True)
        prices = prices_of(after(lasting(state), SAMPLE, START + MINUTE))
        assert (prices.premium_sum, prices.premium_samples, prices.mark_price) == (4, 1, 1004)

    def test_samples_add_up(self) -> None:
        state = with_prices(lasting(priced()), premium_sum=-7, premium_samples=9)
        prices = prices_of(after(with_head(state, Side.BID, 1004), SAMPLE, START + MINUTE))
        assert (prices.premium_sum, prices.premium_samples) == (-3, 10)

    def test_an_expired_head_is_no_head(self) -> None:
        minute = START + MINUTE
        for good_until_ms, premium in ((minute, 4), (minute - 1, 0)):
            state = with_head(priced(), Side.BID, 1004, good_until_ms=good_until_ms)
            assert sampled(lasting(state), minute).premium == premium

    @pytest.mark.parametrize(
        "changes",
        [
            {"halted": 1},
            {"index_price": 0},
            {"valid_until_ms": START + MINUTE},
            {"premium_samples": 32_767},
        ],
        ids=str,
    )
    def test_without_a_price_the_minute_passes_uncounted(self, changes: dict[str, int]) -> None:
        state = with_prices(lasting(with_head(priced(), Side.BID, 1004)), **changes)
        before = prices_of(state)
        assert sampled(state, START + MINUTE) == Sampled(MARKET, 0, 1000, False)
        assert prices_of(after(state, SAMPLE, START + MINUTE)) == before._replace(
            next_sample_ms=START + 2 * MINUTE
        )

    def test_the_last_sample_and_the_last_valid_millisecond(self) -> None:
        state = with_prices(priced(), premium_samples=32_766, valid_until_ms=START + MINUTE + 1)
        assert sampled(state, START + MINUTE).is_counted
        assert prices_of(after(state, SAMPLE, START + MINUTE)).premium_samples == 32_767


def period(
    premium_sum: int, samples: int, index: int = 1000, funding_index: int = 0
) -> MarketPrices:
    return prices_of(listed())._replace(
        index_price=index,
        premium_sum=premium_sum,
        premium_samples=samples,
        funding_index=funding_index,
    )


class TestRate:
    """clamp(average + clamp(interest - average, -b, b), -cap, cap) of ppb per hour."""

    @pytest.mark.parametrize(
        ("premium_sum", "rate"),
        [
            (0, 12_500),
            (60, 1_000_000 - 62_500),
            (-60, -1_000_000 + 62_500),
            (3, 12_500),
            (5, 83_333 - 62_500),
            (60_000, 5_000_000),
            (-60_000, -5_000_000),
        ],
    )
    def test_rates(self, premium_sum: int, rate: int) -> None:
        assert rate_of(period(premium_sum, 60), TERMS) == rate

    def test_the_average_rounds_down(self) -> None:
        terms = TERMS._replace(funding_clamp_ppb=0, interest_ppb=0)
        assert rate_of(period(1, 3), terms) == 333_333
        assert rate_of(period(-1, 3), terms) == -333_334

    def test_no_sample_or_no_price_is_no_rate(self) -> None:
        assert rate_of(period(0, 0), TERMS) == 0
        assert rate_of(period(0, 5, index=0), TERMS) == 0

    def test_settlement(self) -> None:
        state = with_prices(
            priced(), premium_sum=60, premium_samples=60, next_sample_ms=START + HOUR
        )
        step = settled(state, START + HOUR)
        assert step == FundingSettled(MARKET, 937_500, 937_500 * 1000 * 3 * 1000)
        prices = prices_of(after(state, SETTLE, START + HOUR))
        assert prices.funding_index == step.funding_index
        assert (prices.premium_sum, prices.premium_samples) == (0, 0)
        assert prices.mark_price == prices_of(state).mark_price

    @given(
        premium_sum=st.integers(-(10**9), 10**9),
        samples=st.integers(1, 32_767),
        index=st.integers(1, 2**32 - 1),
    )
    def test_against_fractions(self, premium_sum: int, samples: int, index: int) -> None:
        exact = Fraction(premium_sum * 10**9, samples * index)
        pulled = exact + max(-62_500, min(62_500, 12_500 - exact))
        rate = rate_of(period(premium_sum, samples, index), TERMS)
        assert 0 <= max(-5_000_000, min(5_000_000, pulled)) - rate < 1


class TestIndex:
    """The index moves by rate * index * q * 1000, and stays where a bound would be passed."""

    def test_equity_moves_by_exactly_size_times_the_step(self) -> None:
        state = with_prices(
            priced(), premium_sum=-60, premium_samples=60, next_sample_ms=START + HOUR
        )
        state = lasting(with_position(with_position(state, ALICE, 10), BOB, -10))
        moved = after(state, SETTLE, START + HOUR)
        change = prices_of(moved).funding_index
        assert change < 0
        for account, size in ((ALICE, 10), (BOB, -10)):
            assert account_of(moved, account) == account_of(state, account)
            equities = [
                totals(Draft(each, SCAN), account, account_of(each, account), START).equity
                for each in (state, moved)
            ]
            assert equities[1] - equities[0] == -size * change

    @pytest.mark.parametrize("lots", [0, 1, 2**15, 2**15 + 1, 2**47 - 1])
    def test_the_bounds(self, lots: int) -> None:
        terms = TERMS._replace(open_interest_max=1)
        # The first index that is too large: for its leaf, or for the cash of that many lots.
        bound = min(2**95, -(-(2**110) // max(1, lots)))
        for sign in (1, -1):
            assert is_bounded(sign * (bound - 1), terms, lots)
            assert not is_bounded(sign * bound, terms, lots)

    def test_the_larger_of_open_interest_and_its_bound_counts(self) -> None:
        terms = TERMS._replace(open_interest_max=2**20)
        assert is_bounded(2**90 - 1, terms, 0)
        assert not is_bounded(2**90, terms, 0)
        assert not is_bounded(2**90 - 1, terms, 2**20 + 1)

    def test_an_index_at_its_bound_stays(self) -> None:
        top = 2**95 - 1
        terms = TERMS._replace(open_interest_max=1)
        step = 5 * 1000 * 3 * 1000
        assert moved_index(period(0, 1, funding_index=top - step), terms, 5, 0) == top
        assert (
            moved_index(period(0, 1, funding_index=top - step + 1), terms, 5, 0) == top - step + 1
        )
        assert moved_index(period(0, 1, funding_index=step - top), terms, -5, 0) == -top

    def test_a_settlement_at_the_bound_is_not_refused(self) -> None:
        # The market's open interest may reach 10^8 lots, so the cash bound comes first.
        bound = (2**110 - 1) // 10**8
        state = with_prices(
            priced(),
            premium_sum=6000,
            premium_samples=60,
            funding_index=bound,
            next_sample_ms=START + HOUR,
        )
        step = settled(with_book(state, open_interest=5), START + HOUR)
        assert (step.rate_ppb, step.funding_index) == (5_000_000, bound)
        back = with_prices(state, premium_sum=-6000)
        assert settled(back, START + HOUR).funding_index < bound
