"""A node's events as people see them."""

from __future__ import annotations

import io

import pytest

from prover.node import notices
from prover.node.display import LineLog, Terminal, age, line_of
from prover.node.jobs import JobState
from prover.node.rows import Counts
from prover.prove import Stage
from tests.support.job_stores import Clock

START = 1_700_000_000_123


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (notices.Taken(3, 12, "S", 1), "event=taken job=3 batch=12 shape=S attempt=1"),
        (notices.StageEnded(3, Stage.COMMIT, 1.23456),
         "event=stage_ended job=3 stage=commit seconds=1.235"),
        (notices.Failed(3, 12, "rule", True, 'bus "a": 1\n2'),
         r'event=failed job=3 batch=12 kind=rule is_final=yes reason="bus \"a\": 1\n2"'),
        (notices.StoreBack(), "event=store_back"),
        (notices.Started("host-1-ab", "/srv/jobs"), "event=started node=host-1-ab store=/srv/jobs"),
    ],
)  # fmt: skip
def test_an_event_is_one_line_of_pairs(notice: notices.Notice, line: str) -> None:
    assert line_of(notice, START) == f"time=2023-11-14T22:13:20.123Z {line}"


def test_a_log_leaves_out_what_comes_all_the_time() -> None:
    lines: list[str] = []
    log = LineLog(lines.append, Clock(START).ms)
    log(notices.QueueSeen(Counts({}, None, 0), 0.0))
    log(notices.StageBegun(1, Stage.LOAD))
    log(notices.Released(1, 2))
    assert lines == ["time=2023-11-14T22:13:20.123Z event=released job=1 batch=2"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9, "0 s"), (59.9, "59 s"), (61, "1 min 01 s"), (3_600, "1 h 00 min"),
     (86_399, "23 h 59 min")],
)  # fmt: skip
def test_a_time_span_is_two_units(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_the_last_line_says_what_goes_on() -> None:
    clock, stream = Clock(START), io.StringIO()
    by_state = dict.fromkeys(JobState, 0) | {JobState.QUEUED: 4}
    with Terminal(stream, clock.ms) as terminal:
        assert terminal.last_line() == "idle | 0 proven, 0 failed"
        terminal(notices.QueueSeen(Counts(by_state, 1, 0), 75.0))
        terminal(notices.Taken(3, 12, "S", 1))
        clock.now_ms += 1_000
        terminal(notices.StageBegun(3, Stage.COMMIT))
        clock.now_ms += 2_500
        queue = "4 queued, oldest 1 min 15 s"
        assert terminal.last_line() == (
            f"job 3 (batch 12): commit 2.5 s, 3.5 s in all | 0 proven, 0 failed | {queue}"
        )
        terminal(notices.StageBegun(3, Stage.DONE))
        assert "verify 0.0 s" in terminal.last_line()
        terminal(notices.DrainChanged(True))
        terminal(notices.StoreAway("gone"))
        terminal(notices.Published(3, 12, 3.0, 0.5, 9, is_from_spool=False))
        terminal(notices.StoreBack())
        assert terminal.last_line() == f"draining | idle | 1 proven, 0 failed | {queue}"
        terminal(notices.Taken(3, 12, "S", 1))
        terminal(notices.Postponed(3, 12, "locked"))
        assert terminal.last_line() == f"draining | idle | 1 proven, 0 failed | {queue}"
        terminal(notices.Failed(4, 13, "rule", True, "broken"))
    written = stream.getvalue()
    assert written.count("\n") == 8
    assert "stage_begun" not in written
    assert written.endswith("\r\x1b[K")
