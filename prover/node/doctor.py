"""What the facts of a machine mean for proving: one finding each, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from prover.kernel_choice import VARIABLE, Kernels
from prover.node.facts import EXTRA_MODULES, Facts, StoreFault, extra_of
from prover.processes import MIB

WHAT_FOR = {
    "ray": "proving on several machines",
    "prometheus_client": "metrics of a prover node",
    "matplotlib": "charts of `prover bench`",
    "web3": "posting proofs to a chain",
}
# On these an SQLite write-ahead log is not safe to share, or not locked reliably.
NETWORK_FILE_SYSTEMS = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "beegfs", "gpfs",
)  # fmt: skip

REMEDIES = {
    StoreFault.MISSING: "mount it, or make one with plasmaperps prover jobs new",
    StoreFault.AWAY: "see that it can be written, has room, and that no other program holds it",
    StoreFault.VERSION: "use the version of this tool that made it, or make a new one",
    StoreFault.UNREADABLE: "name another folder, or bring this one back from a copy",
}


class Status(StrEnum):
    """How much a finding matters: all is well, proving works but..., proving does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `remedy` is empty where nothing is to be done."""

    name: str
    status: Status
    meaning: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{self.status:<4}  {self.name}: {self.meaning}{remedy}"


def examine(facts: Facts) -> list[Finding]:
    """Every finding, in the order in which a proof needs the things."""
    return [
        *_check_kernel_users(facts),
        check_cache(facts),
        *check_setups(facts),
        *check_keys(facts),
        *check_extras(facts),
        *check_store(facts),
    ]


def _check_kernel_users(facts: Facts) -> list[Finding]:
    """What cannot be told while there are no kernels to tell it of is left out."""
    if facts.kernels_error:
        return [Finding("processor", Status.FAIL, facts.kernels_error, "unset the variable")]
    checks = check_processor, check_cores, check_memory, check_kernels
    return [check(facts) for check in checks]


def check_processor(facts: Facts) -> Finding:
    """Instructions, and the kernels that use them."""
    wanted = ("avx2", "avx512ifma")
    features = ", ".join(f"{'' if name in facts.cpu_flags else 'no '}{name}" for name in wanted)
    meaning = f"{facts.machine}, {features}; {facts.kernels} kernels"
    if facts.kernels != facts.fastest_kernels:
        faster = f"unset {VARIABLE}: {facts.fastest_kernels} kernels are faster here"
        return Finding("processor", Status.WARN, meaning, faster)
    if facts.kernels == Kernels.IFMA:
        return Finding("processor", Status.OK, meaning)
    part = "half" if facts.kernels == Kernels.FMA else "a third of"
    slower = f"proofs are the same; they take about {part} the time with avx512ifma"
    return Finding("processor", Status.WARN, meaning, slower)


def check_cores(facts: Facts) -> Finding:
    """Cores of the machine and threads that proofs use."""
    meaning = f"{facts.cores} of the machine, {facts.threads} for proofs"
    if facts.threads > 1:
        return Finding("cores", Status.OK, meaning)
    faster = "a second core nearly halves the time of a proof"
    if facts.cores > 1:
        # By the variable, or because the process was bound to one of them.
        faster = f"unset PLASMAPERPS_THREADS, or let it run on more cores: {faster}"
    return Finding("cores", Status.WARN, meaning, faster)


def check_memory(facts: Facts) -> Finding:
    """Whether the largest proof of each shape fits."""
    if facts.available_bytes is None:
        return Finding("memory", Status.WARN, "the system does not say how much is free")
    needs = ", ".join(f"{name} {need // MIB:,}" for name, need in facts.needed_bytes.items())
    meaning = f"{facts.available_bytes // MIB:,} MiB available; full batches need (MiB): {needs}"
    short = [name for name, need in facts.needed_bytes.items() if need > facts.available_bytes]
    if not short:
        return Finding("memory", Status.OK, meaning)
    refused = f"full batches of shape {' and '.join(short)} will be refused"
    is_useless = len(short) == len(facts.needed_bytes)
    status = Status.FAIL if is_useless else Status.WARN
    return Finding("memory", status, meaning, f"{refused}; stop other work or add memory")


def check_cache(facts: Facts) -> Finding:
    """Whether compiled kernels and setups are kept."""
    if facts.cache_used == facts.cache_wanted:
        return Finding("cache", Status.OK, f"{facts.cache_wanted} can be written")
    meaning = f"{facts.cache_wanted} cannot be written, {facts.cache_used} is used instead"
    return Finding(
        "cache", Status.WARN, meaning, "set PLASMAPERPS_CACHE to a folder that can be written"
    )


def check_kernels(facts: Facts) -> Finding:
    """Whether the first proof has to wait for the compiler."""
    if facts.are_kernels_compiled:
        return Finding("kernels", Status.OK, "all compiled and kept")
    remedy = "a node compiles what is missing when it starts, for about a minute"
    return Finding("kernels", Status.WARN, "not all compiled yet", remedy)


def check_setups(facts: Facts) -> Iterator[Finding]:
    """Whether development setups are made; a ceremony's is named on the command line."""
    for shape, is_made in facts.setups.items():
        name = f"setup {shape}"
        if is_made:
            yield Finding(name, Status.OK, "development setup is in the cache")
        else:
            remedy = "the first proof of this shape makes it"
            yield Finding(name, Status.WARN, "no development setup in the cache", remedy)


def check_keys(facts: Facts) -> Iterator[Finding]:
    """Whether the packaged verifying keys are those of the packaged chips."""
    for shape, error in facts.key_errors.items():
        name = f"key {shape}"
        if error:
            yield Finding(name, Status.FAIL, error, "install the package again")
        else:
            yield Finding(name, Status.OK, "packaged, and made from the chips of this version")


def check_extras(facts: Facts) -> Iterator[Finding]:
    """Optional libraries, and what brings them."""
    for module in EXTRA_MODULES:
        name = f"extra {extra_of(module)}"
        if module not in facts.missing_modules:
            yield Finding(name, Status.OK, f"{module} for {WHAT_FOR[module]}")
        else:
            remedy = f"pip install 'plasmaperps[{extra_of(module)}]' brings it"
            yield Finding(name, Status.WARN, f"no {module} for {WHAT_FOR[module]}", remedy)


def check_store(facts: Facts) -> Iterator[Finding]:
    """The job store, if one was named."""
    store = facts.store
    if store is None:
        return
    if store.fault is not None:
        yield Finding("job store", Status.FAIL, store.error, REMEDIES[store.fault])
        return
    if store.file_system in NETWORK_FILE_SYSTEMS:
        meaning = f"{store.folder} is on {store.file_system}, where its database can be damaged"
        yield Finding("job store", Status.FAIL, meaning, "move it to a disk of the nodes' machine")
        return
    meaning = f"{store.folder}: {store.waiting} jobs wait"
    if store.stopped:
        remedy = "plasmaperps prover jobs list shows why"
        yield Finding(
            "job store", Status.WARN, f"{meaning}, {store.stopped} failed or parked", remedy
        )
    else:
        yield Finding("job store", Status.OK, meaning)
