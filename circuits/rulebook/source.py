"""The syntax trees of the rules, and what the names in them stand for."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any, TypeGuard

from circuits.exchange.transactions.authority import digest_of

RULES_PACKAGE = "circuits.exchange."

FIELDS_THAT_CALL: dict[str, Any] = {"digest": digest_of}
"""Fields of a rule's context that hold a function, and the one they hold unless it is replaced."""


@cache
def module_tree(name: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(inspect.getsource(importlib.import_module(name)))


@cache
def tree_of(function: FunctionType) -> ast.FunctionDef:
    """The syntax tree of a function.

    Raises: LookupError for a function that stands in no source, such as one that was made.
    """
    first_line = function.__code__.co_firstlineno
    for node in ast.walk(module_tree(function.__module__)):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            if first_line in (node.lineno, *(each.lineno for each in node.decorator_list)):
                return node
    raise LookupError(f"{function.__module__}.{function.__qualname__}: expected a source")


def parameters(function: FunctionType) -> list[str]:
    """The names of a function's parameters, in their order."""
    arguments = tree_of(function).args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def constant_docs(module: str, owner: str | None = None) -> dict[str, str]:
    """The text below each constant of a module, or of one of its classes, by the constant's name.

    A text below several names stands for the last of them alone.
    """
    body: list[ast.stmt] = module_tree(module).body
    if owner is not None:
        (found,) = (each for each in body if isinstance(each, ast.ClassDef) and each.name == owner)
        body = found.body
    docs = {}
    for statement, after in pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(after, ast.Expr):
            if isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
                (target,) = statement.targets
                docs[ast.unparse(target)] = " ".join(after.value.value.split())
    return docs


def resolve(function: FunctionType, node: ast.expr) -> Any:
    """What a name or dotted name in a function stands for; None for a local or an expression."""
    if isinstance(node, ast.Name):
        imported = _imports(function)
        if node.id in imported:
            return imported[node.id]
        return None if node.id in _locals(function) else function.__globals__.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = resolve(function, node.value)
        if isinstance(owner, ModuleType | type):
            return getattr(owner, node.attr, None)
    return None


def callees(
    function: FunctionType, node: ast.expr, actors: Iterable[type] = ()
) -> list[FunctionType]:
    """The functions of the rules that a call of an expression can run.

    A method of an object is sought by its name in all types that the module knows, and in `actors`.
    """
    found = resolve(function, node)
    if found is not None:
        plain = inspect.unwrap(getattr(found, "__func__", found))
        return [plain] if is_of_the_rules(plain) else []
    if not isinstance(node, ast.Attribute):
        return []
    if node.attr in FIELDS_THAT_CALL:
        return [FIELDS_THAT_CALL[node.attr]]
    known = [each for each in function.__globals__.values() if isinstance(each, type)]
    methods = dict.fromkeys(each.__dict__.get(node.attr) for each in (*known, *actors))
    return [each for each in methods if is_of_the_rules(each)]


def is_of_the_rules(found: object) -> TypeGuard[FunctionType]:
    """Whether something is a function of the rules, to be read too."""
    return isinstance(found, FunctionType) and found.__module__.startswith(RULES_PACKAGE)


@cache
def _imports(function: FunctionType) -> dict[str, Any]:
    """What a function imports in its body."""
    return {
        alias.asname or alias.name: getattr(importlib.import_module(node.module), alias.name)
        for node in ast.walk(tree_of(function))
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
    }


@cache
def _locals(function: FunctionType) -> frozenset[str]:
    """Parameters and all other names that a function binds."""
    stored = set(parameters(function))
    for node in ast.walk(tree_of(function)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            stored.add(node.name)
    return frozenset(stored)
