"""Watchers that fail, and what they are kept from spoiling."""

from __future__ import annotations

import io
import sys

import pytest

from prover.node import notices
from prover.node.display import Terminal
from prover.node.watchers import Watchers
from tests.support.job_stores import Clock
from tests.support.node_processes import wait_until

BACK = notices.StoreBack()


class Full:
    """A watcher, and a stream, that refuses everything."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, notice: notices.Notice) -> None:
        self.calls += 1
        raise OSError(28, "no space left")

    def write(self, text: str) -> None:
        raise BrokenPipeError(32, "broken pipe")


def test_a_watcher_that_raises_is_dropped_and_the_others_hear_everything(capsys) -> None:
    told: list[notices.Notice] = []
    full = Full()
    watch = Watchers([full, told.append])
    watch(BACK)
    watch(BACK)
    assert (full.calls, told) == (1, [BACK, BACK])
    assert capsys.readouterr().err == (
        "Full gets no more events: OSError: [Errno 28] no space left\n"
    )


def test_there_need_be_nobody_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    Watchers([Full()])(BACK)


def test_a_terminal_that_is_gone_is_dropped_and_closed(
    capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prover.node.display.REFRESH_S", 0.001)
    stream = io.StringIO()
    with Terminal(stream, Clock().ms) as terminal:
        watch = Watchers([terminal])
        watch(BACK)
        monkeypatch.setattr(stream, "write", Full().write)
        wait_until(lambda: not terminal._thread.is_alive(), "the last line is given up")
        watch(BACK)
    assert capsys.readouterr().err == (
        "Terminal gets no more events: BrokenPipeError: [Errno 32] broken pipe\n"
    )
