"""The best of repetitions, ratios, and how they are printed."""

import json
from dataclasses import replace

import pytest

from bench.peers import report
from bench.peers.report import Measurement
from bench.peers.tools import Machine

PEER = Measurement(
    prover="peer", variant="default", trades=10, threads=1, seconds=4.0, core_seconds=3.0,
    rows=1000, log_size=10, proof_bytes=8128, peak_mib=100.0, verified=True,
)  # fmt: skip
OWN = replace(
    PEER, prover="plasmaperps", variant="scalar", trades=100, seconds=2.0, core_seconds=1.5,
    rows=0, log_size=0, proof_bytes=0, start_core_seconds=0.5,
)  # fmt: skip
MACHINE = Machine("a processor", 2, False, 0.1)


def test_figures_per_trade():
    assert PEER.core_ms_per_trade == 300.0
    assert PEER.trades_per_second == 2.5


def test_the_best_of_each_setting_takes_the_least_of_both_times():
    slow_wall = replace(PEER, seconds=9.0, core_seconds=2.0, start_core_seconds=3.0, peak_mib=0.0)
    other = replace(PEER, trades=20)
    best = report.best_of_each([PEER, other, slow_wall])
    assert best == [replace(PEER, seconds=4.0, core_seconds=2.0), other]


def test_one_refused_repetition_spoils_the_setting():
    refused = replace(PEER, verified=False)
    for order in ([PEER, refused], [refused, PEER]):
        (best,) = report.best_of_each(order)
        assert not best.verified


def test_a_ratio_compares_the_cheapest_cases_and_the_fastest_ones():
    cheaper_but_slower = replace(PEER, variant="new", seconds=5.0, core_seconds=2.0)
    (found,) = report.ratios([PEER, cheaper_but_slower], [OWN])
    assert found.peer == cheaper_but_slower
    assert found.core_time == pytest.approx(200.0 / 15.0)
    assert found.throughput == pytest.approx(50.0 / 2.5)


def test_ratios_need_equal_numbers_of_threads():
    two = replace(PEER, threads=2)
    assert report.ratios([PEER, two], [replace(OWN, threads=4)]) == []
    assert [each.threads for each in report.ratios([two, PEER], [OWN])] == [1]


def test_the_table_has_a_line_for_each_case_and_dashes_for_what_is_not_there():
    lines = report.table([PEER, OWN])
    assert len(lines) == 3
    assert lines[1].split() == [
        "peer", "default", "10", "1,000", "2^10", "1", "4.00", "3.00", "300.0", "2.5", "8128",
        "100",
    ]  # fmt: skip
    assert lines[2].split()[2:5] == ["100", "-", "-"]


def test_verdicts_name_both_sides():
    (line,) = report.verdicts(report.ratios([PEER], [OWN]))
    assert line == (
        "1 thread: peer at its best takes 300.0 ms of core time per trade (default, 10 trades),"
        " plasmaperps 15.0 ms (100 trades): 20.0 times less, 15.0 times with the"
        " start of a process for that one proof; 20.0 times the trades per second"
    )


def test_the_last_line_is_one_object():
    line = report.as_json(MACHINE, "peer 1.0", [PEER, OWN], report.ratios([PEER], [OWN]))
    assert "\n" not in line
    found = json.loads(line)
    assert found["machine"]["cores"] == 2
    assert found["peer_version"] == "peer 1.0"
    assert [each["core_ms_per_trade"] for each in found["measurements"]] == [300.0, 15.0]
    assert found["ratios"] == [
        {
            "threads": 1, "peer_variant": "default", "peer_trades": 10, "own_trades": 100,
            "core_time": 20.0, "core_time_with_start": 15.0, "throughput": 20.0,
        }
    ]  # fmt: skip
