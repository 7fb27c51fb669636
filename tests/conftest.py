"""Test profiles, the seed that every random choice comes from, and pinned figures."""

from __future__ import annotations

import json
import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.solc import Solc, running_solc

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "tests" / "vectors"

# Compiled kernels and development setups; set before any import, for child processes as well.
os.environ.setdefault("PLASMAPERPS_CACHE", str(ROOT / ".cache"))

# Ordinary runs repeat themselves, so a red run is about the change; the nightly profile draws anew.
ORDINARY_SEED = 20_261_122

# Wall-clock deadlines measure the neighbours on a shared machine, not the code under test.
COMMON_SETTINGS = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("fast", max_examples=20, **COMMON_SETTINGS)
settings.register_profile("default", max_examples=100, **COMMON_SETTINGS)
settings.register_profile("nightly", max_examples=2_000, **COMMON_SETTINGS)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
settings.load_profile(PROFILE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-vectors",
        action="store_true",
        help="run only the tests that pin a figure and write the figures anew",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose one seed for Hypothesis and for the `rng` fixture; workers get it from the start."""
    if config.option.hypothesis_seed is None:
        drawn = secrets.randbits(32) if PROFILE == "nightly" else ORDINARY_SEED
        config.option.hypothesis_seed = str(drawn)


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.option.hypothesis_seed
    return f"profile {PROFILE}, seed {seed} (repeat with --hypothesis-seed={seed})"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.write_vectors:
        items[:] = [item for item in items if "pinned" in getattr(item, "fixturenames", ())]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """A source of random values that depends on the printed seed and the name of the test."""
    return random.Random(f"{request.config.option.hypothesis_seed} {request.node.nodeid}")


class Pinned:
    """Figures that must not change unnoticed: one JSON file each in tests/vectors."""

    def __init__(self, *, write: bool) -> None:
        self.write = write

    def check(self, name: str, figures: Any) -> None:
        """Compare with tests/vectors/NAME.json, or write it under --write-vectors."""
        path = VECTORS / f"{name}.json"
        text = json.dumps(figures, indent=2, sort_keys=True) + "\n"
        if self.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"no pinned figures for {name}: run make vectors"
        assert json.loads(text) == json.loads(path.read_text(encoding="utf-8")), (
            f"{name} differs from its pinned figures: if the change is meant, run make vectors"
        )


@pytest.fixture
def pinned(request: pytest.FixtureRequest) -> Pinned:
    """Compare figures with tests/vectors; `make vectors` writes them."""
    return Pinned(write=request.config.option.write_vectors)


@pytest.fixture(scope="session")
def solc() -> Iterator[Solc]:
    """The contracts' compiler, started once for each worker."""
    with running_solc() as compiler:
        yield compiler
