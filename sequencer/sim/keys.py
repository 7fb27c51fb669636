"""Secrets of a simulated market, and real signatures of everything in it that wants one.

Anybody can compute these secrets from the seed: they are for simulations only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from circuits.edwards import COFACTOR, SUBGROUP_ORDER, Point
from circuits.exchange.apply import Command
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.limits import SUB_ACCOUNT_FIRST
from circuits.exchange.transactions.authority import QuoteMessage, Transaction
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.signature import Signature, SignatureReject
from prover.signatures import account_keys, sign_many
from sequencer.signed_messages import SignedMessage, digests_of, signed_messages

Message = Transaction | QuoteMessage
"""What a signature is over."""

UNSIGNED, FORGED = Signature(0, 0, 0), Signature(0, 0, 1)
"""Stand for a signature until the command is signed: a good one, or a stranger's."""

KeyName = tuple[int, int]
"""An account and one of its key slots; the slots of account 0 are the oracle's signers."""

STRANGER: KeyName = (0, 2**16)
"""Whose key signs what is to be refused for its signature."""


@dataclass(frozen=True, slots=True)
class SignedChunk:
    """Commands with their signatures, and the answers to what the rules will ask about these.

    `digest` and `verify` answer as the real functions do, for the commands of this chunk alone:
    admission finds the same answers in bulk before the rules ask. A transaction is known by its
    identity, because to hash its fields anew takes as long as a cancel.
    """

    commands: tuple[Command, ...]
    transactions: dict[int, int]
    quotes: dict[QuoteMessage, int]
    forged: set[int]

    def digest(self, message: Message, domain: int) -> int:
        """The digest of a transaction or quote of the chunk."""
        if type(message) is QuoteMessage:
            return self.quotes[message]
        return self.transactions[id(message)]

    def verify(self, key: Point, digest: int, signature: Signature) -> SignatureReject | None:
        """The verdict on a signature of the chunk."""
        return SignatureReject.EQUATION if signature.s in self.forged else None


class Keyring:
    """The secrets of accounts, of their agents, and of the oracle."""

    def __init__(self, seed: int, domain: int, names: Iterable[KeyName]) -> None:
        self._domain = domain
        self._secrets = {name: secret_of(seed, name) for name in (*names, STRANGER)}
        secrets = list(self._secrets.values())
        # A key is eight times the public key, so what has this for its key is the public key.
        eighth = pow(COFACTOR, -1, SUBGROUP_ORDER)
        publics = account_keys([secret * eighth % SUBGROUP_ORDER for secret in secrets])
        self._publics = dict(zip(self._secrets, publics, strict=True))
        self._keys = dict(zip(self._secrets, account_keys(secrets), strict=True))

    def public_key(self, name: KeyName) -> Point:
        """What is given to a registration."""
        return self._publics[name]

    def sign(self, commands: Sequence[Command]) -> SignedChunk:
        """The same commands, with real signatures in the places of those that stand for one."""
        wanted = [each for command in commands for each in signed_messages(command.body)]
        digests = digests_of(self._domain, [each.message for each in wanted])
        names = [name_of(each) for each in wanted]
        requests = [
            (self._secrets[name], digest)
            for name, digest in zip(names, digests, strict=True)
            if digest is not None
        ]
        signatures = sign_many(requests, [self._keys[name] for name in names])
        made = iter(signatures)
        signed = tuple(Command(each.time_ms, with_signatures(each.body, made)) for each in commands)
        chunk = SignedChunk(signed, {}, {}, set())
        for each, (_, digest), signature in zip(wanted, requests, signatures, strict=True):
            if isinstance(each.message, QuoteMessage):
                chunk.quotes[each.message] = digest
            else:
                chunk.transactions[id(each.message)] = digest
            if each.signature is FORGED:
                chunk.forged.add(signature.s)
        return chunk


def secret_of(seed: int, name: KeyName) -> int:
    """A secret that the seed and the name decide."""
    label = f"plasmaperps simulation {seed} {name[0]} {name[1]}"
    return int.from_bytes(hashlib.sha512(label.encode()).digest(), "big") % (SUBGROUP_ORDER - 1) + 1


def name_of(message: SignedMessage) -> KeyName:
    """Whose key signs; a sub-account has the key of the account that opened it."""
    account, key_slot = message.signer
    return STRANGER if message.signature is FORGED else (account % SUB_ACCOUNT_FIRST, key_slot)


def with_signatures(body: Body, signatures: Iterator[Signature]) -> Body:
    """The command with the next signatures in their places."""
    if isinstance(body, Signed):
        return Signed(body.transaction, next(signatures))
    if isinstance(body, OracleTick):
        quotes = tuple(quote._replace(signature=next(signatures)) for quote in body.quotes)
        return OracleTick(body.market, quotes)
    return body
