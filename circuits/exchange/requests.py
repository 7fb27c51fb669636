"""The four published words of a consumed L1 request, of every kind, and how they are read back.

    head     kind, account and amount
    owner    owner, and beside it the outcome, which the queue's own words lack
    word 3   register_key: key x          forced_close: market
             request_liquidation: target and market
             vault_deposit: vault         vault_redeem: vault and shares
             what governance decided: the hash of the command's fields and terms
    word 4   register_key: key y

What governance decided has no account, owner or amount. Words that are not named are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args

from circuits.exchange.bodies import Governed, Queued, Request
from circuits.exchange.errors import PubdataError
from circuits.exchange.events import Deposited, Executed, KeyRegistered, Kind, Outcome
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    ACCOUNT_FIRST,
    ACCOUNT_MAX,
    AMOUNT_BITS,
    AMOUNT_MAX,
    KIND_BITS,
    OUTCOME_BITS,
    OWNER_BITS,
    SHARES_BITS,
)
from circuits.exchange.packing import words_of
from circuits.exchange.transactions.authority import packed_tail
from circuits.exchange.units import NO_UNITS, TokenUnits
from circuits.poseidon2 import TAG_GOVERNED, hash_words

HASH_BITS = 254
MARKET_FIELD_BITS = 16
"""A market in a command, whether it is listed or not."""

GOVERNED_KINDS = frozenset(body.KIND for body in get_args(Governed))
MARGIN_REQUESTS = frozenset((Kind.DEPOSIT, Kind.REGISTER_KEY))


class Bounds(NamedTuple):
    """What the words of a kind may hold: the range of the amount, and the width of each word."""

    amount_min: int = 0
    amount_max: int = 0
    word_3_bits: int = 0
    word_4_bits: int = 0


BOUNDS: dict[Kind, Bounds] = dict.fromkeys(GOVERNED_KINDS, Bounds(word_3_bits=HASH_BITS)) | {
    Kind.DEPOSIT: Bounds(1, AMOUNT_MAX),
    Kind.REGISTER_KEY: Bounds(word_3_bits=HASH_BITS, word_4_bits=HASH_BITS),
    Kind.FORCED_WITHDRAW: Bounds(0, AMOUNT_MAX),
    Kind.FORCED_CLOSE: Bounds(word_3_bits=MARKET_FIELD_BITS),
    Kind.FORCED_CANCEL_ALL: Bounds(),
    Kind.REQUEST_LIQUIDATION: Bounds(word_3_bits=ACCOUNT_BITS + MARKET_FIELD_BITS),
    Kind.VAULT_DEPOSIT: Bounds(1, AMOUNT_MAX, ACCOUNT_BITS),
    Kind.VAULT_REDEEM: Bounds(word_3_bits=ACCOUNT_BITS + SHARES_BITS),
}

OUTCOMES: dict[Kind, frozenset[Outcome]] = dict.fromkeys(
    BOUNDS, frozenset(Outcome) - {Outcome.INVALID_KEY}
) | {
    Kind.DEPOSIT: frozenset((Outcome.APPLIED,)),
    Kind.REGISTER_KEY: frozenset((Outcome.APPLIED, Outcome.INVALID_KEY)),
}


@dataclass(frozen=True, slots=True)
class PublishedRequest:
    """One consumed L1 request; what governance decided has account and owner 0."""

    kind: Kind
    account_id: int
    owner: int
    amount: TokenUnits
    word_3: int
    word_4: int
    outcome: Outcome

    @property
    def chain_words(self) -> tuple[int, int, int, int]:
        """The words that the L1 queue hashed when it took the request."""
        head = self.kind | self.account_id << KIND_BITS | self.amount << (KIND_BITS + ACCOUNT_BITS)
        return head, self.owner, self.word_3, self.word_4

    @property
    def words(self) -> tuple[int, int, int, int]:
        """The published words: the queue's own with the outcome beside the owner."""
        head, owner, word_3, word_4 = self.chain_words
        return head, owner | self.outcome << OWNER_BITS, word_3, word_4

    @property
    def brought_in(self) -> TokenUnits:
        """What arrived on L1 with the request."""
        is_deposit = self.kind in (Kind.DEPOSIT, Kind.VAULT_DEPOSIT)
        return self.amount if is_deposit else NO_UNITS


