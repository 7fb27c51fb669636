"""`plasmaperps prover run`, `jobs`, `status`, `drain` and `doctor`: what they print and refuse."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from circuits.cli_support import ExitCode
from circuits.statement import from_json
from prover.node import cli
from prover.node.database import FILE_NAME
from prover.node.jobs import JobState
from prover.node.roster import NodeRecord, Roster
from prover.node.store import JobStore
from sequencer.batch_files import witness_of
from sequencer.cli import main
from tests.conftest import ROOT
from tests.support.batches import batch_of
from tests.support.exchange import deposit, register
from tests.support.job_stores import add_batch, proof_of, store_with
from tests.support.node_child import MadeUpWork, now_ms
from tests.support.node_command_child import LOADS_FOR_EVER
from tests.support.node_processes import NodeProcess

# Where nothing is in the cache, the kernels are compiled first.
COLD_START_S = 600


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["prover", *map(str, arguments)])


def lines_of(*arguments: object) -> list[str]:
    """What a command that succeeds prints."""
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout.splitlines()


def json_of(*arguments: object) -> dict:
    (line,) = lines_of(*arguments, "--json")
    return json.loads(line)


def refused(exit_code: int, *arguments: object) -> str:
    """The one line of a command that ends with this exit code."""
    result = run(*arguments)
    assert result.exit_code == exit_code, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture(scope="session")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two different witnesses of batch 1, with signatures in neither."""
    paths = [tmp_path_factory.mktemp("witness") / f"{name}.witness" for name in ("one", "two")]
    for amount, path in enumerate(paths, 5):
        witness_of(batch_of(register(1), deposit(1, amount))).save(path)
    return paths


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes whose proofs are made up."""
    monkeypatch.setattr(cli, "_ready_keys", lambda *arguments: {})
    monkeypatch.setattr(cli, "_work", lambda *arguments: nullcontext(MadeUpWork()))


def test_a_witness_is_queued_once_listed_and_shown(witnesses: list[Path], tmp_path: Path) -> None:
    store, (path, other) = tmp_path / "jobs", witnesses
    (line,) = lines_of("jobs", "new", "--jobs", store)
    assert line.startswith(f"{store}: job store ")
    assert lines_of("jobs", "list", "--jobs", store) == ["no jobs"]
    assert lines_of("jobs", "add", path, "--jobs", store) == ["job 1: batch 1: added"]
    assert lines_of("jobs", "add", path, "--jobs", store) == [
        "job 1: batch 1: in the store already, queued"
    ]
    (record,) = json_of("jobs", "add", path, "--jobs", store)["jobs"]
    assert (record["id"], record["is_new"], record["shape"]) == (1, False, "S")
    line = refused(3, "jobs", "add", other, "--jobs", store)
    assert line.startswith("Error: batch 1 (job 1): expected witness ")
    heading, row = lines_of("jobs", "list", "--jobs", store)
    assert heading.split() == ["job", "batch", "shape", "state", "attempts", "added", "held", "by"]
    assert re.fullmatch(r"1 +1 +S +queued +0 +\d+ s ago", row)
    (listed,) = json_of("jobs", "list", "--jobs", store)["jobs"]
    shown = json_of("jobs", "show", 1, "--jobs", store)
    assert listed.items() <= shown.items()
    assert Path(shown["witness"]).read_bytes() == path.read_bytes()
    assert from_json(Path(shown["statement"]).read_text()).batch_number == 1
    text = lines_of("jobs", "show", 1, "--jobs", store)
    assert text[:3] == ["id            1", "batch         1", f"domain        {listed['domain']}"]
    assert text[-1] == "proof"


def test_a_damaged_witness_is_not_queued(witnesses: list[Path], tmp_path: Path) -> None:
    store, cut = tmp_path / "jobs", tmp_path / "cut.witness"
    run("jobs", "new", "--jobs", store)
    cut.write_bytes(witnesses[0].read_bytes()[:-7])
    result = run("jobs", "add", witnesses[0], cut, "--jobs", store)
    assert (result.exit_code, result.stdout) == (2, "job 1: batch 1: added\n")
    assert result.stderr.startswith(f"Error: {cut}: section batch")
    result = run("jobs", "add", witnesses[0], cut, "--jobs", store, "--json")
    assert (result.exit_code, [job["id"] for job in json.loads(result.stdout)["jobs"]]) == (2, [1])
    assert len(json_of("jobs", "list", "--jobs", store)["jobs"]) == 1
    missing = tmp_path / "none.witness"
    assert refused(2, "jobs", "add", missing, "--jobs", store) == (
        f"Error: {missing}: no such file or directory"
    )


COMMANDS = [
    ("run",), ("status",), ("drain",), ("jobs", "list"), ("jobs", "show", 1),
    ("jobs", "retry", 1), ("jobs", "remove", 1), ("jobs", "fetch", 1, "-o", "x.proof"),
    ("jobs", "add", "x.witness"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(map(str, command)))
def test_a_folder_that_is_no_store_is_one_line_and_nothing_is_made(
    tmp_path: Path, command: tuple
) -> None:
    folder = tmp_path / "jobs"
    assert refused(2, *command, "--jobs", folder) == (
        f"Error: {folder}: jobs.sqlite: expected a job store (plasmaperps prover jobs new "
        f"--jobs {folder} makes one), got no such file"
    )
    assert list(tmp_path.iterdir()) == []
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(b"another file" * 100)
    assert refused(2, *command, "--jobs", folder) == (
        f"Error: {folder / FILE_NAME}: expected a job store, got file is not a database"
    )
    assert refused(2, "jobs", "new", "--jobs", folder).startswith(
        f"Error: {folder}: expected an empty folder for a new job store, got {FILE_NAME}"
    )


@pytest.mark.parametrize("number", [9, 2**63 - 1, 2**63, 10**23])
@pytest.mark.parametrize("command", ["show", "retry", "remove", "fetch"])
def test_an_unknown_job_is_named(tmp_path: Path, command: str, number: int) -> None:
    store, out = store_with(tmp_path, 0), tmp_path / "batch.proof"
    more = ("-o", out) if command == "fetch" else ()
    assert refused(2, "jobs", command, number, "--jobs", store.folder, *more) == (
        f"Error: job {number}: expected a job of the store, got no such job"
    )


def failed_job(tmp_path: Path) -> JobStore:
    store = store_with(tmp_path, 1)
    job = store.lease("one", now_ms(), 60_000)
    assert job is not None
    store.refuse(job.id, job.token, "a rule is broken")
    return store


def test_a_failed_job_says_why_and_is_retried_or_removed(tmp_path: Path) -> None:
    store = failed_job(tmp_path)
    listed = lines_of("jobs", "list", "--jobs", store.folder)
    assert listed[1].split()[:5] == ["1", "1", "T", "failed", "1"]
    assert listed[2] == "job 1: a rule is broken"
    assert lines_of("jobs", "retry", 1, "--jobs", store.folder) == ["job 1: queued"]
    assert refused(3, "jobs", "retry", 1, "--jobs", store.folder) == (
        "Error: job 1: expected failed or parked before retry, got queued"
    )
    assert lines_of("jobs", "remove", 1, "--jobs", store.folder) == ["job 1: batch 1 removed"]
    assert lines_of("jobs", "list", "--jobs", store.folder) == ["no jobs"]


def test_a_proof_is_fetched_with_its_statement(tmp_path: Path) -> None:
    store, out = store_with(tmp_path, 1), tmp_path / "batch.proof"
    fetch = ("jobs", "fetch", 1, "--jobs", store.folder, "-o")
    assert refused(3, *fetch, out) == ("Error: job 1: expected a job that is proven, got queued")
    job = store.lease("one", 0, 1)
    assert job is not None
    store.publish(job.id, job.token, proof_of(job), 1)
    size = len(proof_of(job))
    assert lines_of(*fetch, out) == [f"{out}: {size} bytes, batch 1"]
    assert out.read_bytes() == proof_of(job)
    assert (tmp_path / "batch.statement").read_text() == "statement of batch 1"
    assert refused(2, *fetch, tmp_path / "x.statement").startswith(
        f"Error: {tmp_path / 'x.statement'}: name: expected one not ending in .statement"
    )


def test_a_node_works_until_the_store_is_empty(tmp_path: Path, work: None) -> None:
    store = store_with(tmp_path, 2)
    bounded = ("run", "--jobs", store.folder, "--metrics-port", 0, "--poll-seconds", 0.05)
    events = [line.split()[1] for line in lines_of(*bounded, "--once")]
    stages = ["event=stage_ended"] * 3
    assert events == ["event=started", "event=taken", *stages, "event=published", "event=left"]
    assert lines_of(*bounded, "--until-empty")[-1].endswith("exit_code=0 published=1 failed=0")
    assert [job.state for job in store.jobs()] == [JobState.PROVEN] * 2
    add_batch(store, tmp_path, 3)
    store.files.witness(store.job(3).witness_hash).write_bytes(b"cut")
    result = run(*bounded, "--until-empty")
    assert (result.exit_code, result.stderr) == (3, "")
    assert "event=failed job=3 batch=3 kind=witness is_final=yes reason=" in result.stdout
    assert refused(2, *bounded, "--once", "--until-empty") == (
        "Error: expected --once or --until-empty, got both"
    )


def test_a_node_touches_nothing_beside_its_own_store_s_jobs_in_the_work_folder(
    tmp_path: Path, work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, shared, given = store_with(tmp_path, 1), tmp_path / "shared", []

    def work_in(*arguments: object) -> AbstractContextManager[MadeUpWork]:
        given.append(arguments[3].path)
        return nullcontext(MadeUpWork())

    monkeypatch.setattr(cli, "_work", work_in)
    own, other, foreign = (shared / name for name in (f"{store.id}/job-9", "id/job-9", "job-9"))
    for folder in (own, other, foreign):
        folder.mkdir(parents=True)
    command = ("run", "--jobs", store.folder, "--once", "--metrics-port", 0)
    assert run(*command, "--work-dir", shared).exit_code == ExitCode.OK
    assert given == [own.parent]
    assert (own.parent.exists(), other.exists(), foreign.exists()) == (False, True, True)


def test_a_log_that_cannot_be_written_is_one_line_and_the_batches_are_proven(
    tmp_path: Path,
) -> None:
    store = store_with(tmp_path, 2)
    command = [sys.executable, "-m", "tests.support.node_command_child", "--until-empty"]
    command += ["--jobs", str(store.folder), "--metrics-port", "0", "--poll-seconds", "0.05"]
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert found.stderr == (
        "LineLog gets no more events: OSError: [Errno 28] No space left on device\n"
    )
    assert found.returncode == 0
    assert [job.state for job in store.jobs()] == [JobState.PROVEN] * 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_node_loads_ends_it_without_a_job(tmp_path: Path, number) -> None:
    store = store_with(tmp_path, 1)
    command = ["-m", "tests.support.node_command_child", LOADS_FOR_EVER, "--metrics-port", "0"]
    node = NodeProcess([*command, "--jobs", str(store.folder)])
    try:
        node.wait_for("loading")
        node.send(number)
        assert node.wait() == ExitCode.OK
    finally:
        node.end()
    (line,) = node.lines
    assert "event=loading" in line
    assert store.job(1).state is JobState.QUEUED


def test_a_store_that_does_not_fit_on_the_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    made, given = tmp_path / "made", tmp_path / "given"
    given.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))
    try:
        lines = [refused(2, "jobs", "new", "--jobs", folder) for folder in (made, given)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    text = "expected a disk that takes a new database, got disk I/O error"
    assert lines == [f"Error: {folder / FILE_NAME}: {text}" for folder in (made, given)]
    assert list(tmp_path.iterdir()) == [given]
    assert list(given.iterdir()) == []


def test_a_metrics_port_in_use_is_one_line(tmp_path: Path, work: None) -> None:
    store = store_with(tmp_path, 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused(2, "run", "--jobs", store.folder, "--metrics-port", port)
    assert line.startswith(f"Error: --metrics-port {port} on 127.0.0.1: expected a free port")
    assert store.job(1).state is JobState.QUEUED


def test_without_the_metrics_library_a_node_works_unless_metrics_were_asked_for(
    tmp_path: Path, work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_with(tmp_path, 1)
    monkeypatch.delitem(sys.modules, "prover.node.metrics", raising=False)
    for name in [name for name in sys.modules if name.split(".")[0] == "prometheus_client"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    command = ("run", "--jobs", store.folder, "--once")
    assert refused(2, *command, "--metrics-port", 9464) == (
        "Error: this command needs prometheus_client: pip install 'plasmaperps[node]'"
    )
    result = run(*command)
    assert result.exit_code == 0
    assert result.stderr == "no metrics: pip install 'plasmaperps[node]' brings them\n"


def test_the_status_shows_queue_and_nodes(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    assert lines_of("status", "--jobs", store.folder) == [
        "0 queued, 0 leased, 0 proven, 0 failed, 0 parked",
        "0 proofs in the last hour",
        "no nodes",
    ]
    time_ms = now_ms()
    for number in (1, 2):
        add_batch(store, tmp_path, number, now_ms=time_ms - 61_000)
    job = store.lease("busy", time_ms, 60_000)
    assert job is not None
    roster = Roster(store)
    for record in (
        NodeRecord("busy", 1, time_ms, job.id, 1, "commit", proof_count=4),
        NodeRecord("hung", 2, time_ms - 100_000),
        NodeRecord("idle", 3, time_ms),
        NodeRecord("last", 4, time_ms, is_draining=True),
    ):
        roster.join(record)
    lines = lines_of("status", "--jobs", store.folder)
    assert lines[0] == "1 queued, 1 leased, 0 proven, 0 failed, 0 parked"
    assert lines[1].startswith("0 proofs in the last hour; the oldest unproven job came 1 min 0")
    assert [line.split()[:5] for line in lines[3:]] == [
        ["busy", "working", "1", "1", "commit"],
        ["hung", "silent", "0", "1", "min"],
        ["idle", "idle", "0", "0", "s"],
        ["last", "draining", "0", "0", "s"],
    ]
    record = json_of("status", "--jobs", store.folder)
    assert (record["jobs"]["leased"], record["waiting"], record["proven_last_hour"]) == (1, 2, 0)
    assert [(each["node"], each["state"]) for each in record["nodes"]] == [
        ("busy", "working"), ("hung", "silent"), ("idle", "idle"), ("last", "draining"),
    ]  # fmt: skip


def test_draining_is_asked_for_and_taken_back(tmp_path: Path, work: None) -> None:
    store = store_with(tmp_path, 1)
    Roster(store).join(NodeRecord("one", 1, now_ms()))
    lines = lines_of("drain", "--jobs", store.folder, "--node", "one")
    assert (lines[0], lines[2].split()[:2]) == ("node one: drains", ["one", "draining"])
    assert refused(2, "drain", "--jobs", store.folder, "--node", "two") == (
        "Error: node two: expected a node of this store, got no such node"
    )
    assert lines_of("drain", "--jobs", store.folder, "--node", "one", "--undo")[0] == (
        "node one: goes on"
    )
    assert json_of("drain", "--jobs", store.folder)["is_draining"]
    assert "the store drains: no node takes a job" in lines_of("status", "--jobs", store.folder)
    assert refused(3, "drain", "--jobs", store.folder, "--node", "one", "--undo").startswith(
        "Error: node one: expected a store that does not drain (prover drain --undo --jobs "
    )
    line = refused(3, "run", "--jobs", store.folder, "--metrics-port", 0)
    assert line == (
        f"Error: {store.folder}: expected a store that takes nodes (prover drain --undo --jobs "
        f"{store.folder}), got one that drains"
    )
    assert not json_of("drain", "--jobs", store.folder, "--undo")["is_draining"]
    assert run("run", "--jobs", store.folder, "--metrics-port", 0, "--once").exit_code == 0


def test_the_doctor_ends_with_one_when_something_fails(tmp_path: Path) -> None:
    result = run("doctor", "--jobs", tmp_path / "none")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[-1].startswith(f"fail  job store: {tmp_path / 'none'}: expected a job store")
    assert [line.split(":")[0].split()[1] for line in lines[:3]] == ["processor", "cores", "memory"]
    found = json_of("doctor", "--jobs", store_with(tmp_path, 0).folder)
    assert found["ok"]
    assert set(found["findings"][0]) == {"name", "status", "meaning", "remedy"}


def test_too_little_memory_is_refused_before_the_work(
    witnesses: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prover.memory.available_bytes", lambda: 1)
    monkeypatch.setattr("prover.memory.own_resident_bytes", lambda: 0)
    store = store_with(tmp_path, 0)
    for command in (
        ("prove", witnesses[0], "-o", tmp_path / "batch.proof"),
        ("run", "--jobs", store.folder, "--metrics-port", 0),
    ):
        assert re.fullmatch(
            r"Error: memory for shape S: expected \d+ MiB, got 0 MiB available: "
            "stop other work, raise a limit on memory, or use a larger machine",
            refused(2, *command),
        )


def test_an_address_without_ray_is_refused(tmp_path: Path) -> None:
    store = store_with(tmp_path, 0)
    assert refused(2, "run", "--jobs", store.folder, "--address", "10.0.0.1:6379") == (
        "Error: --address: expected --executor ray with it, got inline"
    )
    joined = ("--executor", "ray", "--address", "10.0.0.1:6379")
    assert refused(2, "run", "--jobs", store.folder, *joined) == (
        "Error: --address: expected --work-dir DIR with it, which all machines see, got none"
    )


@pytest.mark.parametrize(
    "address", ["", "auto", "localhost", ":6379", "host:", "host:0", "host:65536", "host:6e3"]
)
def test_what_is_no_address_is_refused_before_anything_is_loaded(
    tmp_path: Path, address: str
) -> None:
    command = ("run", "--jobs", tmp_path, "--executor", "ray", "--work-dir", tmp_path)
    assert refused(2, *command, "--address", address) == (
        f"Error: --address: expected HOST:PORT with a port below 65536, got {address!r}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_margin_batch_goes_through_a_node_to_a_proof_that_verifies(
    executor: str, witnesses: list[Path], tmp_path: Path
) -> None:
    store, proof = tmp_path / "jobs", tmp_path / "batch.proof"
    run("jobs", "new", "--jobs", store)
    run("jobs", "add", witnesses[0], "--jobs", store)
    command = ["-m", "sequencer.cli", "prover", "run", "--jobs", str(store), "--until-empty"]
    command += ["--executor", executor, "--workers", "2", "--work-dir", str(tmp_path / "work")]
    node = NodeProcess([*command, "--metrics-port", "0"])
    try:
        assert node.wait(COLD_START_S) == 0, node.lines
    finally:
        node.end()
    assert [event["what"] for event in node.events("loading")] == ['"kernels;']
    joined = [event["kind"] for event in node.events("cluster")]
    assert joined == ["joined"] * (2 if executor == "process" else 0)
    assert not list((tmp_path / "work").glob("*"))
    assert [event["shape"] for event in node.events("taken")] == ["S"]
    stages = [event["stage"] for event in node.events("stage_ended")]
    assert stages == ["load", "commit", "helpers", "sumcheck", "reduction", "opening"]
    run("jobs", "fetch", 1, "--jobs", store, "-o", proof)
    checked = CliRunner().invoke(
        main, ["verify", "proof", str(proof), str(proof.with_suffix(".statement"))]
    )
    assert checked.stdout.startswith("accepted: shape S, batch 1, ")


@pytest.mark.slow
def test_a_read_only_cache_folder_is_one_warning(
    witnesses: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a first run leaves in the temporary folder, so that nothing is compiled here.
    fallback = tmp_path / f"plasmaperps-{os.getuid()}"
    fallback.mkdir(mode=0o700)
    for part in ("kernels", "srs"):
        shutil.copytree(Path(os.environ["PLASMAPERPS_CACHE"]) / part, fallback / part)
    store = tmp_path / "jobs"
    run("jobs", "new", "--jobs", store)
    run("jobs", "add", witnesses[0], "--jobs", store)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # Nobody can make a folder there, not even root.
    monkeypatch.setenv("PLASMAPERPS_CACHE", "/proc/no-cache-here")
    command = ["-m", "sequencer.cli", "prover", "run", "--jobs", str(store), "--until-empty"]
    node = NodeProcess([*command, "--metrics-port", "0"])
    try:
        assert node.wait(COLD_START_S) == 0, node.lines
    finally:
        node.end()
    others = [line for line in node.lines if not line.startswith("time=")]
    assert others == [
        (
            f"cache folder /proc/no-cache-here cannot be written, using {fallback / 'work'}: "
            "set PLASMAPERPS_CACHE to a folder that can"
        )
    ]
    assert JobStore(store).job(1).state is JobState.PROVEN
