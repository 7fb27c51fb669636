"""A simulation in a process of its own, to be killed.

Usage: python -m tests.support.simulate_child FOLDER COMMANDS SEED. After every commit, of which
there are many, the number of accepted commands that are durable goes to stdout as one line; at the
end the root does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sequencer.sim import measured
from sequencer.sim.plan import Plan
from sequencer.sim.simulation import simulate

GROUP_RECORDS = 20


def tell(line: object) -> None:
    os.write(1, f"{line}\n".encode())


def main(folder: Path, command_count: int, seed: int) -> None:
    measured.GROUP_RECORDS = GROUP_RECORDS
    run = simulate(Plan(command_count, seed), journal=folder, acknowledged=tell)
    tell(hex(run.measured.root))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
