"""What is shipped and what the README promises: the wheel, the lock, the targets, the docs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"circuits", "verifier", "prover", "sequencer"}

MAKE_TARGETS = {
    "help", "setup", "demo", "test", "test-fast", "test-slow", "lint", "fmt", "types", "contracts",
    "contracts-check", "vk", "vk-check", "vectors", "docs", "bench", "bench-peers", "soak", "dist",
    "lock", "ci", "clean",
}  # fmt: skip


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder))
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_exactly_the_four_packages(wheel: zipfile.ZipFile) -> None:
    top_level = {name.partition("/")[0] for name in wheel.namelist()}
    (dist_info,) = {name for name in top_level if name.endswith(".dist-info")}
    assert dist_info.startswith("plasmaperps-")
    assert top_level - {dist_info} == PACKAGES


def test_the_wheel_brings_every_source_and_data_file(wheel: zipfile.ZipFile) -> None:
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", *sorted(PACKAGES))
    expected = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    shipped = {name for name in wheel.namelist() if name.partition("/")[0] in PACKAGES}
    assert shipped == expected | {"sequencer/data/margin_day.jsonl"}
    assert {Path(name).suffix for name in shipped} <= {".py", ".json", ".jsonl"}


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "plasmaperps = sequencer.cli:main" in wheel.read(name).decode()


def test_the_lock_pins_every_dependency_by_hash_and_names_no_host() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert re.findall(r"https?:|file:|^-", text, re.M) == []
    entries = re.split(r"\n(?=\S)", text.strip())
    for entry in entries:
        assert re.match(r"^[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    locked = {entry.partition("==")[0] for entry in entries}
    assert declared_names() <= locked


def declared_names() -> set[str]:
    """Collect the names of all dependencies that pyproject.toml asks for directly."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [project["project"]["dependencies"]]
    lists.extend(project["project"]["optional-dependencies"].values())
    lists.extend(project["dependency-groups"].values())
    return {re.split(r"[\[<>=]", entry)[0] for entries in lists for entry in entries}


def test_make_help_prints_every_target() -> None:
    printed = set(re.findall(r"^  ([a-z-]+) ", run("make", "--no-print-directory", "help"), re.M))
    defined = set(re.findall(r"^\.PHONY: ([a-z-]+)$", (ROOT / "Makefile").read_text(), re.M))
    assert printed == defined == MAKE_TARGETS


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("\nexec make test")
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^make demo\b", readme, re.M)
    assert re.search(r"^make test\b", readme, re.M)


def test_links_between_the_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert broken == []


def test_make_targets_named_in_the_pages_exist() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        target for page in pages for target in re.findall(r"`make ([a-z-]+)", page.read_text())
    }
    assert named <= MAKE_TARGETS


def test_the_command_reference_is_up_to_date() -> None:
    run(sys.executable, "scripts/cli_reference.py", "docs/cli.md", "--check")


def test_the_chips_reference_is_up_to_date() -> None:
    run(sys.executable, "scripts/chips_reference.py", "docs/chips.md", "--check")


def test_the_rule_tables_are_up_to_date() -> None:
    run(sys.executable, "scripts/rules_reference.py", "docs/rule-tables.md", "--check")
