"""A process that warms all kernels, works, and prints what that compiled or loaded."""

from __future__ import annotations

import json
import sys

from numba.core.dispatcher import Dispatcher

from circuits.signature import account_key
from circuits.witness.build import build
from prover import kernels, signatures
from prover.compiled.backend import KernelBackend
from prover.kernels.msm import points_from_ints
from prover.prove import prove
from prover.witness_fills import KERNEL_FILLS
from tests.support.batches import rich_batch
from tests.support.toy_system import toy_bases, toy_key, toy_shape, toy_system, toy_witness

SIGNERS = 11


def overloads() -> dict[str, int]:
    """How many types of arguments each kernel has been compiled or loaded for."""
    return {
        f"{name.removeprefix('prover.kernels.')}.{attribute}": len(each.signatures)
        for name, module in sorted(sys.modules.items())
        if name.startswith("prover.kernels.")
        for attribute, each in vars(module).items()
        if isinstance(each, Dispatcher)
    }


def warm() -> None:
    kernels.warm()
    signatures.warm()


def work() -> None:
    """A proof of tables that may not be written to, a witness, and signatures."""
    key = toy_key(toy_shape(6, 3, 6))
    witness = toy_witness([k % 16 for k in range(45)], [3, 4, 9], [2, 5, 6])
    for table in witness.tables.values():
        for column in table.columns:
            column.flags.writeable = False
    bases = points_from_ints(toy_bases(1 << key.log_chunk))
    bases.flags.writeable = False
    statement = witness.words, witness.pubdata
    prove(key, toy_system(), *statement, witness.tables, KernelBackend(bases))
    batch = rich_batch()
    build(batch.statement, batch.events, batch.touched_nodes, fills=KERNEL_FILLS)
    requests = [(secret, 7 * secret) for secret in range(1, SIGNERS + 1)]
    keys = [account_key(secret) for secret, _ in requests]
    signed = signatures.sign_many(requests)
    asked = [
        (key, digest, each) for key, (_, digest), each in zip(keys, requests, signed, strict=True)
    ]
    assert signatures.verify_many(asked) == [None] * SIGNERS


def added(before: dict[str, int]) -> dict[str, int]:
    """The kernels that have more types of arguments than before, and how many more."""
    now = overloads()
    return {
        name: now[name] - before.get(name, 0) for name in now if now[name] > before.get(name, 0)
    }


def main() -> None:
    warm()
    before = overloads()
    warm()
    again = added(before)
    work()
    json.dump({"kernels": len(before), "again": again, "work": added(before)}, sys.stdout)


if __name__ == "__main__":
    main()
