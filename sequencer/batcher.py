"""Collects accepted commands and seals them into batches, each with its statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.exchange.apply import Command, Receipt, Signed
from circuits.exchange.commit import update_tree
from circuits.exchange.events import Event
from circuits.exchange.pubdata import Published, publish, touched_accounts
from circuits.exchange.state import State
from circuits.merkle import SparseTree, TouchedNode
from circuits.statement import Statement
from prover.kernels.poseidon2 import permute_many
from sequencer.errors import BatchError
from sequencer.hash_chains import EMPTY_CHAIN, extend_journal, extend_queue_chain, public_word

FIRST_BATCH_NUMBER = 1
"""As Settlement.nextBatchNumber says before the first batch."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next batch starts: its number, the L1 queue and the journal so far."""

    batch_number: int = FIRST_BATCH_NUMBER
    queue_cursor: int = 0
    queue_chain: int = EMPTY_CHAIN
    journal_head: int = EMPTY_CHAIN


GENESIS = Position()


@dataclass(frozen=True, slots=True)
class Batch:
    """A sealed batch: all that a witness, a proof and a posting of it need.

    `previous_tree` is the tree before, `touched_nodes` its inner nodes on changed or read paths.
    """

    previous_state: State
    state: State
    previous_tree: SparseTree
    touched_nodes: tuple[TouchedNode, ...]
    commands: tuple[Command, ...]
    events: tuple[Event, ...]
    published: Published
    before: Position
    after: Position
    statement: Statement

    @property
    def number(self) -> int:
        """The batch's place in the chain of batches, from 1."""
        return self.statement.batch_number

    @property
    def new_root(self) -> int:
        """The state root that the batch leads to."""
        return self.statement.new_root


class Batcher:
    """Takes receipts in order and yields a `Batch` at each seal.

    Assumes: the first receipt's state follows `state`, and each further one its predecessor.
    """

    def __init__(
        self, epoch: int, state: State, tree: SparseTree, position: Position = GENESIS
    ) -> None:
        self.epoch = epoch
        self.position = position
        self._previous_state = state.at_batch_start()
        self._tree = tree
        self._accepted: list[Receipt] = []

    @property
    def root(self) -> int:
        """The state root after the last sealed batch."""
        return self._tree.root

    @property
    def open_count(self) -> int:
        """How many accepted commands wait for the seal."""
        return len(self._accepted)

    @property
    def queue_cursor(self) -> int:
        """How many L1 requests are consumed, those of the open batch included."""
        open_requests = sum(
            not isinstance(receipt.command.body, Signed) for receipt in self._accepted
        )
        return self.position.queue_cursor + open_requests

    def add(self, receipt: Receipt) -> None:
        """Take one accepted command into the open batch.

        Raises: BatchError for the receipt of a refused command.
        """
        if not receipt.is_accepted:
            raise BatchError("receipt", "an accepted command", receipt.rejected)
        self._accepted.append(receipt)

    def seal(self) -> Batch:
        """Close the open batch and start the next one where it ends.

        Raises: BatchError when no command is open.
        """
        if not self._accepted:
            raise BatchError("open batch", "at least one accepted command", "none")
        state = self._accepted[-1].state
        commands = tuple(receipt.command for receipt in self._accepted)
        events = tuple(receipt.event for receipt in self._accepted if receipt.event is not None)
        published = publish(events, state)
        previous_tree = self._tree.copy()
        touched = {account_id for event in events for account_id in touched_accounts(event)}
        touched_nodes = tuple(update_tree(self._tree, state, touched, permute_many))
        after = _advance(self.position, commands, published)
        batch = Batch(
            previous_state=self._previous_state,
            state=state,
            previous_tree=previous_tree,
            touched_nodes=touched_nodes,
            commands=commands,
            events=events,
            published=published,
            before=self.position,
            after=after,
            statement=self._statement(state, previous_tree.root, commands, published, after),
        )
        self.position = after
        self._previous_state = state.at_batch_start()
        self._accepted = []
        return batch

    def _statement(
        self,
        state: State,
        old_root: int,
        commands: Sequence[Command],
        published: Published,
        after: Position,
    ) -> Statement:
        accounts, markets, books, system = self._tree.region_roots()
        statement = Statement(
            domain=state.domain,
            batch_number=self.position.batch_number,
            sequencer_epoch=self.epoch,
            old_root=old_root,
            new_root=self._tree.root,
            root_accounts=accounts,
            root_markets=markets,
            root_books=books,
            root_system=system,
            time_first_ms=commands[0].time_ms,
            time_last_ms=commands[-1].time_ms,
            queue_cursor_before=self.position.queue_cursor,
            queue_hash=public_word(after.queue_chain),
            journal_head=public_word(after.journal_head),
            command_count=len(commands),
            queue_count=len(published.requests),
            withdrawal_count=len(published.withdrawals),
            account_count=len(published.accounts),
            deposit_total=published.deposit_total,
            withdrawal_total=published.withdrawal_total,
            pubdata=published.words,
        )
        statement.validate()
        return statement


def _advance(position: Position, commands: Sequence[Command], published: Published) -> Position:
    """Where the batch after this one starts."""
    queue_chain, journal_head = position.queue_chain, position.journal_head
    for request in published.requests:
        queue_chain = extend_queue_chain(queue_chain, request)
    for command in commands:
        journal_head = extend_journal(journal_head, command)
    return Position(
        batch_number=position.batch_number + 1,
        queue_cursor=position.queue_cursor + len(published.requests),
        queue_chain=queue_chain,
        journal_head=journal_head,
    )
