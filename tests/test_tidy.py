"""The style of the project, held by tests: who imports whom, sizes, banned calls, clean files.

Everything here reads source text and syntax trees; no module of the project is imported.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("circuits", "verifier", "prover", "sequencer")

LINES_MAX = 500
LINES_AIM = 300
FUNCTION_LINES_MAX = 70
LINE_LENGTH_MAX = 100

# Folder or module -> what it may import beside the standard library; the longest name that
# matches decides. An entry like "circuits.exchange" allows that module and all below it.
ALLOWED_IMPORTS: dict[str, set[str]] = {
    "circuits": {
        "circuits.errors", "circuits.field", "circuits.poseidon2", "circuits.edwards",
        "circuits.signature", "circuits.merkle", "circuits.statement", "circuits.pubdata",
        "circuits.json_guard",
    },
    "circuits.cli": {"circuits", "click", "numpy"},
    "circuits.cli_support": {"click"},
    "circuits.rulebook": {"circuits", "click"},
    "circuits.exchange": {
        "circuits.exchange", "circuits.errors", "circuits.field", "circuits.poseidon2",
        "circuits.edwards", "circuits.signature", "circuits.merkle", "circuits.statement",
        "circuits.pubdata", "circuits.json_guard",
    },
    "circuits.air": {"circuits.air", "circuits.errors", "circuits.field"},
    "circuits.chips": {
        "circuits.air", "circuits.chips", "circuits.errors", "circuits.field",
        "circuits.poseidon2", "circuits.edwards", "circuits.montgomery", "circuits.signature",
        "circuits.merkle", "circuits.statement", "circuits.pubdata", "circuits.exchange.units",
        "circuits.exchange.limits", "circuits.exchange.events", "numpy",
    },
    "circuits.witness": {"circuits", "numpy"},
    "verifier": {"circuits", "verifier", "py_ecc", "eth_hash"},
    "verifier.cli": {"circuits", "verifier", "click"},
    "verifier.solidity": {"circuits", "verifier", "py_ecc", "eth_hash", "click"},
    "prover": {"circuits", "verifier", "prover", "numpy", "numba", "py_ecc", "eth_hash"},
    "prover.kernels": {
        "prover.kernels", "prover.cache_folder", "prover.kernel_choice", "circuits.field",
        "circuits.air.tape",
        "circuits.poseidon2", "circuits.edwards",
        "numpy", "numba", "llvmlite",
    },
    "prover.kernel_choice": {"llvmlite"},
    "prover.cluster.ray_fleet": {"prover", "ray"},
    "prover.reference": {"circuits", "verifier", "prover", "numpy", "galois"},
    "prover.cli": {"circuits", "verifier", "prover", "numpy", "click"},
    "prover.bench.cli": {"circuits", "prover", "click"},
    "prover.bench.options": {"circuits", "verifier", "prover", "click"},
    "prover.bench.plot": {"prover.bench", "matplotlib"},
    "prover.cli_options": {"circuits", "prover", "click"},
    "prover.node.cli": {"circuits", "verifier", "prover", "click"},
    "prover.node.jobs_cli": {"circuits", "prover", "click"},
    "prover.node.cli_support": {"circuits", "verifier", "prover", "click"},
    "prover.node.metrics": {"prover", "prometheus_client"},
    "sequencer": {
        "circuits", "verifier", "prover", "sequencer", "numpy", "click", "eth_hash",
    },
    "sequencer.l1": {
        "circuits", "verifier", "prover", "sequencer", "click", "eth_hash", "web3", "eth_tester",
        "eth", "eth_utils", "eth_abi", "eth_account", "eth_keys", "pyrevm",
    },
    "scripts": {"circuits", "verifier", "prover", "sequencer", "click"},
    "examples": {"circuits", "sequencer", "click"},
    # A comparison drives other programs and checks their proofs; what it shares is the yardstick.
    "bench": {
        "bench", "circuits", "verifier", "prover", "numpy", "click", "pyrevm", "eth_abi",
        "eth_hash",
    },
}  # fmt: skip

# Inside a chip numpy fills tables and nothing else.
NUMPY_ONLY_INSIDE = {"circuits.chips": "fill"}

LIBRARY_BANNED_CALLS = {
    "print": "libraries return values; commands use click.echo",
    "eval": "data never becomes code",
    "exec": "data never becomes code",
    "breakpoint": "a debugging stop",
    "pickle.load": "it runs code from a file",
    "pickle.loads": "it runs code from a file",
    "os.system": "use subprocess with a list of arguments",
}
# A definition no longer than this may speak by its name alone.
SHORT_DEFINITION_LINES = 7

TEST_BANNED_CALLS = {
    "time.sleep": "wait for the event itself",
    "asyncio.sleep": "wait for the event itself",
    "pytest.skip": "make the tool available in setup instead",
}


@cache
def tracked_files() -> tuple[Path, ...]:
    """List the files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = sorted(filter(None, listed.stdout.split("\0")))
    return tuple(ROOT / name for name in names if (ROOT / name).is_file())


