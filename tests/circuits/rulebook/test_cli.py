"""`plasmaperps rules`: list, show, and what a mistyped name gets."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from circuits.exchange.events import Kind
from circuits.rulebook.cli import rules


def run(*arguments: str) -> Result:
    return CliRunner().invoke(rules, arguments)


def test_list_has_one_line_for_every_command() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert {line.split()[0] for line in lines} == {kind.name.lower() for kind in Kind}
    assert len(lines) == len(Kind)
    (line,) = (line for line in lines if line.startswith("oracle_tick "))
    assert line.split()[1] == "feed"


def test_list_as_json() -> None:
    listed = json.loads(run("list", "--json").stdout)["commands"]
    assert len(listed) == len(Kind)
    assert {tuple(each) for each in listed} == {("name", "origin", "summary")}


def test_show_prints_fields_checks_and_steps() -> None:
    result = run("show", "place")
    assert result.exit_code == 0
    for part in ("  price          32 bits   ticks", "   1  time_backwards", "  Filled "):
        assert part in result.stdout


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_show_as_json_has_every_command(kind: Kind) -> None:
    shown = json.loads(run("show", kind.name.lower(), "--json").stdout)
    assert (shown["name"], shown["code"]) == (kind.name.lower(), kind.value)
    assert [check["reason"] for check in shown["checks"][:1]] == ["time_backwards"]
    assert {field["name"] for field in shown["fields"]} >= set()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("plce", "near it: place"),
        ("TRANSFER", "near it: transfer"),
        ("nothing-like-it", "see plasmaperps rules list"),
    ],
)
def test_an_unknown_name_gets_one_line_with_what_is_near(name: str, hint: str) -> None:
    result = run("show", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        f"Error: rules show: expected the name of a command, got {name!r}; {hint}"
    )
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [(), ("list",), ("show",)])
def test_every_help_has_an_example(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "plasmaperps rules" in result.stdout
