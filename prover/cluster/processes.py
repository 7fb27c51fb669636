"""Workers as processes of this machine, each behind a pipe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Empty, SimpleQueue
from time import monotonic

from prover.cluster.fleet import Answered, Beat, Gone, Ready, Signal
from prover.cluster.messages import Message, Reply

BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many kernel threads a worker uses from now on."""

    threads: int


class _Line:
    """One worker process with a thread that writes to it and one that reads from it.

    Neither the coordinator nor another worker waits when a pipe is full or a worker stands still.
    """

    def __init__(self, worker: str, signals: SimpleQueue[Signal]) -> None:
        self._worker = worker
        self._signals = signals
        self._outbox: SimpleQueue[Message | Share | None] = SimpleQueue()
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=run_worker, args=(far_end,), name=worker, daemon=True
        )
        self._process.start()
        far_end.close()
        for target in (self._write, self._read):
            threading.Thread(target=target, name=f"{worker} {target.__name__}", daemon=True).start()

    def send(self, message: Message | Share) -> None:
        self._outbox.put(message)

    def stop(self) -> None:
        """Kill the process; both threads then end by themselves."""
        self._outbox.put(None)
        self._process.kill()
        self._process.join()

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
                self._signals.put(self._signal_of(self._pipe.recv()))
        except (EOFError, OSError):
            self._process.join()
            reason = f"ended with exit code {self._process.exitcode}"
            self._signals.put(Gone(self._worker, reason))
        except Exception as error:  # a message that is none
            self._signals.put(Gone(self._worker, f"unreadable: {type(error).__name__}: {error}"))

    def _signal_of(self, message: str | Reply | None) -> Signal:
        if isinstance(message, Reply):
            return Answered(self._worker, message)
        return Beat(self._worker) if message is None else Ready(self._worker, message)


class ProcessFleet:
    """Worker processes that share `threads` kernel threads, also those that a lost one had."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lines: dict[str, _Line] = {}
        self._signals: SimpleQueue[Signal] = SimpleQueue()

    def start(self, worker: str) -> None:
        self._lines[worker] = _Line(worker, self._signals)
        self._share_threads()

    def send(self, worker: str, message: Message) -> None:
        if worker in self._lines:
            self._lines[worker].send(message)

    def poll(self, timeout_s: float) -> list[Signal]:
        found: list[Signal] = []
        with suppress(Empty):
            found.append(self._signals.get(timeout=timeout_s))
            while True:
                found.append(self._signals.get_nowait())
        return [signal for signal in found if signal.worker in self._lines]

    def stop(self, worker: str) -> None:
        line = self._lines.pop(worker, None)
        if line is not None:
            line.stop()
            self._share_threads()

    def now(self) -> float:
        return monotonic()

    def close(self) -> None:
        for worker in list(self._lines):
            self.stop(worker)

    def _share_threads(self) -> None:
        for line in self._lines.values():
            line.send(Share(max(1, self._threads // len(self._lines))))


def run_worker(pipe: Connection) -> None:
    """The main function of a worker process: answer tasks until the coordinator is gone."""
    from prover.cluster.worker import Worker, place, warm
    from prover.kernels.parallel import set_threads

    # An interrupt of the terminal goes to the coordinator, which then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sending = threading.Lock()

    def send(message: str | Reply | None) -> None:
        with sending:
            pipe.send(message)

    def beat() -> None:
        while not ended.wait(BEAT_S):
            try:
                send(None)
            except OSError:
                # Whoever waited for this work is gone, and a kernel cannot be interrupted.
                os._exit(1)

    ended = threading.Event()
    threading.Thread(target=beat, name="heartbeat", daemon=True).start()
    warm()
    worker = Worker()
    send(place())
    with suppress(EOFError, OSError):
        while True:
            message = pipe.recv()
            if isinstance(message, Share):
                set_threads(message.threads)
            elif (reply := worker.handle(message)) is not None:
                send(reply)
    ended.set()
