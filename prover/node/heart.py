"""A node's beat from a thread of its own: it shows the node, prolongs its lease, reads its orders.

A lease must not depend on the thread that proves: a kernel may keep that busy for longer.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from prover.node.errors import StoreError
from prover.node.jobs import Job
from prover.node.notices import DrainChanged, QueueSeen, Watch
from prover.node.roster import SILENT_MS, Lease, NodeRecord, Orders, Roster
from prover.node.sight import StoreSight

_LOOKER = "heart"


class Wake:
    """Ends a wait early. Unlike threading.Event, `set` may be called from a signal handler."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """End the present wait, or the next one."""
        self._queue.put(None)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until `set`."""
        try:
            self._queue.get(timeout=seconds)
            while True:
                self._queue.get_nowait()
        except Empty:
            return


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a node looks at the store, and how long a lease lasts without a beat."""

    poll_s: float = 2.0
    lease_s: float = 60.0

    @property
    def beat_s(self) -> float:
        """Three beats at least for every lease, and before the node counts as silent."""
        return min(self.poll_s, self.lease_s / 3, SILENT_MS / 3_000)

    @property
    def lease_ms(self) -> int:
        """The lease in the store's unit."""
        return round(1000 * self.lease_s)


class Heart:
    """The beat of one node. `begin`, `stage` and `end` are for the thread that proves.

    `orders` is called after every beat, `is_draining` asked around it; the roster should be
    impatient.
    """

    def __init__(
        self,
        roster: Roster,
        record: NodeRecord,
        timing: Timing,
        watch: Watch,
        sight: StoreSight,
        clock_ms: Callable[[], int],
        orders: Callable[[Orders], None],
        is_draining: Callable[[], bool],
    ) -> None:
        self._roster = roster
        self._timing = timing
        self._watch = watch
        self._sight = sight
        self._clock_ms = clock_ms
        self._orders = orders
        self._is_draining = is_draining
        self._record = record
        self._lease: Lease | None = None
        self._lost: Lease | None = None
        self._lock = threading.Lock()
        self._wake = Wake()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Beat from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, if it ever began."""
        self._is_stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def nudge(self) -> None:
        """Beat at once; may be called from a signal handler."""
        self._wake.set()

    def begin(self, job: Job) -> None:
        """A job is in hand: its lease is prolonged from now on."""
        with self._lock:
            self._lease = Lease(job.id, job.token, self._timing.lease_ms)
            self._record = replace(
                self._record, job_id=job.id, batch_number=job.batch_number, stage=""
            )

    def stage(self, name: str) -> None:
        """The job in hand has come to a stage; the next beat tells."""
        with self._lock:
            self._record = replace(self._record, stage=name)

    def end(self, proof_count: int) -> None:
        """No job is in hand any more."""
        with self._lock:
            self._lease = self._lost = None
            self._record = replace(
                self._record, job_id=0, batch_number=0, stage="", proof_count=proof_count
            )

    @property
    def is_lease_lost(self) -> bool:
        """Whether the store has said that the job in hand is another's by now."""
        return self._lost is not None

    def beat(self) -> None:
        """One beat; a store that is away gets the next one."""
        self._tell_drain()
        with self._lock:
            now_ms = self._clock_ms()
            record, lease = replace(self._record, seen_ms=now_ms), self._lease
        try:
            orders = self._roster.beat(record, lease)
        except StoreError as error:
            self._sight.lost(_LOOKER, str(error))
            return
        self._sight.found(_LOOKER)
        with self._lock:
            # A lease that has ended meanwhile was not lost.
            if orders.is_lease_lost and lease is self._lease:
                self._lost = lease
        oldest_ms = orders.counts.oldest_ms
        oldest_s = 0.0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000
        self._watch(QueueSeen(orders.counts, oldest_s))
        self._orders(orders)
        if self._tell_drain():
            self._wake.set()

    def _tell_drain(self) -> bool:
        """Say so when the node has begun or ceased to drain; whether it has."""
        is_draining = self._is_draining()
        with self._lock:
            changes = self._record.is_draining != is_draining
            self._record = replace(self._record, is_draining=is_draining)
        if changes:
            self._watch(DrainChanged(is_draining))
        return changes

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self.beat()
            except Exception as error:
                # A heart that stopped would cost the lease of every job, so it goes on trying.
                if self._sight.lost(_LOOKER, f"{type(error).__name__}: {error}"):
                    traceback.print_exc()
            self._wake.wait(self._timing.beat_s)
