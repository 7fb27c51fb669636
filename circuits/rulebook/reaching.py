"""Which reads of a variable an assignment reaches, before another one replaces the value."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache


@cache
def reached_reads(
    function: ast.FunctionDef, name: str, definition: ast.AST | None
) -> frozenset[ast.Name]:
    """The reads of a local variable that a definition of it reaches.

    `definition` is a statement or an expression inside one; None stands for the parameter.
    """
    run = _Run(name, definition)
    run.block(function.body, definition is None)
    return frozenset(run.reads)


class _Run:
    """Carries through a function whether the definition's value is still the variable's."""

    def __init__(self, name: str, definition: ast.AST | None) -> None:
        self.name = name
        self.definition = definition
        self.reads: set[ast.Name] = set()
        self.is_live_at_exit: list[bool] = []
        """For each loop around: whether a `break` or `continue` leaves it with the value."""

    def block(self, statements: Iterable[ast.stmt], is_live: bool) -> bool:
        """Whether the value is there after the statements, if it is before."""
        for statement in statements:
            is_live = self.statement(statement, is_live)
        return is_live

    def statement(self, node: ast.stmt, is_live: bool) -> bool:
        """The same for one statement; no statement follows one that leaves the function."""
        match node:
            case ast.If(test=test):
                is_live = self.evaluate(test, is_live)
                after_body = self.block(node.body, is_live)
                return self.block(node.orelse, is_live) or after_body
            case ast.For(iter=head) | ast.While(test=head):
                return self.loop(node, head, is_live)
            case ast.Try():
                after_body = self.block(node.body, is_live)
                is_raised = is_live or after_body or self.defines(node.body)
                ends = [self.block(each.body, is_raised) for each in node.handlers]
                after_body = self.block(node.orelse, after_body)
                return self.block(node.finalbody, after_body or any(ends))
            case ast.Return() | ast.Raise():
                self.evaluate(node, is_live)
                return False
            case ast.Break() | ast.Continue():
                self.is_live_at_exit[-1] |= is_live
                return False
            case _:
                return self.evaluate(node, is_live)

    def loop(self, node: ast.For | ast.While, head: ast.expr, is_live: bool) -> bool:
        """A loop, twice: what its end brings is there when it begins again."""
        self.is_live_at_exit.append(False)
        for _ in range(2):
            is_live = self.evaluate(head, is_live)
            if isinstance(node, ast.For):
                is_live = self.evaluate(node.target, is_live)
                is_live |= node is self.definition
            after_body = self.block(node.body, is_live)
            is_live |= after_body | self.is_live_at_exit[-1]
        self.is_live_at_exit.pop()
        return self.block(node.orelse, is_live)

    def evaluate(self, node: ast.AST, is_live: bool) -> bool:
        """Note the reads of an expression or a statement without others in it."""
        is_stored = False
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id == self.name:
                if isinstance(each.ctx, ast.Store):
                    is_stored = True
                elif is_live:
                    self.reads.add(each)
        if self.defines([node]):
            return True
        return is_live and (not is_stored or isinstance(node, ast.AugAssign))

    def defines(self, nodes: Iterable[ast.AST]) -> bool:
        """Whether the definition stands below one of the nodes."""
        return any(each is self.definition for node in nodes for each in ast.walk(node))
