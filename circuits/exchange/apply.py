"""One command at a time: the state before, the rules, and the state after or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from circuits.exchange.bodies import Body, Signed
from circuits.exchange.draft import Draft
from circuits.exchange.errors import BatchRefused, Rejected, RejectReason
from circuits.exchange.events import (
    NULL_OBSERVER,
    Event,
    Executed,
    KeyRegistered,
    Observer,
    Outcome,
)
from circuits.exchange.guide import SCAN, Guide
from circuits.exchange.limits import TIME_MAX_MS
from circuits.exchange.rules import RULES
from circuits.exchange.state import State
from circuits.exchange.transactions.authority import (
    Context,
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.signature import verify as verify_signature


@dataclass(frozen=True, slots=True)
class Command:
    """What the venue ordered: a body at a time that never goes back."""

    time_ms: int
    body: Body


class Receipt(NamedTuple):
    """What became of one command: an event, or the reason why the state is as it was."""

    command: Command
    state: State
    event: Event | None
    rejected: Rejected | None

    @property
    def is_accepted(self) -> bool:
        """Whether the command is part of the batch."""
        return self.rejected is None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome code, or None for a refused command."""
        if self.event is None:
            return None
        if isinstance(self.event, KeyRegistered | Executed):
            return self.event.outcome
        return Outcome.APPLIED


def apply_command(
    state: State,
    command: Command,
    observer: Observer = NULL_OBSERVER,
    verify: SignatureVerifier = verify_signature,
    digest: DigestFunction = digest_of,
    guide: Guide = SCAN,
) -> Receipt:
    """Apply one command; a refused one leaves the state as it was and is not observed.

    `verify`, `digest` and `guide` may be replaced by others that give the same answers sooner.
    Raises: QueueGuaranteeBroken for an L1 request that the contracts cannot have queued.
    """
    step = state.step + 1
    draft = Draft(state, guide)
    try:
        require_time(state, command.time_ms)
        body = command.body
        context = Context(step, command.time_ms, verify, digest)
        if isinstance(body, Signed):
            transaction = body.transaction
            event = RULES[transaction.KIND](draft, context, transaction, body.signature)
        else:
            event = RULES[body.KIND](draft, context, body)
    except Rejected as rejected:
        draft.discard()
        return Receipt(command, state, None, rejected)
    except BaseException:
        draft.discard()  # the guide must not keep what the state does not
        raise
    leaves, before = draft.commit()
    if event is None or isinstance(event, Outcome):
        event = Executed(
            step=step,
            time_ms=command.time_ms,
            body=body,
            steps=tuple(draft.steps),
            outcome=event or Outcome.APPLIED,
            before=before,
        )
    changed = State(state.domain, command.time_ms, step, draft.custody, leaves)
    observer.record(event)
    return Receipt(command, changed, event, None)


def apply_batch(
    state: State,
    commands: Iterable[Command],
    observer: Observer = NULL_OBSERVER,
    verify: SignatureVerifier = verify_signature,
) -> State:
    """Apply the commands of one sealed batch, of which the rules must refuse none.

    Raises: BatchRefused naming the step and the reason; QueueGuaranteeBroken.
    """
    state = state.at_batch_start()
    for command in commands:
        receipt = apply_command(state, command, observer, verify)
        if receipt.rejected is not None:
            raise BatchRefused(f"step {state.step + 1}", "an accepted command", receipt.rejected)
        state = receipt.state
    return state


def require_time(state: State, time_ms: int) -> None:
    """Refuse a time before the last one, or one that no leaf or word can hold."""
    if time_ms < state.time_ms:
        raise Rejected(
            RejectReason.TIME_BACKWARDS, f"a time of at least {state.time_ms} ms", f"{time_ms} ms"
        )
    if time_ms > TIME_MAX_MS:
        raise Rejected(
            RejectReason.TIME_OUT_OF_RANGE, f"a time of at most {TIME_MAX_MS} ms", f"{time_ms} ms"
        )
