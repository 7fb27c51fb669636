"""An anvil node of its own for the tests that compare chains: random port, Osaka rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from sequencer.l1.devkeys import DEVELOPMENT_BALANCE_WEI
from sequencer.l1.port import EMBEDDED_CHAIN_ID

ANVIL = Path(__file__).resolve().parents[2] / "contracts" / "node_modules" / ".bin" / "anvil"
MISSING_REASON = "anvil is not installed: run `make setup` on x86-64 Linux with npm"

_LISTENING = re.compile(r"Listening on (\S+)")


def anvil_is_missing() -> bool:
    """True where `make setup` has not installed it, or could not for this kind of machine.

    Never true in continuous integration: a test that needs the node then fails instead of skipping.
    """
    return os.environ.get("CI") != "true" and not ANVIL.exists()


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running node."""

    url: str

    def request(self, method: str, *parameters: object) -> object:
        """One JSON-RPC call, for what no adapter offers."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


@contextmanager
def running_anvil(
    *, genesis_time_s: int, funded: Iterable[str], chain_id: int = EMBEDDED_CHAIN_ID
) -> Iterator[Anvil]:
    """Start a node that funds the given addresses, and stop it afterwards."""
    command = [
        str(ANVIL),
        *("--port", "0", "--accounts", "1", "--chain-id", str(chain_id)),
        *("--timestamp", str(genesis_time_s), "--hardfork", "osaka", "--enable-tx-gas-limit"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            node = Anvil("http://" + _listening_address(process))
            with _drained(process):
                for address in funded:
                    node.request("anvil_setBalance", address, hex(DEVELOPMENT_BALANCE_WEI))
                yield node
        finally:
            process.terminate()


@contextmanager
def _drained(process: subprocess.Popen[str]) -> Iterator[None]:
    """Read on while the node runs: it prints every request, and stands still with a full pipe."""
    reader = Thread(target=lambda: deque(process.stdout or (), maxlen=0))
    reader.start()
    try:
        yield
    finally:
        process.terminate()
        reader.join()


def _listening_address(process: subprocess.Popen[str]) -> str:
    printed = []
    for line in process.stdout or ():
        printed.append(line)
        found = _LISTENING.search(line)
        if found:
            return found[1]
    raise RuntimeError(f"anvil ended before it listened: {''.join(printed)}")
