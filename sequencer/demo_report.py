"""What the demo prints: lines for people, and one JSON object for scripts."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence

from circuits.exchange.events import Outcome
from circuits.text_table import aligned, short, shown, tokens
from sequencer.apply_file import Applied
from sequencer.demo_run import BatchRecord, ClaimRecord, CustodyRecord, Setting
from sequencer.forgeries import Refused
from sequencer.l1.errors import L1Rejected

PROSE = {
    "flipped_proof_byte": "a flipped proof byte",
    "changed_published_word": "a changed published word",
    "replayed_batch": "a replayed batch",
    "other_chain_id": "a proof for another chain id",
}


def peak_memory_mib() -> float:
    """Largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def setting_lines(setting: Setting, seconds: float) -> Iterator[str]:
    """Chain, contracts and key."""
    deployment = setting.rollup.deployment
    key = setting.prover.key
    gas = sum(deployment.gas_used.values())
    yield (
        f"chain          {deployment.chain_id}, {setting.place}: "
        f"{len(deployment.gas_used)} contracts deployed for {shown(gas)} gas"
    )
    yield f"settlement     {deployment.settlement}"
    yield f"verifying key  {key.digest.hex()}"
    yield (
        f"               shape {key.shape_name}, {shown(key.constraints)} constraints on "
        f"{shown(key.columns)} columns, "
        + ("development setup (INSECURE)" if key.setup.insecure else "setup of a ceremony")
    )
    yield f"ready after    {shown(seconds)} s"


def applied_lines(applied: Applied) -> Iterator[str]:
    """What the rules did with the file."""
    requests = [request for batch in applied.batches for request in batch.published.requests]
    invalid = sum(request.outcome is Outcome.INVALID_KEY for request in requests)
    yield ""
    yield (
        f"{applied.command_count} commands: {applied.accepted_count} accepted, of them "
        f"{len(requests)} from L1 ({invalid} with an invalid key); "
        f"{len(applied.refusals)} refused by the rules"
    )
    reasons: dict[str, int] = {}
    for refusal in applied.refusals:
        reason = refusal.rejected.reason.value
        reasons[reason] = reasons.get(reason, 0) + 1
    width = max(map(len, reasons), default=0)
    for reason, count in reasons.items():
        yield f"  {reason:<{width}}  {count:>3}"


def batch_lines(record: BatchRecord) -> Iterator[str]:
    """One batch: its size by chip, seconds by stage, bytes and gas."""
    statement, proof = record.statement, record.proof
    yield ""
    yield (
        f"batch {statement.batch_number}: {statement.command_count} commands, "
        f"{statement.queue_count} from L1, {statement.withdrawal_count} withdrawals, "
        f"{statement.account_count} accounts, {len(statement.pubdata)} published words"
    )
    rows: list[tuple[object, ...]] = [
        (chip.name, chip.rows, chip.capacity, chip.cells) for chip in record.chips
    ]
    rows.append(("all chips", "", "", record.cells))
    yield from _indented(aligned(("chip", "rows", "of", "cells"), rows))
    seconds = [("witness", record.witness_seconds), *proof.stage_seconds.items()]
    seconds += [("prove, all stages", proof.prove_seconds), ("verify", proof.verify_seconds)]
    yield from _indented(aligned(("stage", "seconds"), seconds))
    yield (
        f"  proof {shown(len(proof.proof))} bytes, accepted for {shown(record.gas)} gas; "
        f"verification alone, with its calldata, {shown(record.verification_gas)}"
    )


def refused_lines(refusals: Iterable[Refused]) -> Iterator[str]:
    """How the contracts answered each forgery."""
    yield ""
    yield "refused by the contracts:"
    for each in refusals:
        for error in each.errors:
            yield f"  {PROSE[each.name]:<28}  {error_text(error)}"


def error_text(error: L1Rejected) -> str:
    """A contract's error with its arguments, long numbers by their ends."""
    values = ", ".join(f"{name}={short(value)}" for name, value in error.arguments.items())
    return f"{error.error_name}({values})"


def closing_lines(claimed: ClaimRecord | None, custody: CustodyRecord) -> Iterator[str]:
    """The claim, and custody beside the accounts."""
    yield ""
    if claimed is None:
        yield "nobody withdrew, so there is nothing to claim"
    else:
        yield f"{claimed.owner} claimed {tokens(claimed.amount)} tokens:"
        yield (
            f"  token balance {tokens(claimed.balance_before)} before, "
            f"{tokens(claimed.balance_after)} after"
        )
    unclaimed = custody.state.credited - custody.state.claimed
    yield (
        f"custody holds {tokens(custody.state.custody_total)} tokens "
        f"{'=' if custody.matches else 'but expected'} "
        f"{tokens(custody.account_cash)} in accounts + {tokens(unclaimed)} to be claimed"
    )
    yield f"peak memory {peak_memory_mib():,.0f} MiB"


def json_line(
    records: Sequence[BatchRecord],
    accepted: bool,
    refusals: Iterable[Refused],
    claimed: ClaimRecord | None,
    custody: CustodyRecord,
) -> str:
    """The demo in one JSON object; `claimed` counts token units."""
    refusals = tuple(refusals)
    return json.dumps(
        {
            "batches": [_batch_object(record) for record in records],
            "accepted": accepted,
            "refused": [each.name for each in refusals],
            "errors": {each.name: [e.error_name for e in each.errors] for each in refusals},
            "claimed": 0 if claimed is None else claimed.amount,
            "custody_matches": custody.matches,
            "peak_memory_mib": round(peak_memory_mib()),
        }
    )


def _batch_object(record: BatchRecord) -> dict[str, object]:
    proof = record.proof
    return {
        "commands": record.statement.command_count,
        "cells": record.cells,
        "prove_seconds": round(proof.prove_seconds, 3),
        "proof_bytes": len(proof.proof),
        "gas": record.gas,
        "verification_gas": record.verification_gas,
        "rows": {chip.name: chip.rows for chip in record.chips},
        "witness_seconds": round(record.witness_seconds, 3),
        "stage_seconds": {name: round(value, 3) for name, value in proof.stage_seconds.items()},
        "verify_seconds": round(proof.verify_seconds, 3),
    }


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)
