"""The main function of a worker process.

This module imports nothing that takes time, so that signals are ignored from the start.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prover.cluster.messages import Reply

BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many kernel threads a worker uses from now on."""

    threads: int


def run_worker(pipe: Connection) -> None:
    """The main function of a worker process: answer tasks until the coordinator is gone."""
    # What a terminal or a supervisor sends to all processes is for the coordinator, which ends its
    # workers when it has no more use for them.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    from prover.cluster.worker import Worker, place
    from prover.kernels import warm
    from prover.kernels.parallel import set_threads

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
