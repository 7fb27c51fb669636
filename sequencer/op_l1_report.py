"""What `op deploy`, `op post` and `op status` print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from circuits.text_table import aligned, shown, tokens
from sequencer.l1.contracts import CustodyState, Rollup
from sequencer.l1.deploy import Deployment
from sequencer.settling import Settled

Fact = tuple[str, str]


def deployment_lines(deployment: Deployment) -> Iterator[str]:
    """A table of contracts with what each cost, then the settings of the venue."""
    plan = deployment.verifier_plan
    addresses = {
        "TestToken": deployment.token,
        "Custody": deployment.custody,
        "Queue": deployment.queue,
        **dict(zip(plan.parts, deployment.verifier_parts, strict=True)),
        plan.contract: deployment.verifier,
        "Settlement": deployment.settlement,
    }
    gas = deployment.gas_used
    rows = [(name, addresses[name], used) for name, used in gas.items()]
    yield from aligned(("contract", "address", "gas"), [*rows, ("all", "", sum(gas.values()))])
    yield ""
    yield from _facts(
        [
            ("chain id", str(deployment.chain_id)),
            ("token", deployment.token),
            ("sequencer", f"{deployment.sequencer}, epoch {deployment.sequencer_epoch}"),
            ("verifying key", _key(deployment)),
            ("genesis root", _word(deployment.genesis_root)),
        ]
    )


def settled_lines(settled: Settled) -> Iterator[str]:
    """Whether the batch was sent now or settled before, and the root that it leads to."""
    batch, receipt = settled.batch, settled.receipt
    place = f"in block {batch.block_number}"
    if receipt is None:
        yield f"batch {batch.batch_number} is already settled, {place}; nothing was sent"
    else:
        yield f"batch {batch.batch_number} settled {place} for {shown(receipt.gas_used)} gas"
        yield from _facts([("transaction", receipt.transaction_hash)])
    yield from _facts([("new root", _word(batch.new_root))])


def status_lines(rollup: Rollup) -> Iterator[str]:
    """The head of the settlement and the books of custody; token amounts as people read them."""
    state, custody, deployment = (
        rollup.settlement_state(),
        rollup.custody_state(),
        rollup.deployment,
    )
    waiting = rollup.queue_length() - state.queue_cursor
    unclaimed = custody.credited - custody.claimed
    yield from _facts(
        [
            ("chain id", str(deployment.chain_id)),
            ("settlement", deployment.settlement),
            ("sequencer", f"{deployment.sequencer}, epoch {state.sequencer_epoch}"),
            ("verifying key", _key(deployment)),
            ("next batch", str(state.next_batch_number)),
            ("root", _word(state.root)),
            ("last batch", _time(state.time_last_ms)),
            ("L1 requests", f"{shown(state.queue_cursor)} settled, {shown(waiting)} waiting"),
            ("in accounts", tokens(state.settled_total)),
            ("deposited", tokens(custody.deposited)),
            ("withdrawn", f"{tokens(custody.credited)}, of it {tokens(unclaimed)} not yet claimed"),
            ("custody holds", f"{tokens(custody.token_balance)}, {_agreement(custody)}"),
        ]
    )


def _agreement(custody: CustodyState) -> str:
    """Anybody can send custody tokens without a deposit, so more than the books say is no fault."""
    surplus = custody.token_balance - custody.custody_total
    if surplus == 0:
        return "as the books say"
    return f"{tokens(abs(surplus))} {'more' if surplus > 0 else 'LESS'} than the books say"


def _key(deployment: Deployment) -> str:
    warning = " (INSECURE: development only)" if deployment.verifier_plan.insecure else ""
    return deployment.key_digest.hex() + warning


def _word(word: int) -> str:
    return hex(word)


def _time(time_ms: int) -> str:
    if time_ms == 0:
        return "none yet"
    at = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"ended at {time_ms} ms, {at:%Y-%m-%d %H:%M:%S} UTC"


def _facts(facts: Iterable[Fact]) -> Iterator[str]:
    for label, text in facts:
        yield f"{label:<14} {text}"
