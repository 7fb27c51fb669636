"""Which key each message must hold under, with agents and oracle signers that change on the way."""

from __future__ import annotations

from dataclasses import replace

from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.commit import build_tree
from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.transactions.authority import QuoteMessage, digest_of
from circuits.exchange.transactions.batch import Batch, CancelOperation
from circuits.exchange.transactions.cancel_all import CancelAll
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.exchange.transactions.revoke_agent import RevokeAgent
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.exchange.units import TokenUnits
from circuits.signature import account_key, public_key, sign
from sequencer.admission import Admission
from sequencer.batcher import GENESIS
from sequencer.engine import Engine
from sequencer.signed_messages import KeysAhead, digests_of, signed_messages
from tests.support.exchange import (
    DOMAIN,
    EXPIRY_MS,
    OFF_CURVE,
    account_key_of,
    secret_of,
    transfer,
)
from tests.support.listed import ALICE, BOB, MARKET, listed, quote, signer_point, signer_secret

AGENT_SECRET, SUB = 4321, 2**23 + 7
NOW = listed().time_ms


def signed_by(secret: int, transaction: object) -> Signed:
    return Signed(transaction, sign(secret, digest_of(transaction, DOMAIN)))


def set_agent(nonce: int, point: tuple[int, int]) -> Signed:
    request = SetAgent(ALICE, nonce, EXPIRY_MS, 2, 3, EXPIRY_MS, *point)
    return signed_by(secret_of(ALICE), request)


def cancel_all(secret: int, nonce: int, key_slot: int = 3) -> Signed:
    return signed_by(secret, CancelAll(ALICE, nonce, EXPIRY_MS, key_slot))


def tick(price: int, time_ms: int, *signers: int) -> OracleTick:
    return OracleTick(MARKET, tuple(quote(signer, price, time_ms) for signer in signers))


def test_commands_under_keys_of_the_same_chunk_are_checked_ahead_and_accepted() -> None:
    operations = (CancelOperation(0, 5), CancelOperation(0, 6))
    bodies: list[Body] = [
        set_agent(1, public_key(AGENT_SECRET)),
        cancel_all(AGENT_SECRET, 1),
        signed_by(AGENT_SECRET, Batch(ALICE, 2, EXPIRY_MS, 3, operations)),
        signed_by(secret_of(ALICE), AdjustIsolated(ALICE, 2, EXPIRY_MS, SUB, 0, TokenUnits(9))),
        signed_by(secret_of(ALICE), AdjustIsolated(SUB, 1, EXPIRY_MS, ALICE, 0, TokenUnits(2))),
        tick(1000, NOW, 0, 1, 2),
        SetOracleSigners(1, (signer_point(7),)),
        replace(tick(1001, NOW + 1), quotes=(replace_signer(1001, NOW + 1),)),
    ]
    state = listed()
    engine = Engine.resume(state, build_tree(state), GENESIS, 1, 99)
    admission = Admission()
    commands = [Command(NOW + number // 6, body) for number, body in enumerate(bodies)]
    admission.check(engine.state, commands)
    assert len(admission._verdicts) == 9
    assert set(admission._verdicts.values()) == {None}

    def known_only(key: object, digest: int, signature: object) -> None:
        assert (key, digest, signature) in admission._verdicts

    for command in commands:
        receipt = engine.handle(command, known_only, admission.digest)
        assert receipt.rejected is None, receipt.rejected


def replace_signer(price: int, time_ms: int) -> object:
    """A quote of the signer who comes to be number 0."""
    digest = digest_of(QuoteMessage(MARKET, price, time_ms), DOMAIN)
    return quote(0, price, time_ms)._replace(signature=sign(signer_secret(7), digest))


def test_keys_follow_the_commands() -> None:
    keys = KeysAhead(listed())
    assert keys.of((ALICE, 0)) == account_key_of(ALICE)
    assert keys.of((ALICE, 3)) is keys.of((ALICE, 9)) is keys.of((99, 0)) is None
    assert keys.of((0, 2)) == account_key(signer_secret(2))
    assert keys.of((0, 3)) is keys.of((0, 16)) is None
    keys.follow(set_agent(1, public_key(AGENT_SECRET)))
    assert keys.of((ALICE, 3)) == account_key(AGENT_SECRET)
    keys.follow(set_agent(2, OFF_CURVE))
    assert keys.of((ALICE, 3)) == account_key(AGENT_SECRET)
    keys.follow(signed_by(secret_of(ALICE), RevokeAgent(ALICE, 3, EXPIRY_MS, 2)))
    assert keys.of((ALICE, 3)) is None
    to_bob = AdjustIsolated(ALICE, 4, EXPIRY_MS, BOB, 0, TokenUnits(9))
    keys.follow(signed_by(secret_of(ALICE), to_bob))
    assert keys.of((BOB, 0)) == account_key_of(BOB)


def test_messages_come_in_the_order_of_the_rules() -> None:
    body = transfer(1, 1, 2, 5)
    (message,) = signed_messages(body)
    assert message == ((1, 0), body.transaction, body.signature)
    ticked = list(signed_messages(tick(1000, NOW, 0, 2)))
    assert [each.signer for each in ticked] == [(0, 0), (0, 2)]
    assert {each.message for each in ticked} == {QuoteMessage(MARKET, 1000, NOW)}
    assert list(signed_messages(SetOracleSigners(1, ()))) == []


def test_digests_of_messages_of_every_length() -> None:
    wide = replace(transfer(1, 1, 2, 5).transaction, nonce=2**48)
    messages = [
        transfer(1, 1, 2, 5).transaction,
        wide,
        QuoteMessage(1, 2, 3),
        set_agent(1, OFF_CURVE).transaction,
        CancelAll(ALICE, 1, EXPIRY_MS, 0),
        QuoteMessage(2**16, 2, 3),
    ]
    found = digests_of(DOMAIN, messages)
    assert [place for place, digest in enumerate(found) if digest is None] == [1, 5]
    for message, digest in zip(messages, found, strict=True):
        assert digest is None or digest == digest_of(message, DOMAIN)
    assert digests_of(DOMAIN, []) == []
