"""Digests and signatures computed in batches ahead of the rules, which ask for one at a time.

A digest is bound to the exact message and domain, a verdict to the exact key, digest and
signature that it was found for. What is computed ahead is a guess of what the rules will ask: a
wrong guess costs time and changes no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from circuits.edwards import Point
from circuits.exchange.apply import Command
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import QuoteMessage, Transaction, digest_of
from circuits.signature import Signature, SignatureReject
from prover.signatures import Request, verify_many
from sequencer.engine import Engine
from sequencer.signed_messages import KeysAhead, SignedMessage, digests_of, signed_messages

CHECKED_AHEAD = 512
"""Commands whose signatures are checked together: enough for all threads, few enough to start."""


class Admission:
    """`verify` and `digest` for commands that are known some time before they are applied.

    A transaction is known by its identity: to compare all its fields takes as long as a rule.
    """

    def __init__(self) -> None:
        self._domain = 0
        self._digests: dict[int, tuple[Transaction, int]] = {}
        self._quotes: dict[QuoteMessage, int] = {}
        self._verdicts: dict[Request, SignatureReject | None] = {}

    def digest(self, message: Transaction | QuoteMessage, domain: int) -> int:
        """The digest that was computed ahead, or one computed now.

        Raises: Rejected with FIELD_OUT_OF_RANGE.
        """
        if domain == self._domain:
            if isinstance(message, QuoteMessage):
                if message in self._quotes:
                    return self._quotes[message]
            else:
                known = self._digests.get(id(message))
                if known is not None and known[0] is message:
                    return known[1]
        return digest_of(message, domain)

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
        self._domain = state.domain
        self._digests, self._quotes = {}, {}
        requests = []
        expected = expected_messages(state, commands)
        digests = digests_of(state.domain, [signed.message for _, signed in expected])
        for (key, signed), digest in zip(expected, digests, strict=True):
            if digest is None:
                continue
            if isinstance(signed.message, QuoteMessage):
                self._quotes[signed.message] = digest
            else:
                self._digests[id(signed.message)] = (signed.message, digest)
            if key is not None:
                requests.append((key, digest, signed.signature))
        self._verdicts = dict(zip(requests, verify_many(requests), strict=True))


def expected_messages(
    state: State, commands: Iterable[Command]
) -> list[tuple[Point | None, SignedMessage]]:
    """What the rules will ask about if they accept every command before, and under which key.

    Without a key is what they refuse without a look at the signature.
    """
    expected = []
    keys = KeysAhead(state)
    for command in commands:
        for signed in signed_messages(command.body):
            expected.append((keys.of(signed.signer), signed))
        keys.follow(command.body)
    return expected