def published_request(event: Deposited | KeyRegistered | Executed) -> PublishedRequest:
    """What the batch of this event publishes about the L1 request behind it.

    Assumes: an executed command is a queued one.
    """
    if isinstance(event, Deposited):
        return PublishedRequest(
            Kind.DEPOSIT, event.account_id, event.owner, event.amount, 0, 0, Outcome.APPLIED
        )
    if isinstance(event, KeyRegistered):
        return PublishedRequest(
            Kind.REGISTER_KEY,
            event.account_id,
            event.owner,
            NO_UNITS,
            event.key_x,
            event.key_y,
            event.outcome,
        )
    body = cast(Queued, event.body)
    if body.KIND in GOVERNED_KINDS:
        word_3 = hash_words(TAG_GOVERNED, governed_words(cast(Governed, body)))
        return PublishedRequest(body.KIND, 0, 0, NO_UNITS, word_3, 0, event.outcome)
    request = cast(Request, body)
    own = tuple(
        (name, bits) for name, bits in request.WIDTHS if name not in ("account", "owner", "amount")
    )
    return PublishedRequest(
        request.KIND,
        request.account,
        request.owner,
        getattr(request, "amount", NO_UNITS),
        *packed_tail(request, own),
        0,
        event.outcome,
    )


def governed_words(body: Governed) -> tuple[int, ...]:
    """What governance decided, as the words that are hashed: its fields in one, lowest first, then
    the words of the terms, or the number of the keys and both coordinates of each.
    """
    (fields,) = packed_tail(body, body.WIDTHS)
    terms: Any = getattr(body, "terms", None)
    if terms is not None:
        return fields, *words_of(terms)
    keys = getattr(body, "keys", None)
    if keys is not None:
        return fields, len(keys), *(coordinate for key in keys for coordinate in key)
    return (fields,)


def parse_request(words: Sequence[int], position: int) -> PublishedRequest:
    """The request of four words, each below r, the first of which is the batch's at `position`.

    Raises: PubdataError naming the word that no request can have published.
    """
    kind, account_id, amount = split(words[0], (KIND_BITS, ACCOUNT_BITS, AMOUNT_BITS), position)
    owner, outcome = split(words[1], (OWNER_BITS, OUTCOME_BITS), position + 1)
    if kind not in BOUNDS:
        raise PubdataError(f"word {position}", "the kind of a queued request", kind)
    bounds = BOUNDS[Kind(kind)]
    if kind in GOVERNED_KINDS:
        if account_id or owner:
            raise PubdataError(f"word {position}", "no account and no owner", (account_id, owner))
    else:
        require_account(account_id, position)
    if not bounds.amount_min <= amount <= bounds.amount_max:
        expected = f"an amount in {bounds.amount_min}..{bounds.amount_max}"
        raise PubdataError(f"word {position}", expected, amount)
    if outcome not in OUTCOMES[Kind(kind)]:
        raise PubdataError(f"word {position + 1}", "an outcome of this kind", outcome)
    split(words[2], (bounds.word_3_bits,), position + 2)
    split(words[3], (bounds.word_4_bits,), position + 3)
    return PublishedRequest(
        Kind(kind), account_id, owner, TokenUnits(amount), words[2], words[3], Outcome(outcome)
    )


def require_account(account_id: int, position: int) -> None:
    """Refuse account 0, which never exists."""
    if account_id < ACCOUNT_FIRST:
        raise PubdataError(
            f"word {position}", f"an account in {ACCOUNT_FIRST}..{ACCOUNT_MAX}", account_id
        )


def split(word: int, widths: Sequence[int], position: int) -> list[int]:
    """The numbers of these widths in a word, lowest first.

    Raises: PubdataError for a word with a bit above them.
    """
    parts = []
    rest = word
    for bits in widths:
        parts.append(rest % 2**bits)
        rest >>= bits
    if rest:
        raise PubdataError(f"word {position}", f"a word of {sum(widths)} bits", hex(word))
    return parts