def python_files(*folders: str) -> list[Path]:
    return [
        path
        for path in tracked_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def longest_match(name: str, prefixes: dict[str, set[str]]) -> str:
    return max((prefix for prefix in prefixes if is_under(name, prefix)), key=len)


def imports_of(path: Path) -> list[tuple[ast.stmt, str]]:
    """List (statement, module) for every import of a file, nested and type-only ones included."""
    found: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.extend((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append((node, "a relative import"))
            elif node.module in PACKAGES or _is_package(node.module or ""):
                found.extend((node, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                found.append((node, node.module or ""))
    return found


def _is_package(module: str) -> bool:
    return (ROOT / module.replace(".", "/") / "__init__.py").is_file()


def call_name(node: ast.Call) -> str:
    """Spell a call's target as written: "print", "time.sleep"; empty when it is not a name."""
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    if not isinstance(target, ast.Name):
        return ""
    return ".".join(reversed([*parts, target.id]))


def test_imports_keep_their_direction() -> None:
    faults = []
    for path in python_files(*PACKAGES, "scripts", "examples", "bench"):
        name = module_name(path)
        rule = longest_match(name, ALLOWED_IMPORTS)
        for node, imported in imports_of(path):
            if imported.partition(".")[0] in sys.stdlib_module_names:
                continue
            if not any(is_under(imported, allowed) for allowed in ALLOWED_IMPORTS[rule]):
                faults.append(f"{place(path, node)}: {name} must not import {imported}")
    assert not faults, "\n".join(faults)


def test_numpy_stays_inside_fill() -> None:
    faults = []
    for path in python_files("circuits"):
        for prefix, function in NUMPY_ONLY_INSIDE.items():
            if not is_under(module_name(path), prefix):
                continue
            tree = tree_of(path)
            inside = {
                id(child)
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef) and function in node.name
                for child in ast.walk(node)
            }
            faults.extend(
                f"{place(path, node)}: numpy outside {function}()"
                for node in ast.walk(tree)
                if isinstance(node, ast.Name)
                and node.id in {"np", "numpy"}
                and isinstance(node.ctx, ast.Load)
                and id(node) not in inside
            )
    assert not faults, "\n".join(faults)


def test_files_functions_and_lines_are_short() -> None:
    faults = []
    for path in python_files(*PACKAGES, "scripts", "examples", "bench", "tests"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > LINES_MAX:
            faults.append(f"{place(path, tree_of(path))}: {len(lines)} lines, at most {LINES_MAX}")
        faults.extend(
            f"{path.relative_to(ROOT)}:{number}: {len(line)} characters, at most {LINE_LENGTH_MAX}"
            for number, line in enumerate(lines, 1)
            if len(line) > LINE_LENGTH_MAX
        )
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    faults.append(
                        f"{place(path, node)}: {node.name} has {length} lines,"
                        f" at most {FUNCTION_LINES_MAX}"
                    )
    assert not faults, "\n".join(faults)


def test_most_files_stay_near_the_aim() -> None:
    """A file above the aim is one idea that does not divide; they stay few."""
    sources = python_files(*PACKAGES)
    above = [path for path in sources if len(path.read_text().splitlines()) > LINES_AIM]
    names = [str(path.relative_to(ROOT)) for path in above]
    assert len(above) * 10 <= len(sources), f"above {LINES_AIM} lines: {names}"


@pytest.mark.parametrize(
    ("folders", "banned"), [(PACKAGES, LIBRARY_BANNED_CALLS), (("tests",), TEST_BANNED_CALLS)]
)
def test_banned_calls(folders: tuple[str, ...], banned: dict[str, str]) -> None:
    faults = []
    for path in python_files(*folders):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and (name := call_name(node)) in banned:
                faults.append(f"{place(path, node)}: {name}: {banned[name]}")
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                faults.append(f"{place(path, node)}: except without a class")
    assert not faults, "\n".join(faults)


def test_the_verifier_never_asserts() -> None:
    """`python -O` removes assert statements, so none may stand between a proof and its verdict."""
    faults = [
        place(path, node)
        for path in python_files("verifier")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Assert)
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_and_public_name_has_a_docstring(package: str) -> None:
    faults = []
    for path in python_files(package):
        if not ast.get_docstring(tree_of(path)):
            faults.append(f"{place(path, tree_of(path))}: a module without a docstring")
        for node in tree_of(path).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > SHORT_DEFINITION_LINES and not ast.get_docstring(node):
                faults.append(f"{place(path, node)}: {node.name} without a docstring")
    assert not faults, "\n".join(faults)


# Written in two parts, so that this file does not contain what it looks for.
MACHINE_SPECIFIC = re.compile(
    r"(?<![\w.])/" + r"(?:work|root|home|Users|tmp|opt)/\w"
    "|pypi" + r"\.org|python" + r"hosted\.org|registry\." + "npmjs"
    "|--(?:extra-)?index" + r"-url|--find" + r'-links|"resolved"\s*:\s*"' + "http"
)
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


@pytest.mark.parametrize("pattern", [MACHINE_SPECIFIC, UNFINISHED], ids=["machine", "unfinished"])
def test_files_carry_no_machine_names_and_nothing_unfinished(pattern: re.Pattern[str]) -> None:
    faults = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        faults.extend(
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()}"
            for found in pattern.finditer(text)
        )
    assert not faults, "\n".join(faults)
