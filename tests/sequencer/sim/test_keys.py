"""Keys of a run, and signatures that the real verification accepts."""

from __future__ import annotations

import pytest

from circuits.edwards import clear_cofactor
from circuits.exchange.apply import Command
from circuits.exchange.bodies import Signed
from circuits.exchange.limits import SUB_ACCOUNT_FIRST
from circuits.exchange.transactions.authority import QuoteMessage, digest_of
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.halt import Halt
from circuits.exchange.transactions.oracle_tick import OracleTick, Quote
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.units import TokenUnits
from circuits.signature import SignatureReject, account_key, public_key, verify
from sequencer.sim.keys import FORGED, STRANGER, UNSIGNED, Keyring, secret_of

DOMAIN, SEED = 12345, 7
NAMES = [(0, 0), (0, 1), (5, 0), (5, 1), (6, 0)]


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring(SEED, DOMAIN, NAMES)


def transfer(account: int, nonce: int = 1) -> Transfer:
    return Transfer(account, nonce, 99, 6, TokenUnits(1))


def test_public_keys_are_those_of_the_secrets(keyring: Keyring) -> None:
    for name in NAMES:
        secret = secret_of(SEED, name)
        assert keyring.public_key(name) == public_key(secret)
        assert clear_cofactor(keyring.public_key(name)) == account_key(secret)
    assert len({secret_of(SEED, name) for name in (*NAMES, STRANGER)}) == len(NAMES) + 1
    assert secret_of(SEED, NAMES[0]) != secret_of(SEED + 1, NAMES[0])


def test_signatures_hold_under_the_key_that_the_command_names(keyring: Keyring) -> None:
    transactions = [
        (transfer(5), (5, 0)),
        (CancelAll(5, 3, 99, 1), (5, 1)),
        (transfer(SUB_ACCOUNT_FIRST + 6), (6, 0)),
    ]
    commands = [Command(1, Signed(transaction, UNSIGNED)) for transaction, _ in transactions]
    chunk = keyring.sign(commands)
    for command, (transaction, name) in zip(chunk.commands, transactions, strict=True):
        assert isinstance(command.body, Signed)
        assert command.body.transaction is transaction
        digest = digest_of(transaction, DOMAIN)
        assert chunk.digest(transaction, DOMAIN) == digest
        key = account_key(secret_of(SEED, name))
        assert verify(key, digest, command.body.signature) is None
        assert chunk.verify(key, digest, command.body.signature) is None


def test_quotes_of_a_tick_are_signed_each_by_its_signer(keyring: Keyring) -> None:
    tick = OracleTick(2, (Quote(1, 500, 40, UNSIGNED), Quote(0, 501, 41, UNSIGNED)))
    chunk = keyring.sign([Command(50, tick)])
    (command,) = chunk.commands
    assert isinstance(command.body, OracleTick)
    assert [quote[:3] for quote in command.body.quotes] == [(1, 500, 40), (0, 501, 41)]
    for quote in command.body.quotes:
        message = QuoteMessage(2, quote.price, quote.time_ms)
        digest = chunk.digest(message, DOMAIN)
        assert digest == digest_of(message, DOMAIN)
        assert verify(account_key(secret_of(SEED, (0, quote.signer))), digest, quote.signature) is (
            None
        )


def test_a_forged_signature_is_a_strangers_and_known_as_such(keyring: Keyring) -> None:
    forged, good = transfer(5, 1), transfer(5, 2)
    chunk = keyring.sign([Command(1, Signed(forged, FORGED)), Command(1, Signed(good, UNSIGNED))])
    verdicts = []
    for command in chunk.commands:
        assert isinstance(command.body, Signed)
        digest = digest_of(command.body.transaction, DOMAIN)
        key = account_key(secret_of(SEED, (5, 0)))
        verdicts.append(verify(key, digest, command.body.signature))
        assert chunk.verify(key, digest, command.body.signature) is verdicts[-1]
    assert verdicts == [SignatureReject.EQUATION, None]


def test_commands_without_a_signature_stay_as_they_are(keyring: Keyring) -> None:
    command = Command(3, Halt(1))
    assert keyring.sign([command]).commands == (command,)
    assert keyring.sign([]).commands == ()
