"""A venue on a chain: contracts deployed for one verifying key, L1 requests, batches, claims.

Development only: every owner's key is derived from a label, so anybody can act for the owners.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from circuits.exchange.bodies import Queued
from circuits.exchange.transactions.deposit import Deposit
from circuits.statement import Statement
from sequencer.deploying import deploy_for_key
from sequencer.errors import BatchError
from sequencer.l1 import devkeys
from sequencer.l1.contracts import Rollup
from sequencer.l1.port import L1, Receipt, Signer, address_text, address_word
from sequencer.posting import margin_request, queue_calls, submit_batch
from verifier.key import VerifyingKey


def trader(account: int) -> Signer:
    """The development key of an account's owner, as the example files name them."""
    return devkeys.development_signer(f"trader {account}")


def owners_of(requests: Iterable[Queued]) -> dict[int, Signer]:
    """Owner word -> signer for all owners of the requests.

    Raises: BatchError for an owner who is not the account's development key, or a request that the
    queue does not take.
    """
    owners: dict[int, Signer] = {}
    for position, queued in enumerate(requests):
        request = margin_request(f"L1 request {position}", queued)
        signer = trader(request.account)
        if address_word(signer.address) != request.owner:
            place = f"owner of account {request.account}"
            raise BatchError(place, f"{signer.address} (development)", address_text(request.owner))
        owners[request.owner] = signer
    return owners


def open_venue(l1: L1, key: VerifyingKey) -> Rollup:
    """Deploy every contract from the development keys.

    Raises: InsecureKeyRefused; BatchError when the contract was generated from another key.
    """
    deployment = deploy_for_key(l1, devkeys.deployer(), key, sequencer=devkeys.sequencer().address)
    return Rollup(l1, deployment)


def post_requests(
    rollup: Rollup,
    requests: Iterable[Queued],
    owners: Mapping[int, Signer],
    advance: Callable[[int], None],
) -> None:
    """Send every L1 request from its owner, who is given the test tokens for it first.

    Raises: BatchError where the queue would number an account otherwise; L1Error.
    """
    requests = tuple(requests)
    totals: Counter[int] = Counter()
    for request in requests:
        if isinstance(request, Deposit):
            totals[request.owner] += request.amount
    calls = queue_calls(requests)
    for owner, total in totals.items():
        rollup.mint(owners[owner], total)
        rollup.approve(owners[owner], total)
    for call in calls:
        signer = owners[call.owner]
        if call.function == "registerKey":
            rollup.register_key(signer, *call.arguments)
        elif call.function == "rotateKey":
            rollup.rotate_key(signer, *call.arguments)
        else:
            rollup.deposit(signer, *call.arguments)
        advance(1)


def wait_for(l1: L1, time_ms: int) -> None:
    """Move the clock of a local chain on, so that a batch of that time is not in the future."""
    time_s = -(-time_ms // 1000)
    if time_s > l1.time_s():
        l1.set_time_s(time_s)


def verification_gas(rollup: Rollup, statement: Statement, proof: bytes) -> int:
    """Gas of a transaction that asks the verifier alone, its calldata included.

    Raises: L1Error; L1Reverted with the verifier's error.
    """
    deployment = rollup.deployment
    data = deployment.verifier_plan.artifact.call(
        "verify", list(statement.words()), list(statement.pubdata), proof
    )
    return rollup.l1.send(devkeys.sequencer(), deployment.verifier, data).gas_used


def post_batch(rollup: Rollup, statement: Statement, proof: bytes) -> Receipt:
    """Submit a proven batch from the sequencer's development key.

    Raises: L1Rejected naming the contract's error; StatementError; BatchError.
    """
    call = submit_batch(statement, proof)
    return rollup.submit_batch(devkeys.sequencer(), call.words, call.pubdata, call.proof)
