"""The venue that contract tests talk to, fresh for each test."""

from __future__ import annotations

import pytest

from sequencer.l1.contracts import Rollup
from tests.contracts.support.venue import deployed, embedded


@pytest.fixture
def rollup() -> Rollup:
    """A freshly deployed venue."""
    return deployed(embedded())
