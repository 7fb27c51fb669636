"""Workers as long-lived Ray actors, on this machine or on a cluster that is joined.

Ray carries messages and says who died; what to do about it is decided by the coordinator, so Ray
restarts nothing. Ray is imported when a fleet is made: it takes seconds and is an extra.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from prover.cluster.errors import ClusterError
from prover.cluster.fleet import Answered, Beat, Gone, Mailbox, Ready, Signal
from prover.cluster.messages import Message, Reply
from prover.kernels.parallel import threads

BEAT_S = 1.0
LOOPBACK = "127.0.0.1"
# Messages above 100 kB pass through it: parts of polynomials, and folded rows of many chips.
_OBJECT_STORE_BYTES = 512 << 20
# How long threads may take to notice that their actor was killed.
_JOIN_S = 10.0
# How long a cluster may take to accept a connection.
_LISTENER_S = 10.0
_PASSED_ON = ("PLASMAPERPS_CACHE", "PLASMAPERPS_KERNELS", "NUMBA_CACHE_DIR")


class Seat:
    """The actor: a worker, and a beat that another of the actor's threads answers."""

    def __init__(self, threads: int) -> None:
        from prover.cluster.worker import Worker
        from prover.kernels import warm
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
        self._place = f"Ray cluster {address or 'on this machine'}"
        self._actors: dict[str, Any] = {}
        self._listeners: list[threading.Thread] = []
        self._mailbox = Mailbox()
        self._is_ours = not self._ray.is_initialized()
        self._session: str | None = None
        try:
            if self._is_ours:
                self._connect(workers, address)
            with self._naming("its nodes"):
                self._threads = self._threads_per_worker(workers)
        except BaseException:
            self.close()
            raise

    def start(self, worker: str) -> None:
        """Raises: ClusterError."""
        methods = {"beat": self._ray.method(concurrency_group="beat")(Seat.beat)}
        with self._naming("a new worker"):
            actor_class = self._ray.remote(
                num_cpus=self._threads,
                max_restarts=0,
                max_task_retries=0,
                concurrency_groups={"beat": 1},
                scheduling_strategy="SPREAD",
            )(type("Seat", (Seat,), methods))
            actor = self._actors[worker] = actor_class.remote(self._threads)
        self._call(worker, actor.place, lambda place: Ready(worker, place))
        self._listeners = [thread for thread in self._listeners if thread.is_alive()]
        thread = threading.Thread(target=self._listen, args=(worker, actor), daemon=True)
        thread.start()
        self._listeners.append(thread)

    def send(self, worker: str, message: Message) -> None:
        if worker in self._actors:
            self._call(
                worker,
                self._actors[worker].handle,
                lambda reply: Answered(worker, reply) if reply is not None else None,
                message,
            )

    def poll(self, timeout_s: float) -> deque[Signal]:
        return self._mailbox.poll(timeout_s)

    def stop(self, worker: str) -> None:
        """Raises: ClusterError."""
        if worker in self._actors:
            with self._naming("the end of a worker"):
                self._ray.kill(self._actors[worker])
        self._actors.pop(worker, None)

    def now(self) -> float:
        return monotonic()

    def close(self) -> None:
        try:
            for worker in list(self._actors):
                # Without a connection its workers end by themselves.
                with suppress(ClusterError):
                    self.stop(worker)
                self._actors.pop(worker, None)
            for thread in self._listeners:
                thread.join(_JOIN_S)
        finally:
            if self._is_ours:
                self._ray.shutdown()
            if self._session is not None:
                # Logs of a Ray that is over, which nobody else would remove.
                shutil.rmtree(self._session, ignore_errors=True)
                self._session = None

    @contextmanager
    def _naming(self, expected: str) -> Iterator[None]:
        """An error of Ray inside the block is one of the cluster. Raises: ClusterError."""
        try:
            yield
        except self._ray.exceptions.RayError as error:
            raise ClusterError(self._place, expected, _first_line(error)) from None

    def _connect(self, workers: int, address: str | None) -> None:
        settings: dict[str, Any] = {
            "log_to_driver": False,
            "logging_level": logging.WARNING,
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
            # Processes of a Ray that starts here have the environment as it is; to give it to them
            # by this setting would let every actor wait two seconds for another process of Ray.
            environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            settings |= {"address": address, "runtime_env": {"env_vars": environment}}
        try:
            if address is not None:
                _require_listener(address)
            with _keeping_sigterm():
                context = self._ray.init(**settings)
            if address is None:
                self._session = context.address_info["session_dir"]
        except (OSError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
            raise ClusterError(self._place, "a connection", _first_line(error)) from None

    def _threads_per_worker(self, workers: int) -> int:
        """As many as fit when workers are spread over the nodes as evenly as can be."""
        counts = [
            int(node["Resources"].get("CPU", 0)) for node in self._ray.nodes() if node["Alive"]
        ]
        usable = [count for count in counts if count] or [1]
        on_one_node = -(-workers // len(usable))
        return max(1, min(usable) // on_one_node)

    def _call(
        self, worker: str, method: Any, signal_of: Callable[[Any], Signal | None], *arguments: Any
    ) -> None:
        """Call a method of an actor; what comes of it is a signal, left by a thread of Ray.

        Calls of one actor run in the order in which they are made.
        """

        def take(future: Future[Any]) -> None:
            try:
                found = signal_of(future.result())
            except Exception as error:  # whatever it is, nobody talks to this worker any more
                found = Gone(worker, _first_line(error))
            if found is not None:
                self._mailbox.put(found)

        try:
            future = method.remote(*arguments).future()
        except Exception as error:  # as above
            self._mailbox.put(Gone(worker, _first_line(error)))
        else:
            future.add_done_callback(take)

    def _listen(self, worker: str, actor: Any) -> None:
        """Ask the actor for a sign of life, once in a while: one that has none is gone."""
        pause = threading.Event()
        try:
            while worker in self._actors:
                self._ray.get(actor.beat.remote())
                self._mailbox.put(Beat(worker))
                pause.wait(BEAT_S)
        except Exception as error:  # as in _call
            self._mailbox.put(Gone(worker, _first_line(error)))


def import_ray(*, is_local: bool) -> Any:
    """Ray with usage reports off, and token authentication on unless the environment says else.

    All processes of a cluster must have the same mode. A cluster on this machine gets a token of
    its own, which lives in the environment of its processes and nowhere else.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A call after the connection has ended is an error and starts no other Ray.
    os.environ["RAY_ENABLE_AUTO_CONNECT"] = "0"
    # Ray would tell of dead actors on stdout, which is the command's; events tell of them.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    mode = os.environ.setdefault("RAY_AUTH_MODE", "token")
    has_token = any(name in os.environ for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    if is_local and mode == "token" and not has_token:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    return ray


@contextmanager
def _keeping_sigterm() -> Iterator[None]:
    """What SIGTERM does afterwards is what it did before: Ray would end the process its own way."""
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM) if is_main else None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)


def _require_listener(address: str) -> None:
    """Ray itself asks an address for minutes before it gives up. Raises: OSError, ValueError."""
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), _LISTENER_S).close()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
