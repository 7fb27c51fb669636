"""Which reads an assignment reaches: branches, loops, handlers, and what leaves a function."""

from __future__ import annotations

import ast
import textwrap

import pytest

from circuits.rulebook.reaching import reached_reads


def reached(body: str) -> set[int]:
    """The lines on which `value` is read that the assignment of 1 to it reaches."""
    source = "def function(value, other):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    (definition,) = (
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node).startswith("value = 1")
    )
    return {read.lineno - 1 for read in reached_reads(function, "value", definition)}


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("value = 1\nother(value)\nvalue = 2\nother(value)", {2}),
        ("other(value)\nvalue = 1", set()),
        ("value = 1\nif other:\n    value = 2\nother(value)", {4}),
        ("value = 1\nif other:\n    value = 2\nelse:\n    return\nother(value)", set()),
        ("value = 1\nif other:\n    return value\nother(value)", {3, 4}),
        ("while other:\n    other(value)\n    value = 1", {2}),
        ("while value:\n    if other:\n        continue\n    value = 1", {1}),
        ("for each in other:\n    value = 1\n    break\nelse:\n    other()\nother(value)", {6}),
        ("try:\n    value = 1\n    other()\nexcept KeyError:\n    other(value)", {5}),
        ("value = 1\nvalue += 1\nother(value)", {3}),
        ("value = 1\nvalue, other = value, 2\nother(value)", {2}),
    ],
)
def test_a_value_reaches_what_no_other_assignment_stands_before(body: str, lines: set[int]) -> None:
    assert reached(body) == lines


def test_a_parameter_reaches_until_it_is_assigned() -> None:
    function = ast.parse("def function(value):\n    print(value)\n    value = 1\n    print(value)")
    (definition,) = function.body
    assert isinstance(definition, ast.FunctionDef)
    assert {read.lineno for read in reached_reads(definition, "value", None)} == {2}
