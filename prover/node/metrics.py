"""Prometheus metrics of a node, from a port of its own. Only this file knows the library."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)

from prover.cluster.events import EventKind
from prover.node.core import FailureKind
from prover.node.errors import PortTaken
from prover.node.jobs import JobState
from prover.node.notices import (
    Cluster,
    DrainChanged,
    Failed,
    LeaseLost,
    Notice,
    Published,
    QueueSeen,
    StageEnded,
    StoreAway,
    StoreBack,
)
from prover.processes import peak_bytes, resident_bytes
from prover.prove import Stage

PREFIX = "plasmaperps_prover_"
# From the quickest stage of a small batch to the slowest of a large one on few cores.
SECONDS_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000)


class NodeMetrics:
    """A watcher that counts. Every series is there from the start, at zero."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = self._gauge("jobs", "Jobs of the store by state.", "state")
        self._waiting = self._gauge("queue_length", "Jobs that wait or are being proven.")
        self._oldest = self._gauge("queue_oldest_seconds", "Age of the oldest unproven job.")
        self._seen = self._gauge("queue_seen_timestamp_seconds", "When the queue was last seen.")
        self._reachable = self._gauge("store_reachable", "1 while the store answers, else 0.")
        self._draining = self._gauge("draining", "1 while the node takes no more jobs, else 0.")
        resident = self._gauge("resident_memory_bytes", "Memory of node and local workers.")
        peak = self._gauge("peak_memory_bytes", "Their highest memory, added up.")
        resident.set_function(resident_bytes)
        peak.set_function(peak_bytes)
        self._stages = self._histogram(
            "stage_seconds", "Seconds of each stage of a proof.", "stage"
        )
        self._proofs_seconds = self._histogram("proof_seconds", "Seconds of a whole proof.")
        self._verify_seconds = self._histogram("verify_seconds", "Seconds of checking a proof.")
        self._published = self._counter("proofs_published", "Proofs published.")
        self._cells = self._counter("cells_proven", "Cells of published proofs' tables.")
        self._failures = self._counter("failures", "Attempts without a proof by reason.", "reason")
        self._lost = self._counter("leases_lost", "Jobs that another node took over.")
        self._cluster = self._counter("cluster_events", "What happened to workers.", "kind")
        self._reachable.set(1)
        for state in JobState:
            self._jobs.labels(state)
        for kind in FailureKind:
            self._failures.labels(kind)
        for event in EventKind:
            if event is not EventKind.ASKED:
                self._cluster.labels(event)
        for stage in Stage:
            if stage is not Stage.DONE:
                self._stages.labels(stage)

    def __call__(self, notice: Notice) -> None:
        match notice:
            case QueueSeen(counts, oldest_s):
                for state, count in counts.by_state.items():
                    self._jobs.labels(state).set(count)
                self._waiting.set(counts.waiting)
                self._oldest.set(oldest_s)
                self._seen.set(time.time())
            case StageEnded(_, stage, seconds):
                self._stages.labels(stage).observe(seconds)
            case Published():
                self._published.inc()
                self._cells.inc(notice.cells)
                if not notice.is_from_spool:
                    self._proofs_seconds.observe(notice.seconds)
                    self._verify_seconds.observe(notice.verify_seconds)
            case Failed():
                self._failures.labels(notice.kind).inc()
            case LeaseLost():
                self._lost.inc()
            case Cluster(kind):
                self._cluster.labels(kind).inc()
            case DrainChanged(is_draining):
                self._draining.set(is_draining)
            case StoreAway():
                self._reachable.set(0)
            case StoreBack():
                self._reachable.set(1)

    def text(self) -> str:
        """What a scrape gets."""
        return generate_latest(self.registry).decode("utf-8")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(PREFIX + name, meaning, labels, registry=self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        return Histogram(
            PREFIX + name, meaning, labels, registry=self.registry, buckets=SECONDS_BUCKETS
        )


@contextmanager
def serving(metrics: NodeMetrics, host: str, port: int) -> Iterator[int]:
    """Answer scrapes of http://HOST:PORT/metrics meanwhile; the port, chosen if it was 0.

    Raises: PortTaken when it cannot be had.
    """
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        expected = "a free port (--metrics-port 0 turns metrics off)"
        raise PortTaken(f"--metrics-port {port} on {host}", expected, error.strerror) from error
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
