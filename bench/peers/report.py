"""Measurements of several provers, the best of each, and the ratio between two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.peers.tools import Machine

OWN = "plasmaperps"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One proof of so many trades, or the best of several of the same.

    Units: seconds of wall clock; core_seconds of user and system time on all cores together.
    `rows` are gates or constraints before padding, and `log_size` after; 0 where there are none.
    `start_core_seconds` were spent before the proof by a process that can make many, and are in
    no other figure; 0 for a program that starts for every proof, where they are in all.
    """

    prover: str
    variant: str
    trades: int
    threads: int
    seconds: float
    core_seconds: float
    rows: int
    log_size: int
    proof_bytes: int
    peak_mib: float
    verified: bool
    start_core_seconds: float = 0.0

    @property
    def core_ms_per_trade(self) -> float:
        return 1000 * self.core_seconds / self.trades

    @property
    def core_ms_with_start(self) -> float:
        """The same for a process that makes one proof and ends."""
        return 1000 * (self.core_seconds + self.start_core_seconds) / self.trades

    @property
    def trades_per_second(self) -> float:
        return self.trades / self.seconds

    @property
    def setting(self) -> tuple[str, str, int, int]:
        """What distinguishes a case from others; repetitions share it."""
        return (self.prover, self.variant, self.trades, self.threads)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One number of threads: the case of each side with the least core time per trade.

    `throughput` is how many times more trades per second the fastest case of ours makes than the
    fastest of the peer, which may be other cases.
    """

    threads: int
    peer: Measurement
    own: Measurement
    throughput: float

    @property
    def core_time(self) -> float:
        """How many times more core time the peer takes per trade."""
        return self.peer.core_ms_per_trade / self.own.core_ms_per_trade

    @property
    def core_time_with_start(self) -> float:
        """The same when this project's process counts from its start, for a single proof."""
        return self.peer.core_ms_with_start / self.own.core_ms_with_start


def best_of_each(measured: Iterable[Measurement]) -> list[Measurement]:
    """One measurement for each setting, with the least wall clock and the least core time of all.

    The two may come from different repetitions: each is what the prover can do at its best.
    """
    best: dict[tuple[str, str, int, int], Measurement] = {}
    for each in measured:
        known = best.get(each.setting, each)
        best[each.setting] = replace(
            each,
            seconds=min(each.seconds, known.seconds),
            core_seconds=min(each.core_seconds, known.core_seconds),
            start_core_seconds=min(each.start_core_seconds, known.start_core_seconds),
            peak_mib=max(each.peak_mib, known.peak_mib),
            verified=each.verified and known.verified,
        )
    return list(best.values())


def ratios(peers: Sequence[Measurement], own: Sequence[Measurement]) -> list[Ratio]:
    """Compare the best of both sides at each number of threads that both ran with."""
    found = []
    for threads in sorted({each.threads for each in peers} & {each.threads for each in own}):
        theirs, ours = ([each for each in side if each.threads == threads] for side in (peers, own))
        fastest_peer, fastest_own = (
            max(each.trades_per_second for each in side) for side in (theirs, ours)
        )
        cheapest_peer, cheapest_own = (
            min(side, key=lambda each: each.core_ms_per_trade) for side in (theirs, ours)
        )
        found.append(Ratio(threads, cheapest_peer, cheapest_own, fastest_own / fastest_peer))
    return found


_COLUMNS = (
    "prover", "variant", "trades", "rows", "padded", "threads", "seconds", "core s",
    "core ms/trade", "trades/s", "proof bytes", "peak MiB",
)  # fmt: skip


def table(measured: Sequence[Measurement]) -> list[str]:
    """The lines of a table, its columns aligned."""
    cells = [_COLUMNS, *(_cells(each) for each in measured)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_COLUMNS))]
    return [
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def _cells(each: Measurement) -> tuple[str, ...]:
    return (
        each.prover,
        each.variant,
        str(each.trades),
        f"{each.rows:,}" if each.rows else "-",
        f"2^{each.log_size}" if each.log_size else "-",
        str(each.threads),
        f"{each.seconds:.2f}",
        f"{each.core_seconds:.2f}",
        f"{each.core_ms_per_trade:.1f}",
        f"{each.trades_per_second:.1f}",
        str(each.proof_bytes) if each.proof_bytes else "-",
        f"{each.peak_mib:.0f}" if each.peak_mib else "-",
    )


def verdicts(found: Sequence[Ratio]) -> list[str]:
    """One line for each number of threads: both best cases and the ratios."""
    return [
        f"{_threads(each.threads)}: {each.peer.prover} at its best takes"
        f" {each.peer.core_ms_per_trade:.1f} ms of core time per trade ({each.peer.variant},"
        f" {each.peer.trades} trades), {OWN} {each.own.core_ms_per_trade:.1f} ms"
        f" ({each.own.trades} trades): {each.core_time:.1f} times less,"
        f" {each.core_time_with_start:.1f} times with the start of a process for that one proof;"
        f" {each.throughput:.1f} times the trades per second"
        for each in found
    ]


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def as_json(
    machine: Machine, version: str, measured: Sequence[Measurement], found: Sequence[Ratio]
) -> str:
    """One line: the machine, every best case, and the ratios by number of threads."""
    content: dict[str, Any] = {
        "machine": asdict(machine),
        "peer_version": version,
        "measurements": [
            {
                **asdict(each),
                "core_ms_per_trade": round(each.core_ms_per_trade, 3),
                "trades_per_second": round(each.trades_per_second, 3),
            }
            for each in measured
        ],
        "ratios": [
            {
                "threads": each.threads,
                "peer_variant": each.peer.variant,
                "peer_trades": each.peer.trades,
                "own_trades": each.own.trades,
                "core_time": round(each.core_time, 3),
                "core_time_with_start": round(each.core_time_with_start, 3),
                "throughput": round(each.throughput, 3),
            }
            for each in found
        ],
    }
    return json.dumps(content)
