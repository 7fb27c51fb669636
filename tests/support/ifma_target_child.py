"""A process that compiles every kernel for a processor with AVX-512 IFMA, and runs none.

Usage: python ifma_target_child.py record FILE, under kernels that this processor runs: keeps the
types of arguments that `warm` compiles for. Then python ifma_target_child.py compile FILE, with
the target in Numba's environment: prints as JSON how often each kernel multiplies with IFMA.
"""

from __future__ import annotations

import json
import pickle
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from prover import kernel_choice

INSTRUCTION = "vpmadd52"


def dispatchers() -> dict[tuple[str, str], Dispatcher]:
    """Every kernel by the module that defines it and its name."""
    from prover import kernels

    names = (each.name for each in pkgutil.iter_modules(kernels.__path__))
    modules = [import_module(f"{kernels.__name__}.{name}") for name in names]
    return {
        (module.__name__, name): each
        for module in modules
        for name, each in vars(module).items()
        if isinstance(each, Dispatcher) and each.py_func.__module__ == module.__name__
    }


def record(path: Path) -> None:
    from prover import kernels, signatures

    kernels.warm()
    signatures.warm()
    found = {place: each.signatures for place, each in dispatchers().items() if each.signatures}
    path.write_bytes(pickle.dumps(found))


def compile_all(path: Path) -> None:
    # What runs is decided by the processor at hand; what is compiled here never runs.
    kernel_choice.choose = lambda asked="": kernel_choice.Kernels.IFMA
    kernels = dispatchers()
    counts = {}
    for (module, name), types in pickle.loads(path.read_bytes()).items():
        each = kernels[module, name]
        for argument_types in types:
            each.compile(argument_types)
        code = "".join(map(each.inspect_asm, types))
        counts[f"{module.rpartition('.')[2]}.{name}"] = code.count(INSTRUCTION)
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    {"record": record, "compile": compile_all}[sys.argv[1]](Path(sys.argv[2]))
