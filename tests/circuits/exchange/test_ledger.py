"""The rules against a second implementation, on random days; money is conserved throughout."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.exchange.addresses import header_address
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.commit import build_tree, header_leaf
from circuits.exchange.events import Outcome
from circuits.exchange.state import State
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.signature import Signature, SignatureReject
from tests.naive.ledger import CUSTODY, Ledger
from tests.support.exchange import (
    DOMAIN,
    OFF_CURVE,
    account_key_of,
    deposit,
    owner_of,
    public_key_of,
    register,
)

ACCOUNTS = st.integers(1, 4)
SIGNERS = st.integers(1, 4)
AMOUNTS = st.one_of(st.integers(0, 40), st.sampled_from([2**64 - 1, 2**64]))
NONCES = st.one_of(st.integers(0, 12), st.sampled_from([2**48 - 1, 2**48]))
EXPIRIES = st.one_of(st.integers(0, 60), st.sampled_from([2**48 - 1, 2**48]))
RECIPIENTS = st.one_of(ACCOUNTS, st.sampled_from([0, 5, 2**24]))


@st.composite
def transactions(draw: st.DrawFn) -> Signed:
    """Mostly in good order, so that days get somewhere; each field may be off."""
    account = draw(ACCOUNTS)
    nonce = draw(NONCES)
    expiry_ms = draw(st.one_of(st.just(2**48 - 1), EXPIRIES))
    amount = draw(AMOUNTS)
    if draw(st.booleans()):
        order: Any = Transfer(account, nonce, expiry_ms, draw(RECIPIENTS), amount)
    else:
        order = Withdraw(account, nonce, expiry_ms, amount)
    signer = draw(st.one_of(st.just(account), SIGNERS))
    return Signed(order, Signature(signer, 0, 0))


def requests() -> st.SearchStrategy[Body]:
    keys = st.one_of(SIGNERS.map(public_key_of), st.sampled_from([OFF_CURVE, (0, 1)]))
    return st.one_of(
        st.builds(deposit, ACCOUNTS, st.integers(1, 100)), st.builds(register, ACCOUNTS, keys)
    )


DAYS = st.lists(
    st.tuples(st.sampled_from([0, 0, 0, 1, 7, -1]), st.one_of(requests(), transactions())),
    max_size=40,
)


def verify(key: tuple[int, int], digest: int, signature: Signature) -> SignatureReject | None:
    """Stands for the cryptography: r_x names the account whose key signed."""
    del digest
    return None if account_key_of(signature.r_x) == key else SignatureReject.EQUATION


def naive_ledger() -> Ledger:
    keys = {public_key_of(signer) for signer in range(1, 5)}
    return Ledger(
        is_key=lambda x, y: (x, y) in keys,
        holds=lambda key, order, signature: public_key_of(signature.r_x) == key,
    )


def verdict_of(state: State, command: Command) -> tuple[str, State]:
    receipt = apply_command(state, command, verify=verify)
    if receipt.rejected is not None:
        return receipt.rejected.reason.value, receipt.state
    return "applied" if receipt.outcome is Outcome.APPLIED else "invalid_key", receipt.state


@settings(print_blob=True)
@given(day=DAYS)
def test_both_implementations_agree_and_money_is_conserved(day: list[tuple[int, Body]]) -> None:
    state, ledger, time_ms = State(DOMAIN), naive_ledger(), 20
    for after_ms, body in day:
        time_ms += after_ms
        verdict, state = verdict_of(state, Command(time_ms, body))
        assert verdict == ledger.take(time_ms, body)
        accounts = dict(state.accounts.items())
        assert sorted(accounts) == sorted(set(ledger.opened))
        for account_id, account in accounts.items():
            assert account.cash == ledger.balance(account_id) >= 0
            assert account.nonce == ledger.nonce(account_id)
            assert account.has_key == (ledger.key(account_id) is not None)
        assert sum(account.cash for account in accounts.values()) == state.custody * 10**12
        assert -ledger.balance(CUSTODY) == state.custody * 10**12


@settings(print_blob=True, max_examples=15)
@given(day=DAYS)
def test_leaves_follow_from_the_ledger(day: list[tuple[int, Body]]) -> None:
    state, ledger = State(DOMAIN), naive_ledger()
    for after_ms, body in day:
        time_ms = 20 + abs(after_ms)
        _, state = verdict_of(state, Command(max(time_ms, state.time_ms), body))
        ledger.take(max(time_ms, *ledger.times), body)
    tree = build_tree(state)
    for account_id, account in state.accounts.items():
        leaf = header_leaf(account.identity, ledger.nonce(account_id), ledger.balance(account_id))
        assert tree.get(header_address(account_id)) == leaf
        assert account.owner == owner_of(account_id)
