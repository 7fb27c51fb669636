"""What governance decides: what each command changes, and outcomes that change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from circuits.edwards import clear_cofactor
from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    book_address,
    prices_address,
    signer_address,
    terms_address,
    vault_ledger_address,
    vault_terms_address,
)
from circuits.exchange.bodies import Governed
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.leaves import (
    AccountKind,
    Controls,
    MarketBook,
    MarketStatus,
    Mode,
    OracleSigner,
    VaultLedger,
    VaultTerms,
)
from circuits.exchange.state import State
from circuits.exchange.transactions.list_market import ListMarket
from circuits.exchange.transactions.rotate_sequencer import RotateSequencer
from circuits.exchange.transactions.set_fees import SetFees
from circuits.exchange.transactions.set_mode import SetMode
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.transactions.set_vault import SetVault
from circuits.exchange.transactions.update_market import UpdateMarket
from circuits.field import R
from tests.support.exchange import DOMAIN, OFF_CURVE, account_key_of, funded
from tests.support.listed import (
    ALICE,
    BOB,
    FEE,
    FEES,
    HOUR,
    INSURANCE,
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
    signer_point,
    tick,
    with_account,
    with_book,
    with_leaves,
    with_prices,
)

VAULT_TERMS = VaultTerms(3_000_000, 10**12, 10**12, 86_400_000, 5_000, 500, 250, 1_000, 10, 3)


def outcome(state: State, body: Governed, time_ms: int | None = None) -> Outcome:
    """What became of the command; it must have changed nothing unless it was applied."""
    receipt = played(state, body, state.time_ms if time_ms is None else time_ms)
    assert receipt.rejected is None, receipt.rejected
    assert receipt.outcome is not None
    if receipt.outcome is not Outcome.APPLIED:
        assert receipt.state.leaves == state.leaves
        assert receipt.state.custody == state.custody
        assert receipt.event.before == {}
    return receipt.outcome


class TestListMarket:
    """A market opens once, under terms that hold."""

    def test_its_leaves(self) -> None:
        state = after(listed(), ListMarket(0, TERMS), START + MINUTE)
        assert state.leaves.get(terms_address(0)) == TERMS
        assert state.leaves.get(book_address(0)) == MarketBook()
        prices = prices_of(state, 0)
        assert prices.next_sample_ms == START + 2 * MINUTE
        assert prices.next_settlement_ms == START + HOUR
        assert sum(prices) == prices.next_sample_ms + prices.next_settlement_ms

    @pytest.mark.parametrize(("market", "is_listed"), [(0, 1), (1023, 1), (1024, 0), (-1, 0)])
    def test_market_numbers(self, market: int, is_listed: bool) -> None:
        found = outcome(listed(), ListMarket(market, TERMS))
        assert found is (Outcome.APPLIED if is_listed else Outcome.INVALID_TERMS)

    def test_it_is_not_opened_twice(self) -> None:
        assert outcome(listed(), ListMarket(MARKET, TERMS)) is Outcome.MARKET_EXISTS
        delisted = with_prices(listed(), status=MarketStatus.DELISTED)
        bad = TERMS._replace(quote_per_tick_lot=0)
        assert outcome(delisted, ListMarket(MARKET, bad)) is Outcome.MARKET_EXISTS

    def test_bad_terms(self) -> None:
        body = ListMarket(0, TERMS._replace(maintenance_ppm=0))
        assert outcome(listed(), body) is Outcome.INVALID_TERMS

    def test_not_before_fees_and_signers(self) -> None:
        for address in (FEE_TERMS_ADDRESS, CONTROLS_ADDRESS):
            state = with_leaves(listed(), {address: None})
            assert outcome(state, ListMarket(0, TERMS)) is Outcome.INVALID_TERMS

    def test_a_time_without_a_next_hour(self) -> None:
        last = 2**48 // HOUR * HOUR
        assert outcome(listed(), ListMarket(0, TERMS), last - 1) is Outcome.APPLIED
        found = reason(listed(), ListMarket(0, TERMS), last)
        assert found is RejectReason.TIME_OUT_OF_RANGE


class TestUpdateMarket:
    """Terms and status change; what a lot is worth does not."""

    def test_new_terms_and_status(self) -> None:
        terms = TERMS._replace(initial_ppm=60_000)
        before = prices_of(priced())
        state = after(priced(), UpdateMarket(MARKET, MarketStatus.REDUCE_ONLY, terms))
        assert state.leaves.get(terms_address(MARKET)) == terms
        assert prices_of(state) == before._replace(status=1)

    def test_a_market_that_is_not_listed(self) -> None:
        assert outcome(listed(), UpdateMarket(0, 0, TERMS)) is Outcome.UNKNOWN_MARKET
        assert outcome(listed(), UpdateMarket(1024, 0, TERMS)) is Outcome.UNKNOWN_MARKET

    @pytest.mark.parametrize(
        "changes", [{"quote_per_tick_lot": 4}, {"maintenance_ppm": 0}, {"band_ppm": 2**24}], ids=str
    )
    def test_terms_that_it_may_not_have(self, changes: dict[str, int]) -> None:
        body = UpdateMarket(MARKET, 0, TERMS._replace(**changes))
        assert outcome(listed(), body) is Outcome.INVALID_TERMS

    @pytest.mark.parametrize(("status", "is_valid"), [(-1, 0), (0, 1), (1, 1), (2, 1), (3, 0)])
    def test_statuses(self, status: int, is_valid: bool) -> None:
        found = outcome(listed(), UpdateMarket(MARKET, status, TERMS))
        assert found is (Outcome.APPLIED if is_valid else Outcome.INVALID_TERMS)

    def test_it_is_delisted_only_without_positions(self) -> None:
        body = UpdateMarket(MARKET, MarketStatus.DELISTED, TERMS)
        held = with_book(listed(), open_interest=1)
        assert outcome(held, body) is Outcome.INVALID_TERMS
        assert outcome(held, UpdateMarket(MARKET, 1, TERMS)) is Outcome.APPLIED
        assert outcome(listed(), body) is Outcome.APPLIED

    def test_open_interest_may_not_grow_past_what_funding_allows(self) -> None:
        state = with_prices(listed(), funding_index=2**110 // 10**8)
        body = UpdateMarket(MARKET, 0, TERMS)
        assert outcome(state, body) is Outcome.APPLIED
        wider = UpdateMarket(MARKET, 0, TERMS._replace(open_interest_max=10**8 + 1))
        assert outcome(state, wider) is Outcome.INVALID_TERMS


class TestSetOracleSigners:
    """One to sixteen keys, of which more than half make a quorum."""

    def test_fewer_than_before(self) -> None:
        keys = (signer_point(9), signer_point(1))
        state = after(listed(), SetOracleSigners(2, keys))
        for signer, key in enumerate(keys):
            assert state.leaves.get(signer_address(signer)) == OracleSigner(*clear_cofactor(key))
        assert state.leaves.get(signer_address(2)) is None
        assert state.leaves.get(CONTROLS_ADDRESS) == Controls(0, 0, 2, 2)

    def test_the_mode_stays(self) -> None:
        state = after(after(listed(), SetMode(1)), RotateSequencer(5))
        state = after(state, SetOracleSigners(1, (signer_point(0),)))
        assert state.leaves.get(CONTROLS_ADDRESS) == Controls(1, 5, 1, 1)

    @pytest.mark.parametrize(
        ("count", "quorum", "is_valid"),
        [
            (0, 0, 0),
            (1, 0, 0),
            (1, 1, 1),
            (1, 2, 0),
            (2, 1, 0),
            (2, 2, 1),
            (3, 1, 0),
            (3, 2, 1),
            (3, 3, 1),
            (3, 4, 0),
            (16, 8, 0),
            (16, 9, 1),
            (16, 16, 1),
            (17, 9, 0),
        ],
    )
    def test_counts_and_quorums(self, count: int, quorum: int, is_valid: bool) -> None:
        body = SetOracleSigners(quorum, tuple(map(signer_point, range(count))))
        assert outcome(listed(), body) is (Outcome.APPLIED if is_valid else Outcome.INVALID_TERMS)

    @pytest.mark.parametrize("key", [OFF_CURVE, (0, 0), (0, 1), (0, R - 1), (R, 1)], ids=str)
    def test_points_that_are_no_keys(self, key: tuple[int, int]) -> None:
        body = SetOracleSigners(2, (signer_point(0), key))
        assert outcome(listed(), body) is Outcome.INVALID_TERMS

    def test_a_key_counts_once(self) -> None:
        x, y = signer_point(0)
        # The second differs by the point of order two, and whoever has the first signs for it.
        for twin in ((x, y), (R - x, R - y)):
            body = SetOracleSigners(2, ((x, y), twin))
            assert outcome(listed(), body) is Outcome.INVALID_TERMS


class TestSetFees:
    """The first time two accounts are appointed, for ever."""

    def test_appointment(self) -> None:
        state = after(funded(2), SetFees(FEES))
        assert account_of(state, FEE).kind == AccountKind.FEE
        assert account_of(state, INSURANCE).kind == AccountKind.INSURANCE
        assert account_of(state, FEE).cash == account_of(funded(2), FEE).cash
        assert state.leaves.get(FEE_TERMS_ADDRESS) == FEES

    def test_later_only_the_fees_change(self) -> None:
        cheaper = FEES._replace(taker_ppm=200)
        assert after(listed(), SetFees(cheaper)).leaves.get(FEE_TERMS_ADDRESS) == cheaper
        for changes in ({"fee_account": ALICE}, {"insurance_account": ALICE}):
            body = SetFees(FEES._replace(**changes))
            assert outcome(listed(), body) is Outcome.INVALID_TERMS

    def test_terms_that_do_not_hold(self) -> None:
        body = SetFees(FEES._replace(maker_ppm=501))
        assert outcome(funded(2), body) is Outcome.INVALID_TERMS

    @pytest.mark.parametrize("field", ["fee_account", "insurance_account"])
    def test_accounts_that_do_not_exist(self, field: str) -> None:
        for account in (0, 9):
            body = SetFees(FEES._replace(**{field: account}))
            assert outcome(funded(2), body) is Outcome.UNKNOWN_ACCOUNT

    @pytest.mark.parametrize("account", [FEE, INSURANCE])
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"kind": AccountKind.VAULT}, Outcome.ACCOUNT_KIND),
            ({"positions": 1}, Outcome.INVALID_TERMS),
            ({"orders": 1}, Outcome.INVALID_TERMS),
            ({"triggers": 1}, Outcome.INVALID_TERMS),
            ({"referrer": 2, "shares": 1}, Outcome.APPLIED),
        ],
        ids=str,
    )
    def test_accounts_that_trade(
        self, account: int, changes: dict[str, int], expected: Outcome
    ) -> None:
        assert outcome(with_account(funded(2), account, **changes), SetFees(FEES)) is expected

    def test_the_liquidity_vault_is_a_vault(self) -> None:
        body = SetFees(FEES._replace(vault_account=BOB))
        assert outcome(listed(), body) is Outcome.UNKNOWN_VAULT
        assert outcome(listed(), SetFees(FEES._replace(vault_account=9))) is Outcome.UNKNOWN_VAULT
        vault = with_account(listed(), BOB, kind=AccountKind.VAULT)
        assert outcome(vault, body) is Outcome.APPLIED
        state = after(vault, body)
        assert outcome(state, SetFees(FEES)) is Outcome.APPLIED


class TestSetVault:
    """An account with nothing becomes a vault."""

    def empty(self, **changes: Any) -> State:
        return with_account(listed(), ALICE, **{"cash": 0, **changes})

    def test_it_becomes_one(self) -> None:
        state = after(self.empty(), SetVault(ALICE, VAULT_TERMS), START + 5)
        header = account_of(self.empty(), ALICE)
        assert account_of(state, ALICE) == header._replace(kind=AccountKind.VAULT)
        assert state.leaves.get(vault_terms_address(ALICE)) == VAULT_TERMS
        ledger = VaultLedger(0, 0, 0, 0, START + 5 + 86_400_000)
        assert state.leaves.get(vault_ledger_address(ALICE)) == ledger

    def test_later_only_its_terms_change(self) -> None:
        state = after(self.empty(), SetVault(ALICE, VAULT_TERMS))
        state = with_account(state, ALICE, cash=5, positions=1)
        changed = after(state, SetVault(ALICE, VAULT_TERMS._replace(quote_size=77)), START + HOUR)
        assert account_of(changed, ALICE) == account_of(state, ALICE)
        ledger = vault_ledger_address(ALICE)
        assert changed.leaves.get(ledger) == state.leaves.get(ledger)
        assert changed.leaves.get(vault_terms_address(ALICE)).quote_size == 77

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"kind": AccountKind.FEE}, Outcome.ACCOUNT_KIND),
            ({"kind": AccountKind.INSURANCE}, Outcome.ACCOUNT_KIND),
            ({"cash": 1}, Outcome.INVALID_TERMS),
            ({"cash": -1}, Outcome.INVALID_TERMS),
            ({"positions": 1}, Outcome.INVALID_TERMS),
            ({"orders": 1}, Outcome.INVALID_TERMS),
            ({"triggers": 1}, Outcome.INVALID_TERMS),
            ({"shares": 1}, Outcome.INVALID_TERMS),
            ({"referrer": 3, "nonce": 5}, Outcome.APPLIED),
        ],
        ids=str,
    )
    def test_accounts_that_cannot(self, changes: dict[str, int], expected: Outcome) -> None:
        assert outcome(self.empty(**changes), SetVault(ALICE, VAULT_TERMS)) is expected

    def test_an_account_that_does_not_exist(self) -> None:
        for account in (0, 9, 2**24):
            body = SetVault(account, VAULT_TERMS)
            assert outcome(listed(), body) is Outcome.UNKNOWN_ACCOUNT

    def test_terms_that_do_not_hold(self) -> None:
        body = SetVault(ALICE, VAULT_TERMS._replace(epoch_ms=0))
        assert outcome(self.empty(), body) is Outcome.INVALID_TERMS
        state = after(self.empty(), SetVault(ALICE, VAULT_TERMS))
        assert outcome(state, body) is Outcome.INVALID_TERMS

    def test_a_time_without_a_next_epoch(self) -> None:
        body = SetVault(ALICE, VAULT_TERMS)
        last = 2**48 - 1 - VAULT_TERMS.epoch_ms
        assert outcome(self.empty(), body, last) is Outcome.APPLIED
        assert reason(self.empty(), body, last + 1) is RejectReason.TIME_OUT_OF_RANGE


class TestControls:
    """Mode and sequencer epoch of the whole exchange."""

    @pytest.mark.parametrize(("mode", "is_valid"), [(-1, 0), (0, 1), (1, 1), (2, 1), (3, 0)])
    def test_modes(self, mode: int, is_valid: bool) -> None:
        found = outcome(listed(), SetMode(mode))
        assert found is (Outcome.APPLIED if is_valid else Outcome.INVALID_TERMS)
        if is_valid:
            state = after(listed(), SetMode(mode))
            assert state.leaves.get(CONTROLS_ADDRESS) == Controls(mode, 0, 2, 3)

    def test_a_frozen_exchange_thaws(self) -> None:
        state = after(after(listed(), SetMode(Mode.FROZEN)), SetMode(Mode.NORMAL))
        assert state.leaves == listed().leaves

    @pytest.mark.parametrize(
        ("epoch", "is_valid"), [(-1, 0), (4, 0), (5, 0), (6, 1), (2**64 - 1, 1), (2**64, 0)]
    )
    def test_epochs_increase(self, epoch: int, is_valid: bool) -> None:
        state = after(listed(), RotateSequencer(5))
        found = outcome(state, RotateSequencer(epoch))
        assert found is (Outcome.APPLIED if is_valid else Outcome.INVALID_TERMS)

    def test_before_anything_was_set(self) -> None:
        state = after(State(DOMAIN), RotateSequencer(1))
        assert state.leaves.get(CONTROLS_ADDRESS) == Controls(0, 1, 0, 0)
        assert after(State(DOMAIN), SetMode(2)).leaves.get(CONTROLS_ADDRESS) == Controls(2)


def test_governance_is_not_held_up_by_what_is_due() -> None:
    """Requests come in the order of the L1 queue, whatever the market's timers say."""
    later = START + HOUR
    for body in (UpdateMarket(MARKET, 1, TERMS), SetMode(1), SetFees(FEES), RotateSequencer(1)):
        assert outcome(priced(), body, later) is Outcome.APPLIED
    assert reason(priced(), tick(1000, 1000, time_ms=later), later) is RejectReason.FUNDING_DUE


def test_prices_stay_where_they_are_when_terms_change() -> None:
    state = after(priced(), UpdateMarket(MARKET, 0, TERMS._replace(mark_band_ppm=0)))
    assert state.leaves.get(prices_address(MARKET)) == prices_of(priced())


def test_keys_of_accounts_can_be_oracle_signers() -> None:
    """A subgroup point is a public key too; the leaf stores eight times what was named."""
    key = account_key_of(ALICE)
    state = after(listed(), SetOracleSigners(1, (key,)))
    assert state.leaves.get(signer_address(0)) == OracleSigner(*clear_cofactor(key))
