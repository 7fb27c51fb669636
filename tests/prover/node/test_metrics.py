"""What a scrape of a node gets, over the network."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from prover.cluster.events import EventKind
from prover.node import notices
from prover.node.core import FailureKind
from prover.node.errors import PortTaken
from prover.node.jobs import JobState
from prover.node.metrics import PREFIX, NodeMetrics, serving
from prover.node.rows import Counts
from prover.prove import Stage

HOST = "127.0.0.1"


def scraped(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """Every series by name and label values."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            labels = tuple(
                sample.labels[name]
                for name in ("stage", "state", "reason", "kind", "le")
                if name in sample.labels
            )
            found.setdefault(sample.name.removeprefix(PREFIX), {})[labels] = sample.value
    return found


def test_a_scrape_parses_and_every_series_is_there_from_the_start() -> None:
    with serving(NodeMetrics(), HOST, 0) as port:
        found = scraped(port)
    for name in (
        "queue_length", "queue_oldest_seconds", "draining", "cells_proven_total",
        "proofs_published_total", "leases_lost_total", "proof_seconds_count",
        "verify_seconds_count",
    ):  # fmt: skip
        assert found[name] == {(): 0}, name
    assert found["store_reachable"] == {(): 1}
    assert found["jobs"] == {(state,): 0 for state in JobState}
    assert found["failures_total"] == {(kind,): 0 for kind in FailureKind}
    events = {(kind,): 0 for kind in EventKind if kind is not EventKind.ASKED}
    assert found["cluster_events_total"] == events
    stages = {(stage,): 0 for stage in Stage if stage is not Stage.DONE}
    assert found["stage_seconds_count"] == stages
    assert 0 < found["resident_memory_bytes"][()] <= found["peak_memory_bytes"][()]
    assert not any(name.startswith(("python_", "process_")) for name in found)


def test_events_are_counted() -> None:
    metrics = NodeMetrics()
    by_state = dict.fromkeys(JobState, 0) | {JobState.QUEUED: 3, JobState.LEASED: 1}
    for notice in (
        notices.QueueSeen(Counts(by_state, 5, 2), 12.5),
        notices.StageEnded(1, Stage.COMMIT, 0.2),
        notices.StageEnded(1, Stage.COMMIT, 30.0),
        notices.Published(1, 1, 9.0, 0.5, 700, is_from_spool=False),
        notices.Published(2, 2, 0.0, 0.0, 0, is_from_spool=True),
        notices.Failed(3, 3, FailureKind.RULE, True, "broken"),
        notices.LeaseLost(4, 4, "late"),
        notices.Cluster(EventKind.LOST, "worker-2", "ended"),
        notices.StoreAway("gone"),
        notices.DrainChanged(True),
    ):
        metrics(notice)
    with serving(metrics, HOST, 0) as port:
        found = scraped(port)
    assert found["jobs"][("queued",)] == 3
    assert (found["queue_length"], found["queue_oldest_seconds"]) == ({(): 4}, {(): 12.5})
    assert found["stage_seconds_sum"][("commit",)] == pytest.approx(30.2)
    buckets = found["stage_seconds_bucket"]
    assert (buckets["commit", "0.1"], buckets["commit", "0.25"]) == (0, 1)
    assert (buckets["commit", "25.0"], buckets["commit", "50.0"]) == (1, 2)
    assert found["proofs_published_total"] == {(): 2}
    assert found["cluster_events_total"][("lost",)] == 1
    assert (found["cells_proven_total"], found["proof_seconds_count"]) == ({(): 700}, {(): 1})
    assert found["failures_total"][("rule",)] == 1
    assert (found["leases_lost_total"], found["draining"]) == ({(): 1}, {(): 1})
    assert found["store_reachable"] == {(): 0}
    metrics(notices.StoreBack())
    metrics(notices.DrainChanged(False))
    text = metrics.text()
    assert f"{PREFIX}store_reachable 1.0\n" in text
    assert f"{PREFIX}draining 0.0\n" in text


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught, serving(NodeMetrics(), HOST, port):
            pass
    assert str(caught.value) == (
        f"--metrics-port {port} on {HOST}: expected a free port (--metrics-port 0 turns metrics "
        "off), got Address already in use"
    )
