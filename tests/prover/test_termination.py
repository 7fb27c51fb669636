"""SIGTERM while a command runs: blocks unwind, and the handler of before comes back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from prover.termination import unwinding


def refuse(number: int, frame: object) -> None:
    """Instead of the default, which would end all tests."""
    raise AssertionError("expected SIGTERM inside the block alone")


@pytest.fixture(autouse=True)
def handler_of_before() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, refuse)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_block_unwinds_with_the_exit_code_of_those_told_to_stop() -> None:
    unwound = []

    def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            unwound.append("work")

    with pytest.raises(SystemExit) as caught, unwinding():
        work()
    assert (caught.value.code, unwound) == (4, ["work"])
    assert signal.getsignal(signal.SIGTERM) is refuse


def test_the_handler_of_before_comes_back() -> None:
    with unwinding():
        assert signal.getsignal(signal.SIGTERM) is not refuse
    assert signal.getsignal(signal.SIGTERM) is refuse


def test_another_thread_leaves_signals_alone() -> None:
    found = []

    def work() -> None:
        with unwinding():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [refuse]
