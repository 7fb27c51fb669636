"""Digests and signatures computed in batches ahead of the rules, which ask for one at a time.

A digest is bound to the exact transaction and domain, a verdict to the exact key, digest and
signature that it was found for. What is computed ahead is a guess of what the rules will ask: a
wrong guess costs time and changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from circuits.edwards import Point, clear_cofactor
from circuits.exchange.apply import Command, Signed
from circuits.exchange.errors import Rejected
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import Transaction, digest_of, signed_words
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.poseidon2 import TAG_COMMAND, hash_each
from circuits.signature import Signature, SignatureReject
from prover.kernels.poseidon2 import permute_many
from prover.signatures import Request, verify_many
from sequencer.engine import Engine

CHECKED_AHEAD = 512
"""Signatures that are checked together: enough for all threads, few enough to start at once."""


class Admission:
    """`verify` and `digest` for commands that are known some time before they are applied."""

    def __init__(self) -> None:
        self._digests: dict[tuple[Transaction, int], int] = {}
        self._verdicts: dict[Request, SignatureReject | None] = {}

    def digest(self, transaction: Transaction, domain: int) -> int:
        """The digest that was computed ahead, or one computed now.

        Raises: Rejected with FIELD_OUT_OF_RANGE.
        """
        known = self._digests.get((transaction, domain))
        return digest_of(transaction, domain) if known is None else known

    def verify(self, key: Point, digest: int, signature: Signature) -> SignatureReject | None:
        """The verdict that was found ahead, or one found now."""
        request = (key, digest, signature)
        if request in self._verdicts:
            return self._verdicts[request]
        return verify_many([request])[0]

    def ahead(self, engine: Engine, commands: Iterable[Command]) -> Iterator[Command]:
        """The same commands; the signatures of the next ones are checked before they are needed.

        Assumes: each command is handled by the engine before the next one is taken.
        """
        remaining = iter(commands)
        while chunk := list(islice(remaining, CHECKED_AHEAD)):
            self.check(engine.state, chunk)
            yield from chunk

    def check(self, state: State, commands: Iterable[Command]) -> None:
        """Check the signatures of commands that will follow the state; forget all before them."""
        commands = list(commands)
        self._digests = digests_of(state.domain, commands)
        requests = expected_requests(state, commands, self._digests)
        self._verdicts = dict(zip(requests, verify_many(requests), strict=True))


def digests_of(domain: int, commands: Iterable[Command]) -> dict[tuple[Transaction, int], int]:
    """The digest of every signed transaction whose fields a digest can hold."""
    words = {}
    for command in commands:
        if isinstance(command.body, Signed):
            transaction = command.body.transaction
            try:
                words[transaction, domain] = signed_words(transaction, domain)
            except Rejected:
                continue
    digests = hash_each(TAG_COMMAND, list(words.values()), permute_many)
    return dict(zip(words, digests, strict=True))


def expected_requests(
    state: State, commands: Iterable[Command], digests: Mapping[tuple[Transaction, int], int]
) -> list[Request]:
    """What the rules will ask a verifier if they accept every command before.

    Left out are commands that they refuse without looking at the signature, where the state tells
    so at once: no account, no key, no digest.
    """
    keys: dict[int, Point] = {}
    requests: list[Request] = []
    for command in commands:
        body = command.body
        if isinstance(body, RegisterKey):
            registered = clear_cofactor((body.key_x, body.key_y))
            if registered is not None:
                keys[body.account] = registered
        elif isinstance(body, Signed):
            key = keys.get(body.transaction.account)
            if key is None:
                account = state.accounts.get(body.transaction.account)
                key = account.key if account is not None and account.has_key else None
            digest = digests.get((body.transaction, state.domain))
            if key is not None and digest is not None:
                requests.append((key, digest, body.signature))
    return requests
