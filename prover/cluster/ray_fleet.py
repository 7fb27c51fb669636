"""Workers as long-lived Ray actors, on this machine or on a cluster that is joined.

Ray carries messages and says who died; what to do about it is decided by the coordinator, so Ray
restarts nothing. Ray is imported when a fleet is made: it takes seconds and is an extra.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from prover.cluster.errors import ClusterError
from prover.cluster.fleet import Answered, Beat, Gone, Ready, Signal
from prover.cluster.messages import Message, Reply
from prover.kernels.parallel import threads

BEAT_S = 1.0
LOOPBACK = "127.0.0.1"
# Messages above 100 kB pass through it: parts of polynomials, a few at a time.
_OBJECT_STORE_BYTES = 512 << 20
# How long threads may take to notice that their actor was killed.
_JOIN_S = 10.0
# How long a cluster may take to accept a connection.
_LISTENER_S = 10.0
_PASSED_ON = ("PLASMAPERPS_CACHE", "PLASMAPERPS_KERNELS", "NUMBA_CACHE_DIR")


class Seat:
    """The actor: a worker, and a beat that another of the actor's threads answers."""

    def __init__(self, threads: int) -> None:
        from prover.cluster.worker import Worker, warm
        from prover.kernels.parallel import set_threads

        # Ray limits its workers to one thread; that is not what the cores were reserved for.
        set_threads(threads)
        warm()
        self._worker = Worker()

    def place(self) -> str:
        from prover.cluster.worker import place

        return place()

    def handle(self, message: Message) -> Reply | None:
        return self._worker.handle(message)

    def beat(self) -> None:
        return None


class RayFleet:
    """Starts actors that share the cluster's cores evenly.

    `address` is that of a cluster to join, None starts one on this machine that ends with the
    fleet. A process that is connected to Ray already stays with that connection.
    Raises: ModuleNotFoundError; ClusterError when the cluster cannot be reached.
    """

    def __init__(self, workers: int, address: str | None) -> None:
        self._ray = import_ray(is_local=address is None)
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            self._connect(workers, address)
        self._threads = self._threads_per_worker(workers)
        self._actors: dict[str, Any] = {}
        self._outboxes: dict[str, SimpleQueue[Message | None]] = {}
        self._talkers: list[threading.Thread] = []
        self._signals: SimpleQueue[Signal] = SimpleQueue()

    def start(self, worker: str) -> None:
        methods = {"beat": self._ray.method(concurrency_group="beat")(Seat.beat)}
        actor_class = self._ray.remote(
            num_cpus=self._threads,
            max_restarts=0,
            max_task_retries=0,
            concurrency_groups={"beat": 1},
            scheduling_strategy="SPREAD",
        )(type("Seat", (Seat,), methods))
        self._actors[worker] = actor_class.remote(self._threads)
        self._outboxes[worker] = SimpleQueue()
        for target in (self._talk, self._listen):
            thread = threading.Thread(
                target=target, args=(worker, self._actors[worker]), daemon=True
            )
            self._talkers.append(thread)
            thread.start()

    def send(self, worker: str, message: Message) -> None:
        if worker in self._outboxes:
            self._outboxes[worker].put(message)

    def poll(self, timeout_s: float) -> list[Signal]:
        found: list[Signal] = []
        with suppress(Empty):
            found.append(self._signals.get(timeout=timeout_s))
            while True:
                found.append(self._signals.get_nowait())
        return [signal for signal in found if signal.worker in self._actors]

    def stop(self, worker: str) -> None:
        actor = self._actors.pop(worker, None)
        if actor is not None:
            self._outboxes.pop(worker).put(None)
            self._ray.kill(actor)

    def now(self) -> float:
        return monotonic()

    def close(self) -> None:
        for worker in list(self._actors):
            self.stop(worker)
        for thread in self._talkers:
            thread.join(_JOIN_S)
        if self._is_ours:
            self._ray.shutdown()

    def _connect(self, workers: int, address: str | None) -> None:
        settings: dict[str, Any] = {
            "log_to_driver": False,
            "logging_level": logging.WARNING,
            "runtime_env": {
                "env_vars": {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            },
        }
        if address is None:
            settings |= {
                "address": "local",
                "num_cpus": max(threads(), workers),
                "include_dashboard": False,
                "object_store_memory": _OBJECT_STORE_BYTES,
                "_node_ip_address": LOOPBACK,
            }
        else:
            settings["address"] = address
        try:
            if address is not None:
                _require_listener(address)
            self._ray.init(**settings)
        except (OSError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
            place = f"Ray cluster {address or 'on this machine'}"
            raise ClusterError(place, "a connection", _first_line(error)) from None

    def _threads_per_worker(self, workers: int) -> int:
        """As many as fit when workers are spread over the nodes as evenly as can be."""
        counts = [
            int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]
        ]
        usable = [count for count in counts if count] or [1]
        on_one_node = -(-workers // len(usable))
        return max(1, min(usable) // on_one_node)

    def _talk(self, worker: str, actor: Any) -> None:
        """Hand messages to the actor one after the other."""
        outbox = self._outboxes[worker]
        try:
            self._signals.put(Ready(worker, self._ray.get(actor.place.remote())))
            while (message := outbox.get()) is not None:
                reply = self._ray.get(actor.handle.remote(message))
                if reply is not None:
                    self._signals.put(Answered(worker, reply))
        except Exception as error:  # whatever it is, nobody talks to this worker any more
            self._signals.put(Gone(worker, _first_line(error)))

    def _listen(self, worker: str, actor: Any) -> None:
        """Ask the actor for a sign of life, once in a while."""
        pause = threading.Event()
        with suppress(self._ray.exceptions.RayError):
            while worker in self._actors:
                self._ray.get(actor.beat.remote())
                self._signals.put(Beat(worker))
                pause.wait(BEAT_S)


def import_ray(*, is_local: bool) -> Any:
    """Ray with usage reports off, and token authentication on unless the environment says else.

    All processes of a cluster must have the same mode. A cluster on this machine gets a token of
    its own, which lives in the environment of its processes and nowhere else.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A call after the connection has ended is an error and starts no other Ray.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    mode = os.environ.setdefault("RAY_AUTH_MODE", "token")
    has_token = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if is_local and mode == "token" and not has_token:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    return ray


def _require_listener(address: str) -> None:
    """Ray itself asks an address for minutes before it gives up. Raises: OSError, ValueError."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), _LISTENER_S).close()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
