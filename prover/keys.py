"""Write the packaged verifying keys: `python -m prover.keys FOLDER [--check]`, one per shape.

They are made with the development setup, so they are marked insecure; a key over a ceremony's setup
is made with `plasmaperps prover key`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from circuits.chips.system import SHAPES, margin_system
from prover.srs_tools import development_setup
from verifier.key import make_key, save_key


def main(arguments: list[str]) -> int:
    """Entry point of `make vk` and `make vk-check`."""
    check = "--check" in arguments
    (folder,) = [Path(each) for each in arguments if each != "--check"]
    setup = development_setup()
    differing = []
    for name, shape in SHAPES.items():
        path = folder / f"{name}.json"
        text = save_key(make_key(margin_system(), shape, setup))
        if not path.exists() or path.read_text() != text:
            differing.append(path.name)
            if not check:
                path.write_text(text)
    if check and differing:
        sys.stderr.write(f"{folder}: expected the keys of the chips, got others: {differing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
