"""Collects accepted commands and seals them into batches, each with its statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.exchange.apply import Command, Receipt
from circuits.exchange.bodies import Signed
from circuits.exchange.commit import update_tree
from circuits.exchange.events import Event
from circuits.exchange.fields import kind_of
from circuits.exchange.pubdata import Published, publish, touched_addresses
from circuits.exchange.state import State
from circuits.merkle import Children, SparseTree, TouchedNode
from circuits.statement import Statement
from circuits.witness.record import first_unproven
from prover.kernels.poseidon2 import permute_many
from sequencer.errors import BatchError
from sequencer.hash_chains import (
    EMPTY_CHAIN,
    extend_journal,
    extend_journal_bytes,
    extend_queue_chain,
    public_word,
)

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
    A batch with a command that no chip proves yet has no statement.
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
    sequencer_epoch: int
    new_root: int
    region_roots: Children
    statement: Statement | None

    @property
    def number(self) -> int:
        """The batch's place in the chain of batches, from 1."""
        return self.before.batch_number

    @property
    def old_root(self) -> int:
        """The state root that the batch starts from."""
        return self.previous_tree.root

    def to_prove(self) -> Statement:
        """The statement of the batch.

        Raises: BatchError naming the first command that no chip proves yet.
        """
        if self.statement is None:
            unproven = first_unproven(self.events)
            assert unproven is not None
            place = f"batch {self.number}: step {unproven.step}"
            raise BatchError(place, unproven.expected, unproven.got)
        return self.statement


class Batcher:
    """Takes receipts in order and yields a `Batch` at each seal; of each it keeps the event alone.

    `journal_head` is the chain value after the last accepted command, those of the open batch
    included: each is hashed once, when it is added, and whoever journals it takes the value.
    `queue_cursor` counts the L1 requests consumed, those of the open batch included.

    Assumes: the first receipt's state follows `state`, and each further one its predecessor.
    """

    def __init__(
        self, epoch: int, state: State, tree: SparseTree, position: Position = GENESIS
    ) -> None:
        self.epoch = epoch
        self.position = position
        self.queue_cursor = position.queue_cursor
        self.journal_head = position.journal_head
        self._previous_state = state.at_batch_start()
        self._state = self._previous_state
        self._tree = tree
        self._commands: list[Command] = []
        self._events: list[Event] = []

    @property
    def root(self) -> int:
        """The state root after the last sealed batch."""
        return self._tree.root

    @property
    def open_count(self) -> int:
        """How many accepted commands wait for the seal."""
        return len(self._commands)

    @property
    def open_since_ms(self) -> int | None:
        """The time of the first command that waits, or None."""
        return self._commands[0].time_ms if self._commands else None

    def add(self, receipt: Receipt, encoded: bytes | None = None) -> None:
        """Take one accepted command into the open batch.

        Assumes: `encoded`, if the caller has it already, is the command's canonical bytes.
        Raises: BatchError for the receipt of a refused command.
        """
        command, event = receipt.command, receipt.event
        if event is None:
            raise BatchError("receipt", "an accepted command", receipt.rejected)
        if encoded is None:
            self.journal_head = extend_journal(self.journal_head, command)
        else:
            self.journal_head = extend_journal_bytes(self.journal_head, encoded)
        if not isinstance(command.body, Signed):
            self.queue_cursor += kind_of(command.body).is_queued
        self._commands.append(command)
        self._events.append(event)
        self._state = receipt.state

    def seal(self) -> Batch:
        """Close the open batch and start the next one where it ends.

        Raises: BatchError when no command is open.
        """
        if not self._commands:
            raise BatchError("open batch", "at least one accepted command", "none")
        state, commands, events = self._state, tuple(self._commands), tuple(self._events)
        published = publish(events, state, permute_many)
        previous_tree = self._tree.copy()
        touched = {address for event in events for address in touched_addresses(event)}
        touched_nodes = tuple(update_tree(self._tree, state, touched, permute_many))
        after = _advance(self.position, published, self.journal_head)
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
            sequencer_epoch=self.epoch,
            new_root=self._tree.root,
            region_roots=self._tree.region_roots(),
            statement=None
            if first_unproven(events)
            else self._statement(state, previous_tree.root, commands, published, after),
        )
        self.position = after
        self._previous_state = state.at_batch_start()
        self._commands, self._events = [], []
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


def _advance(position: Position, published: Published, journal_head: int) -> Position:
    """Where the batch after this one starts."""
    queue_chain = position.queue_chain
    for request in published.requests:
        queue_chain = extend_queue_chain(queue_chain, request)
    return Position(
        batch_number=position.batch_number + 1,
        queue_cursor=position.queue_cursor + len(published.requests),
        queue_chain=queue_chain,
        journal_head=journal_head,
    )
