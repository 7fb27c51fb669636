"""Which messages a command has signatures over, by whom, and under which keys they must hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from circuits.edwards import Point, clear_cofactor
from circuits.exchange.addresses import agent_address, signer_address
from circuits.exchange.bodies import Body, Signed
from circuits.exchange.errors import Rejected
from circuits.exchange.leaves import NO_KEY, AgentKey, OracleSigner
from circuits.exchange.limits import AGENT_SLOTS, SIGNERS_MAX
from circuits.exchange.state import State
from circuits.exchange.transactions.adjust_isolated import AdjustIsolated
from circuits.exchange.transactions.authority import (
    QuoteMessage,
    Transaction,
    digest_tag,
    signed_words,
)
from circuits.exchange.transactions.oracle_tick import OracleTick
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.revoke_agent import RevokeAgent
from circuits.exchange.transactions.set_agent import SetAgent
from circuits.exchange.transactions.set_oracle_signers import SetOracleSigners
from circuits.poseidon2 import hash_each
from circuits.signature import Signature
from prover.kernels.poseidon2 import permute_many

Signer = tuple[int, int]
"""An account and one of its key slots; an oracle signer is a slot of account 0, which is none."""

ORACLE = 0
OWN_KEY = 0


class SignedMessage(NamedTuple):
    """A message, who is to have signed it, and the signature."""

    signer: Signer
    message: Transaction | QuoteMessage
    signature: Signature


def signed_messages(body: Body) -> Iterator[SignedMessage]:
    """All that is signed in a command, in the order in which the rules ask about it."""
    if isinstance(body, Signed):
        transaction = body.transaction
        signer = (transaction.account, getattr(transaction, "key_slot", OWN_KEY))
        yield SignedMessage(signer, transaction, body.signature)
    elif isinstance(body, OracleTick):
        for quote in body.quotes:
            message = QuoteMessage(body.market, quote.price, quote.time_ms)
            yield SignedMessage((ORACLE, quote.signer), message, quote.signature)


def digests_of(domain: int, messages: Sequence[Transaction | QuoteMessage]) -> list[int | None]:
    """The digest of each message, None for one with a field that no digest can hold."""
    digests: list[int | None] = [None] * len(messages)
    alike: dict[tuple[int, int], list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for place, message in enumerate(messages):
        try:
            words = signed_words(message, domain)
        except Rejected:
            continue
        alike[digest_tag(message), len(words)].append((place, words))
    for (tag, _), group in alike.items():
        hashed = hash_each(tag, [words for _, words in group], permute_many)
        for (place, _), digest in zip(group, hashed, strict=True):
            digests[place] = digest
    return digests


class KeysAhead:
    """The keys of a state, and those that commands after it set if the rules accept them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._changed: dict[Signer, Point | None] = {}

    def of(self, signer: Signer) -> Point | None:
        """The key under which a message must hold, or None."""
        if signer in self._changed:
            return self._changed[signer]
        account, slot = signer
        leaves = self._state.leaves
        if account == ORACLE:
            if not 0 <= slot < SIGNERS_MAX:
                return None
            oracle = cast(OracleSigner | None, leaves.get(signer_address(slot)))
            return None if oracle is None else oracle.key
        if slot == OWN_KEY:
            header = self._state.accounts.get(account)
            return header.key if header is not None and header.has_key else None
        if not 1 <= slot <= AGENT_SLOTS:
            return None
        agent = cast(AgentKey | None, leaves.get(agent_address(account, slot - 1)))
        return None if agent is None or agent.key == NO_KEY else agent.key

    def follow(self, body: Body) -> None:
        """Take over the keys that a command sets."""
        transaction = body.transaction if isinstance(body, Signed) else body
        if isinstance(transaction, RegisterKey):
            self._set((transaction.account, OWN_KEY), (transaction.key_x, transaction.key_y))
        elif isinstance(transaction, SetAgent):
            signer = (transaction.account, transaction.agent + 1)
            self._set(signer, (transaction.key_x, transaction.key_y))
        elif isinstance(transaction, RevokeAgent):
            self._changed[transaction.account, transaction.agent + 1] = None
        elif isinstance(transaction, AdjustIsolated):
            if self.of((transaction.sub, OWN_KEY)) is None:
                own = self.of((transaction.account, OWN_KEY))
                self._changed[transaction.sub, OWN_KEY] = own
        elif isinstance(transaction, SetOracleSigners):
            for number, key in enumerate(transaction.keys):
                self._set((ORACLE, number), key)

    def _set(self, signer: Signer, point: Point) -> None:
        """A point that is no key leaves the old one in place."""
        key = clear_cofactor(point)
        if key is not None:
            self._changed[signer] = key
