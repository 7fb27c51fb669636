"""The words that a batch publishes: written from its events, read back, and replayed into a tree.

Sections, in this order, all words below r
    queue        4 words per consumed L1 request: kind, account and amount; owner and outcome;
                 key x; key y
    withdrawals  1 word each: owner and amount
    accounts     3 words per touched account, by increasing id: account and nonce; cash; identity
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from circuits.exchange.commit import header_index, header_leaf
from circuits.exchange.errors import PubdataError
from circuits.exchange.events import Deposited, Event, KeyRegistered, Kind, Outcome, Transferred
from circuits.exchange.limits import (
    ACCOUNT_BITS,
    ACCOUNT_FIRST,
    ACCOUNT_MAX,
    AMOUNT_BITS,
    CASH_BITS,
    CASH_OFFSET,
    KIND_BITS,
    NONCE_BITS,
    OUTCOME_BITS,
    OWNER_BITS,
)
from circuits.exchange.state import State
from circuits.exchange.units import NO_UNITS, CashUnits, TokenUnits
from circuits.field import is_canonical
from circuits.merkle import SparseTree
from circuits.statement import ACCOUNT_WORDS, QUEUE_WORDS, WITHDRAWAL_WORDS, Statement


@dataclass(frozen=True, slots=True)
class PublishedRequest:
    """One consumed L1 request; `amount` is 0 for a key, both key words 0 for a deposit."""

    kind: Kind
    account_id: int
    owner: int
    amount: TokenUnits
    key_x: int
    key_y: int
    outcome: Outcome

    @property
    def chain_words(self) -> tuple[int, int, int, int]:
        """The words that the L1 queue hashed when it took the request."""
        head = self.kind | self.account_id << KIND_BITS | self.amount << (KIND_BITS + ACCOUNT_BITS)
        return head, self.owner, self.key_x, self.key_y

    @property
    def words(self) -> tuple[int, int, int, int]:
        """The published words: the queue's own with the outcome beside the owner."""
        head, owner, key_x, key_y = self.chain_words
        return head, owner | self.outcome << OWNER_BITS, key_x, key_y


@dataclass(frozen=True, slots=True)
class PublishedWithdrawal:
    """Collateral that the owner may claim on L1."""

    owner: int
    amount: TokenUnits

    @property
    def word(self) -> int:
        """The published word."""
        return self.owner | self.amount << OWNER_BITS


@dataclass(frozen=True, slots=True)
class PublishedAccount:
    """The header of a touched account as the batch left it."""

    account_id: int
    nonce: int
    cash: CashUnits
    identity: int

    @property
    def words(self) -> tuple[int, int, int]:
        """The published words."""
        return self.account_id | self.nonce << ACCOUNT_BITS, self.cash + CASH_OFFSET, self.identity


@dataclass(frozen=True, slots=True)
class Published:
    """All that one batch publishes."""

    requests: tuple[PublishedRequest, ...]
    withdrawals: tuple[PublishedWithdrawal, ...]
    accounts: tuple[PublishedAccount, ...]

    @property
    def words(self) -> tuple[int, ...]:
        """The three sections one after the other."""
        return (
            *(word for request in self.requests for word in request.words),
            *(withdrawal.word for withdrawal in self.withdrawals),
            *(word for account in self.accounts for word in account.words),
        )

    @property
    def deposit_total(self) -> int:
        """Token units that the requests brought in."""
        return sum(request.amount for request in self.requests)

    @property
    def withdrawal_total(self) -> int:
        """Token units that the withdrawals take out."""
        return sum(withdrawal.amount for withdrawal in self.withdrawals)


def touched_accounts(event: Event) -> tuple[int, ...]:
    """The accounts whose header a command read or wrote; a refused key touches none."""
    if isinstance(event, Deposited):
        return (event.account_id,)
    if isinstance(event, KeyRegistered):
        return (event.account_id,) if event.outcome is Outcome.APPLIED else ()
    if isinstance(event, Transferred):
        return (event.transaction.account, event.transaction.to)
    return (event.transaction.account,)


def publish(events: Iterable[Event], state: State) -> Published:
    """What the batch of these events publishes.

    Assumes: `state` is the state after the last event.
    """
    requests: list[PublishedRequest] = []
    withdrawals: list[PublishedWithdrawal] = []
    touched: set[int] = set()
    for event in events:
        touched.update(touched_accounts(event))
        if isinstance(event, Deposited | KeyRegistered):
            requests.append(published_request(event))
        elif not isinstance(event, Transferred):
            withdrawals.append(PublishedWithdrawal(event.after.owner, event.transaction.amount))
    accounts = tuple(_published_account(state, account_id) for account_id in sorted(touched))
    return Published(tuple(requests), tuple(withdrawals), accounts)


def published_request(event: Deposited | KeyRegistered) -> PublishedRequest:
    """What the batch of this event publishes about the L1 request behind it."""
    if isinstance(event, Deposited):
        return PublishedRequest(
            Kind.DEPOSIT, event.account_id, event.owner, event.amount, 0, 0, Outcome.APPLIED
        )
    return PublishedRequest(
        Kind.REGISTER_KEY,
        event.account_id,
        event.owner,
        NO_UNITS,
        event.key_x,
        event.key_y,
        event.outcome,
    )


