"""What a fleet does when Ray refuses: a Ray of these tests, which fails as told."""

import signal
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import pytest

from prover.cluster import ray_fleet
from prover.cluster.errors import ClusterError
from prover.cluster.fleet import Answered, Beat, Gone, Ready
from prover.cluster.messages import Close
from prover.cluster.ray_fleet import RayFleet
from tests.support.cluster_jobs import wait_until


class RayError(Exception):
    """Stands for `ray.exceptions.RayError`."""


@dataclass
class Promise:
    """Stands for `ray.ObjectRef`: the name of the method is its result."""

    ray: object
    name: str

    def future(self):
        found = Future()
        try:
            found.set_result(self.ray.get(self))
        except RayError as error:
            found.set_exception(error)
        return found


class FailingRay:
    """Calls named in `failing` raise."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self, *failing):
        self.failing = set(failing)
        self.running = False
        self.killed = []
        self.session = ""
        self.settings = {}

    def _call(self, name):
        if name in self.failing:
            raise RayError(f"no {name}\nand a long story")

    def is_initialized(self):
        return self.running

    def init(self, **settings):
        self.running = True
        self.settings = settings
        signal.signal(signal.SIGTERM, self._call)
        return SimpleNamespace(address_info={"session_dir": self.session})

    def shutdown(self):
        self.running = False

    def nodes(self):
        self._call("nodes")
        return [{"Alive": True, "Resources": {"CPU": 2.0}}]

    def method(self, **options):
        return lambda function: function

    def remote(self, **options):
        return lambda seat: SimpleNamespace(remote=self._actor)

    def _actor(self, threads):
        self._call("actor")
        names = ("place", "handle", "beat")
        return SimpleNamespace(
            **{name: SimpleNamespace(remote=partial(self._remote, name)) for name in names}
        )

    def _remote(self, name, *arguments):
        self._call(f"call of {name}")
        return Promise(self, name)

    def get(self, promise):
        self._call(promise.name)
        return promise.name

    def kill(self, actor):
        self._call("kill")
        self.killed.append(actor)


@pytest.fixture
def ray(monkeypatch, tmp_path):
    found = FailingRay()
    found.session = str(tmp_path / "session")
    monkeypatch.setattr(ray_fleet, "import_ray", lambda *, is_local: found)
    monkeypatch.setattr(ray_fleet, "BEAT_S", 0.01)
    return found


def refused(call) -> str:
    with pytest.raises(ClusterError) as caught:
        call()
    return str(caught.value)


def test_ray_leaves_neither_its_folder_nor_its_handler(ray, tmp_path):
    (tmp_path / "session" / "logs").mkdir(parents=True)

    def handle(number, frame):
        """What the command does at SIGTERM."""

    before = signal.signal(signal.SIGTERM, handle)
    try:
        fleet = RayFleet(2, None)
        assert signal.getsignal(signal.SIGTERM) is handle
    finally:
        signal.signal(signal.SIGTERM, before)
    assert list(tmp_path.iterdir()) == [tmp_path / "session"]
    fleet.close()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_cluster_that_was_joined_is_not_ours(ray, tmp_path, monkeypatch):
    (tmp_path / "session").mkdir()
    monkeypatch.setattr(ray_fleet, "_require_listener", lambda address: None)
    RayFleet(2, "10.0.0.1:6379").close()
    assert list(tmp_path.iterdir()) == [tmp_path / "session"]


@pytest.mark.parametrize("address", [None, "10.0.0.1:6379"])
def test_workers_elsewhere_are_told_of_the_environment(ray, monkeypatch, address):
    """Those of a Ray that starts here have it, and would wait for it to be set up."""
    monkeypatch.setattr(ray_fleet, "_require_listener", lambda address: None)
    for name in ("PLASMAPERPS_CACHE", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PLASMAPERPS_KERNELS", "scalar")
    RayFleet(2, address).close()
    told = {"env_vars": {"PLASMAPERPS_KERNELS": "scalar"}}
    assert ray.settings.get("runtime_env") == (told if address else None)


PLACE = "Ray cluster on this machine: expected "


def test_ray_ends_when_it_cannot_tell_its_nodes(ray):
    ray.failing.add("nodes")
    assert refused(lambda: RayFleet(2, None)) == f"{PLACE}its nodes, got RayError: no nodes"
    assert not ray.running


def test_a_worker_that_ray_refuses_is_an_error_of_the_cluster(ray):
    fleet = RayFleet(2, None)
    ray.failing.add("actor")
    assert refused(lambda: fleet.start("one")) == f"{PLACE}a new worker, got RayError: no actor"
    fleet.stop("one")
    assert ray.killed == []
    fleet.close()
    assert not ray.running


def test_ray_ends_though_a_worker_cannot_be_ended(ray):
    fleet = RayFleet(2, None)
    fleet.start("one")
    ray.failing.add("kill")
    wanted = f"{PLACE}the end of a worker, got RayError: no kill"
    assert refused(lambda: fleet.stop("one")) == wanted
    # It is not forgotten.
    assert refused(lambda: fleet.stop("one")) == wanted
    fleet.close()
    assert not ray.running


def test_a_worker_without_a_heart_is_gone(ray):
    fleet = RayFleet(2, None)
    ray.failing.add("beat")
    fleet.start("one")
    assert wait_until(lambda: Gone("one", "RayError: no beat") in fleet.poll(0.1))
    fleet.stop("one")
    assert len(ray.killed) == 1
    fleet.close()


def test_what_a_worker_says_and_how_it_ends_are_signals(ray):
    fleet = RayFleet(2, None)
    fleet.start("one")
    fleet.send("one", Close())
    said = [signal for signal in fleet.poll(0.0) if signal != Beat("one")]
    assert said == [Ready("one", "place"), Answered("one", "handle")]
    for failing in ("handle", "call of handle"):
        ray.failing = {failing}
        fleet.poll(0.0).clear()
        fleet.send("one", Close())
        assert Gone("one", f"RayError: no {failing}") in fleet.poll(0.0)
    ray.failing = set()
    fleet.stop("one")
    fleet.poll(0.0).clear()
    fleet.send("one", Close())
    assert all(signal == Beat("one") for signal in fleet.poll(0.0))
    fleet.close()
