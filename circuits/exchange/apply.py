"""One command at a time: the state before, the rules, and the state after or the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from circuits.exchange.errors import BatchRefused, Rejected, RejectReason
from circuits.exchange.events import NULL_OBSERVER, Event, KeyRegistered, Observer, Outcome
from circuits.exchange.limits import TIME_MAX_MS
from circuits.exchange.state import State
from circuits.exchange.transactions import deposit, register_key, transfer, withdraw
from circuits.exchange.transactions.authority import (
    Context,
    DigestFunction,
    SignatureVerifier,
    digest_of,
)
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.exchange.transactions.transfer import Transfer
from circuits.exchange.transactions.withdraw import Withdraw
from circuits.signature import Signature
from circuits.signature import verify as verify_signature

Queued = Deposit | RegisterKey
"""Requests from the L1 queue: always part of a batch, with an outcome."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction and the signature of its account's key over the digest."""

    transaction: Transfer | Withdraw
    signature: Signature


Body = Queued | Signed


@dataclass(frozen=True, slots=True)
class Command:
    """What the venue ordered: a body at a time that never goes back."""

    time_ms: int
    body: Body


@dataclass(frozen=True, slots=True)
class Receipt:
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
        return self.event.outcome if isinstance(self.event, KeyRegistered) else Outcome.APPLIED


QUEUED_RULES: dict[type, Callable[..., tuple[State, Event]]] = {
    Deposit: deposit.apply,
    RegisterKey: register_key.apply,
}
SIGNED_RULES: dict[type, Callable[..., tuple[State, Event]]] = {
    Transfer: transfer.apply,
    Withdraw: withdraw.apply,
}
"""The rule of each kind; a kind in neither table cannot be applied."""


def apply_command(
    state: State,
    command: Command,
    observer: Observer = NULL_OBSERVER,
    verify: SignatureVerifier = verify_signature,
    digest: DigestFunction = digest_of,
) -> Receipt:
    """Apply one command; a refused one leaves the state as it was and is not observed.

    `verify` and `digest` may be replaced by others that give the same answers sooner.
    Raises: QueueGuaranteeBroken for an L1 request that the contracts cannot have queued.
    """
    context = Context(state.step + 1, command.time_ms, verify, digest)
    try:
        require_time(state, command.time_ms)
        changed, event = _transition(state, context, command.body)
    except Rejected as rejected:
        return Receipt(command, state, None, rejected)
    changed = replace(changed, time_ms=command.time_ms, step=context.step)
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


def _transition(state: State, context: Context, body: Body) -> tuple[State, Event]:
    if isinstance(body, Signed):
        rule = SIGNED_RULES[type(body.transaction)]
        return rule(state, context, body.transaction, body.signature)
    return QUEUED_RULES[type(body)](state, context, body)
