"""Workers as processes of this machine, each behind a pipe."""

from __future__ import annotations

import atexit
import multiprocessing
import threading
from collections import deque
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from time import monotonic

from prover.cluster.fleet import Answered, Beat, Gone, Mailbox, Ready, Signal
from prover.cluster.messages import Message, Reply
from prover.cluster.worker_process import Share, run_worker

# How long a killed process may take to be gone.
_JOIN_S = 10.0


class _Line:
    """One worker process with a thread that writes to it and one that reads from it.

    Neither the coordinator nor another worker waits when a pipe is full or a worker stands still.
    """

    def __init__(self, worker: str, mailbox: Mailbox) -> None:
        """Nothing runs before `start`."""
        self._worker = worker
        self._mailbox = mailbox
        self._outbox: SimpleQueue[Message | Share | None] = SimpleQueue()
        context = multiprocessing.get_context("spawn")
        self._pipe, self._far_end = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=run_worker, args=(self._far_end,), name=worker, daemon=True
        )

    def start(self) -> None:
        """Raises: OSError."""
        self._process.start()
        self._far_end.close()
        for target in (self._write, self._read):
            threading.Thread(
                target=target, name=f"{self._worker} {target.__name__}", daemon=True
            ).start()

    def send(self, message: Message | Share) -> None:
        self._outbox.put(message)

    def stop(self) -> None:
        """Kill the process, if it was started; both threads then end by themselves."""
        self._outbox.put(None)
        if self._process.pid is not None:
            self._process.kill()
            self._process.join(_JOIN_S)

    def _write(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                self._pipe.send(message)
            except OSError:
                # The reader sees the end of the pipe and says so.
                return

    def _read(self) -> None:
        try:
            while True:
                self._mailbox.put(self._signal_of(self._pipe.recv()))
        except (EOFError, OSError):
            self._process.join(_JOIN_S)
            reason = f"ended with exit code {self._process.exitcode}"
            self._mailbox.put(Gone(self._worker, reason))
        except Exception as error:  # a message that is none
            self._mailbox.put(Gone(self._worker, f"unreadable: {type(error).__name__}: {error}"))

    def _signal_of(self, message: str | Reply | None) -> Signal:
        if isinstance(message, Reply):
            return Answered(self._worker, message)
        return Beat(self._worker) if message is None else Ready(self._worker, message)


class ProcessFleet:
    """Worker processes that share `threads` kernel threads, also those that a lost one had."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lines: dict[str, _Line] = {}
        self._mailbox = Mailbox()
        # Workers ignore the signal with which `multiprocessing` would end them at the latest.
        atexit.register(self.close)

    def start(self, worker: str) -> None:
        """Raises: OSError."""
        self._lines[worker] = _Line(worker, self._mailbox)
        self._lines[worker].start()
        self._share_threads()

    def send(self, worker: str, message: Message) -> None:
        if worker in self._lines:
            self._lines[worker].send(message)

    def poll(self, timeout_s: float) -> deque[Signal]:
        return self._mailbox.poll(timeout_s)

    def stop(self, worker: str) -> None:
        line = self._lines.get(worker)
        if line is not None:
            line.stop()
            self._lines.pop(worker, None)
            self._share_threads()

    def now(self) -> float:
        return monotonic()

    def close(self) -> None:
        for worker in list(self._lines):
            self.stop(worker)
        atexit.unregister(self.close)

    def _share_threads(self) -> None:
        for line in self._lines.values():
            line.send(Share(max(1, self._threads // len(self._lines))))
