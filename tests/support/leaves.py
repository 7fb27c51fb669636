"""States of any leaves, and histories of them that no rule has made."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from circuits.exchange.addresses import (
    CONTROLS_ADDRESS,
    FEE_TERMS_ADDRESS,
    book_address,
    header_address,
    order_address,
    prices_address,
    signer_address,
    terms_address,
    trigger_address,
)
from circuits.exchange.apply import Command, apply_command
from circuits.exchange.bodies import Body
from circuits.exchange.events import Event, Executed, Outcome
from circuits.exchange.fields import LEAF_LAYOUTS
from circuits.exchange.leaves import Account, Leaf
from circuits.exchange.limits import ORDER_SLOT_MAX, TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX
from circuits.exchange.places import kind_at
from circuits.exchange.state import State
from circuits.exchange.steps import Step
from circuits.exchange.transactions.halt import Halt
from tests.support.exchange import deposit, funded, register, transfer

FUNDED = 2
"""Accounts that real commands move cash between; the others have leaves of any content."""

ACCOUNTS = (3, 4, 2**23 + 5, 2**24 - 1)
SLOTS = (0, 1, 16, 17, 24, 25, 40, 41, 42)
"""The header, and the first and last slot of every other kind."""

MARKETS = (0, 7, 1023)


def any_leaf(kind: type, rng: random.Random) -> Leaf:
    """A leaf of a kind, each field at random or at an end of its range."""
    layout = LEAF_LAYOUTS[kind]
    values = [
        rng.choice((spec.minimum, spec.maximum, max(0, spec.minimum)))
        if rng.random() < 0.3
        else rng.randint(spec.minimum, spec.maximum)
        for spec in layout.fields
    ]
    leaf: Leaf = layout.make(*values)
    return leaf


def places() -> list[int]:
    """Addresses of every kind, a few of each."""
    found = [header_address(account) + slot for account in ACCOUNTS for slot in SLOTS]
    for market in MARKETS:
        found += [terms_address(market), prices_address(market), book_address(market)]
        found += [order_address(market, slot) for slot in (1, 2, ORDER_SLOT_MAX)]
        found += [trigger_address(market, slot) for slot in (TRIGGER_SLOT_FIRST, TRIGGER_SLOT_MAX)]
    return [*found, FEE_TERMS_ADDRESS, CONTROLS_ADDRESS, signer_address(0), signer_address(15)]


def any_state(rng: random.Random, share: float = 0.5) -> State:
    """Two funded accounts and any leaves at about this share of the places."""
    state = funded(FUNDED)
    leaves = {
        place: any_leaf(kind_at(place) or object, rng) for place in places() if rng.random() < share
    }
    return replace(state, leaves=state.leaves.with_changes(leaves), step=0)


def executed(
    state: State,
    changes: dict[int, Leaf | None],
    body: Body | None = None,
    steps: tuple[Step, ...] = (),
    outcome: Outcome = Outcome.APPLIED,
) -> tuple[Event, State]:
    """The event of a command that made these changes, and the state after it."""
    before = {address: state.leaves.get(address) for address in changes}
    event = Executed(state.step + 1, state.time_ms, body or Halt(0), steps, outcome, before)
    return event, replace(state, leaves=state.leaves.with_changes(changes), step=state.step + 1)


def any_changes(state: State, rng: random.Random) -> dict[int, Leaf | None]:
    """New content for a few places; a header is never emptied, another leaf at times is."""
    changes: dict[int, Leaf | None] = {}
    for place in rng.sample(places(), rng.randint(0, 9)):
        kind = kind_at(place) or object
        is_header = kind is Account
        if rng.random() < 0.2:
            changes[place] = state.leaves.get(place) or any_leaf(kind, rng)  # written, unchanged
        elif rng.random() < 0.3 and not is_header:
            changes[place] = None
        else:
            changes[place] = any_leaf(kind, rng)
    return changes


def history(rng: random.Random, batches: int) -> Iterator[tuple[list[Event], State]]:
    """Batches of margin commands and of any changes, with the state after each, from nothing."""
    state = State(funded(1).domain)
    for number in range(batches):
        state = state.at_batch_start()
        events: list[Event] = []
        bodies: list[Body] = [register(1), deposit(1, 500), deposit(2, 1)]
        if number:
            bodies = [transfer(1, number, 2, 1), deposit(2, 3), register(2, (3, 5))]
        for body in bodies:
            receipt = apply_command(state, Command(1, body))
            assert receipt.event is not None, receipt.rejected
            events.append(receipt.event)
            state = receipt.state
            for _ in range(rng.randint(0, 2)):
                event, state = executed(state, any_changes(state, rng))
                events.append(event)
        yield events, state