def _published_account(state: State, account_id: int) -> PublishedAccount:
    account = state.accounts.get(account_id)
    if account is None:
        raise PubdataError(f"account {account_id}", "an account that a command touched", "none")
    return PublishedAccount(account_id, account.nonce, account.cash, account.identity)


def parse_pubdata(
    words: Sequence[int], queue_count: int, withdrawal_count: int, account_count: int
) -> Published:
    """The published words of one batch, read back.

    Raises: PubdataError naming the word, for a wrong number of words or a value out of range.
    """
    account_start = QUEUE_WORDS * queue_count + WITHDRAWAL_WORDS * withdrawal_count
    total = account_start + ACCOUNT_WORDS * account_count
    if min(queue_count, withdrawal_count, account_count) < 0 or len(words) != total:
        raise PubdataError("published words", f"{total} words", f"{len(words)} words")
    for position, word in enumerate(words):
        if not is_canonical(word):
            raise PubdataError(f"word {position}", "a field element below r", word)
    requests = [
        _parse_request(words[start : start + QUEUE_WORDS], start)
        for start in range(0, QUEUE_WORDS * queue_count, QUEUE_WORDS)
    ]
    withdrawals = []
    for position in range(QUEUE_WORDS * queue_count, account_start):
        owner, amount = _split(words[position], (OWNER_BITS, AMOUNT_BITS), position)
        withdrawals.append(PublishedWithdrawal(owner, TokenUnits(amount)))
    accounts: list[PublishedAccount] = []
    for start in range(account_start, total, ACCOUNT_WORDS):
        account = _parse_account(words[start : start + ACCOUNT_WORDS], start)
        if accounts and account.account_id <= accounts[-1].account_id:
            raise PubdataError(
                f"word {start}", f"an account above {accounts[-1].account_id}", account.account_id
            )
        accounts.append(account)
    return Published(tuple(requests), tuple(withdrawals), tuple(accounts))


def published_of(statement: Statement) -> Published:
    """What a batch published, read from its statement.

    Raises: PubdataError naming the word.
    """
    return parse_pubdata(
        statement.pubdata,
        statement.queue_count,
        statement.withdrawal_count,
        statement.account_count,
    )


def _parse_request(words: Sequence[int], start: int) -> PublishedRequest:
    kind, account_id, amount = _split(words[0], (KIND_BITS, ACCOUNT_BITS, AMOUNT_BITS), start)
    owner, outcome = _split(words[1], (OWNER_BITS, OUTCOME_BITS), start + 1)
    if kind not in (Kind.DEPOSIT, Kind.REGISTER_KEY):
        raise PubdataError(f"word {start}", "the kind of a queued request", kind)
    _require_account(account_id, start)
    is_deposit = kind == Kind.DEPOSIT
    if is_deposit != (amount > 0):
        raise PubdataError(f"word {start}", "an amount in a deposit and nowhere else", amount)
    if is_deposit and (words[2] or words[3]):
        raise PubdataError(f"word {start + 2}", "no key in a deposit", tuple(words[2:]))
    if outcome not in ((Outcome.APPLIED,) if is_deposit else tuple(Outcome)):
        raise PubdataError(f"word {start + 1}", "an outcome of this kind", outcome)
    return PublishedRequest(
        Kind(kind), account_id, owner, TokenUnits(amount), words[2], words[3], Outcome(outcome)
    )


def _parse_account(words: Sequence[int], start: int) -> PublishedAccount:
    account_id, nonce = _split(words[0], (ACCOUNT_BITS, NONCE_BITS), start)
    _require_account(account_id, start)
    (packed_cash,) = _split(words[1], (CASH_BITS + 1,), start + 1)
    return PublishedAccount(account_id, nonce, CashUnits(packed_cash - CASH_OFFSET), words[2])


def _require_account(account_id: int, position: int) -> None:
    if account_id < ACCOUNT_FIRST:
        raise PubdataError(
            f"word {position}", f"an account in {ACCOUNT_FIRST}..{ACCOUNT_MAX}", account_id
        )


def _split(word: int, widths: Sequence[int], position: int) -> list[int]:
    parts = []
    rest = word
    for bits in widths:
        parts.append(rest % 2**bits)
        rest >>= bits
    if rest:
        raise PubdataError(f"word {position}", f"a word of {sum(widths)} bits", hex(word))
    return parts


def rebuild_accounts(batches: Iterable[Published]) -> dict[int, PublishedAccount]:
    """Every account of the exchange, from published words alone, in the order of the batches."""
    accounts: dict[int, PublishedAccount] = {}
    for published in batches:
        accounts.update((account.account_id, account) for account in published.accounts)
    return accounts


def rebuild_tree(accounts: Iterable[PublishedAccount]) -> SparseTree:
    """The tree of these accounts; its account region root is the batch's public word."""
    tree = SparseTree()
    tree.update_many(
        {
            header_index(account.account_id): header_leaf(
                account.identity, account.nonce, account.cash
            )
            for account in accounts
        }
    )
    return tree
