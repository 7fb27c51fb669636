"""From the venue to the L1 contracts: the arguments of each call, and who must send it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from circuits.exchange.bodies import Queued
from circuits.exchange.limits import ACCOUNT_FIRST
from circuits.exchange.transactions.deposit import Deposit
from circuits.exchange.transactions.register_key import RegisterKey
from circuits.statement import Statement
from sequencer.errors import BatchError


@dataclass(frozen=True, slots=True)
class SubmitBatch:
    """The arguments of Settlement.submitBatch."""

    words: tuple[int, ...]
    pubdata: tuple[int, ...]
    proof: bytes


@dataclass(frozen=True, slots=True)
class QueueCall:
    """One call to the Queue contract: `owner` must send it, except a deposit, which anyone may."""

    function: str
    arguments: tuple[int, ...]
    owner: int


def submit_batch(statement: Statement, proof: bytes) -> SubmitBatch:
    """The call that posts a proven batch.

    Raises: StatementError for a statement that the contract would refuse unread; BatchError for
    an empty proof.
    """
    statement.validate()
    if not proof:
        raise BatchError(f"batch {statement.batch_number}", "a proof", "no bytes")
    return SubmitBatch(statement.words(), statement.pubdata, proof)


def queue_calls(requests: Iterable[Queued]) -> list[QueueCall]:
    """The calls that make an empty L1 queue hold exactly these requests.

    Raises: BatchError where a request is of a kind that the queue does not take, names an account
    that it would not assign next, or one of another owner.
    """
    calls = []
    owners: dict[int, int] = {}
    for position, queued in enumerate(requests):
        place = f"L1 request {position}"
        request = margin_request(place, queued)
        known = owners.get(request.account)
        if known is None:
            assigned = ACCOUNT_FIRST + len(owners)
            if isinstance(request, Deposit) or request.account != assigned:
                raise BatchError(
                    place, f"a key for account {assigned}, or an account below", request.account
                )
            owners[request.account] = request.owner
            calls.append(QueueCall("registerKey", (request.key_x, request.key_y), request.owner))
            continue
        if known != request.owner:
            raise BatchError(place, f"owner {known:#042x}", f"{request.owner:#042x}")
        if isinstance(request, Deposit):
            arguments: tuple[int, ...] = (request.account, request.amount)
            calls.append(QueueCall("deposit", arguments, request.owner))
        else:
            arguments = (request.account, request.key_x, request.key_y)
            calls.append(QueueCall("rotateKey", arguments, request.owner))
    return calls


def margin_request(place: str, request: Queued) -> Deposit | RegisterKey:
    """The request, if it is of a kind that the Queue contract takes.

    Raises: BatchError naming the place.
    """
    if not isinstance(request, Deposit | RegisterKey):
        kind = request.KIND.name.lower()
        raise BatchError(
            place, "a deposit or register_key", f"{kind}, which the Queue contract does not take"
        )
    return request
