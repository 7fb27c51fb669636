"""Nodes in processes of their own, and waiting for what they say or do."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

DEADLINE_S = 60.0
LOOK_S = 0.01


def wait_until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Look again and again until the condition holds; fail after the deadline."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        pause.wait(LOOK_S)


class NodeProcess:
    """A running node and the lines that it has written so far."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def events(self, name: str) -> list[dict[str, str]]:
        """The events of one kind so far, as their plain pairs."""
        found = (dict(re.findall(r"(\w+)=(\S+)", line)) for line in list(self.lines))
        return [each for each in found if each.get("event") == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, str]:
        """Wait for an event; the last of its kind."""
        wait_until(
            lambda: len(self.events(name)) >= count or self.process.poll() is not None,
            f"{count} times {name} in {self.lines}",
        )
        found = self.events(name)
        assert len(found) >= count, f"the node ended without {name}: {self.lines}"
        return found[-1]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        """The exit code, once all lines are read."""
        code = self.process.wait(deadline_s)
        self._reader.join()
        return code

    def end(self) -> None:
        """Leave no process behind, whatever has happened."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running_node(
    store: Path,
    spool: Path,
    mode: str = "until empty",
    lease_s: float = 30,
    poll_s: float = 0.05,
    gate: Path | None = None,
    dies_after: str = "",
) -> Iterator[NodeProcess]:
    """A node with made-up proofs on a store; see `tests.support.node_child`."""
    spool.mkdir(exist_ok=True)
    arguments = ["-m", "tests.support.node_child", str(store), str(spool), mode]
    arguments += [str(lease_s), str(poll_s)]
    if gate is not None:
        arguments += [str(gate), *([dies_after] if dies_after else [])]
    node = NodeProcess(arguments)
    try:
        yield node
    finally:
        node.end()
