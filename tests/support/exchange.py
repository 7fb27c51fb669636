"""Small exchanges for tests: keys of accounts, signed commands, and short ways to apply them."""

from __future__ import annotations

from functools import cache

from circuits.edwards import Point
from circuits.exchange.apply import Command, Receipt, apply_command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.events import Event
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import digest_of
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.signature import account_key, public_key, sign
from circuits.statement import domain

DOMAIN = domain(31337, 0x5E771E)
EXPIRY_MS = 2**48 - 1
OFF_CURVE = (3, 5)


class Events:
    """An observer that keeps what it is shown."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


def secret_of(account: int) -> int:
    return 1000 + account


def owner_of(account: int) -> int:
    return 0xA11CE << 32 | account


@cache
def public_key_of(account: int) -> Point:
    return public_key(secret_of(account))


@cache
def account_key_of(account: int) -> Point:
    return account_key(secret_of(account))


def deposit(account: int, amount: int) -> Deposit:
    return Deposit(account, owner_of(account), amount)


def register(account: int, key: Point | None = None) -> RegisterKey:
    return RegisterKey(account, owner_of(account), *(key or public_key_of(account)))


def signed(transaction: Transfer | Withdraw, *, word: int = DOMAIN) -> Signed:
    """The transaction under the key of its account."""
    return Signed(transaction, sign(secret_of(transaction.account), digest_of(transaction, word)))


def transfer(account: int, nonce: int, to: int, amount: int) -> Signed:
    return signed(Transfer(account, nonce, EXPIRY_MS, to, amount))


def withdraw(account: int, nonce: int, amount: int) -> Signed:
    return signed(Withdraw(account, nonce, EXPIRY_MS, amount))


def applied(state: State, *bodies: Body, time_ms: int = 1) -> State:
    """The state after bodies that must all be accepted."""
    for body in bodies:
        receipt = tried(state, body, time_ms=time_ms)
        assert receipt.rejected is None, receipt.rejected
        state = receipt.state
    return state


def tried(state: State, body: Body, *, time_ms: int = 1) -> Receipt:
    return apply_command(state, Command(time_ms, body))


def funded(count: int = 2, amount: int = 1000) -> State:
    """Accounts 1..count, each with a key and the same deposit."""
    state = State(DOMAIN)
    for account in range(1, count + 1):
        state = applied(state, register(account), deposit(account, amount))
    return state
