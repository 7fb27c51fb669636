"""Limits of a cluster, with defaults that suit slow machines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Times in seconds.

    log_shards: virtual shards of a chip, and so the most workers that it keeps busy; log2.
    rows_shared_min: chips with fewer active rows stay on the coordinator.
    rows_handed_max: rows of a chip that the coordinator goes on with in the second sumcheck, where
    a row is one element: 128 kB. More rounds on workers cost a message each.
    coefficients_shared_min: commitments of shorter polynomials as well.
    start_max_s: from starting a worker to its first word; it may have kernels to compile.
    patience_s: for a worker that starts, while others are ready to begin.
    silence_max_s: without a heartbeat; a worker beats every second.
    reply_max_s: for one step, heartbeats or not.
    replacements_max: workers that may be started for lost ones while one proof is made.
    """

    log_shards: int = 6
    rows_shared_min: int = 1024
    rows_handed_max: int = 4096
    coefficients_shared_min: int = 65536
    start_max_s: float = 300.0
    patience_s: float = 30.0
    silence_max_s: float = 30.0
    reply_max_s: float = 300.0
    replacements_max: int = 4
