"""Reads what a rule can do out of its own source: every reason, outcome and step, in order.

Starting at a rule's `apply`, the reader takes statements and expressions in the order in which they
are evaluated, all branches of each condition, and enters each function of the rules where it is
called. What is found is what the text of the code allows; it is not a promise that some command
brings it about.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import cast

from circuits.exchange.apply import require_time
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.rules import RULES
from circuits.rulebook.flow import (
    NOWHERE,
    REFUSING,
    STEPS,
    Scope,
    Sink,
    Sinks,
    ends_of,
    parts,
    reasons_of,
)
from circuits.rulebook.source import RULES_PACKAGE, callees, resolve, tree_of
from circuits.signature import SignatureReject

OUTCOME: Sinks = frozenset((Sink.OUTCOME,))
"""Where a rule's own answer goes."""

Order = tuple[RejectReason, ...]
"""Reasons in the order in which their checks are first made."""


@dataclass(frozen=True, slots=True)
class Check:
    """A reason that a rule can give, the function that first names it, and what follows from it."""

    reason: RejectReason
    place: str
    ends: frozenset[Sink]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one rule can do, each list in the order of the code."""

    checks: tuple[Check, ...]
    outcomes: tuple[Outcome, ...]
    steps: tuple[type, ...]

    def with_end(self, end: Sink) -> list[Check]:
        """The checks that can end so."""
        return [check for check in self.checks if end in check.ends]


@cache
def read_rule(kind: Kind) -> Findings:
    """All that the rule of a kind can do.

    Cost: the source of the modules that it enters is parsed once.
    """
    return read_functions((require_time, RULES[kind]), has_outcome=kind.is_queued)


def read_functions(functions: Iterable[Callable[..., object]], has_outcome: bool) -> Findings:
    """All that functions can do that run one after the other; what they return is the outcome."""
    reader = _Reader(has_outcome)
    order: Order = ()
    for function in functions:
        order += reader.function(Scope(cast(FunctionType, function), REFUSING, OUTCOME))
    return Findings(
        tuple(reader.checks[reason] for reason in dict.fromkeys(order)),
        tuple(reader.outcomes),
        tuple(reader.steps),
    )


class _Reader:
    """Walks the functions that one rule runs and notes what they name."""

    def __init__(self, has_outcome: bool) -> None:
        self.has_outcome = has_outcome
        self.checks: dict[RejectReason, Check] = {}
        self.outcomes: dict[Outcome, None] = {}
        self.steps: dict[type, None] = {}
        self.actors: dict[type, None] = {}
        """Types of the rules of which an object was named: a method may be theirs."""
        self.known: dict[Scope, Order] = {}

    def function(self, scope: Scope) -> Order:
        """Read a function, once for each way in which what it raises and returns is used."""
        if scope not in self.known:
            self.known[scope] = ()  # what a function that calls itself adds, it has already
            self.known[scope] = self.block(scope, tree_of(scope.function).body)
        return self.known[scope]

    def block(self, scope: Scope, statements: Sequence[ast.stmt]) -> Order:
        """Read statements that follow each other."""
        order: Order = ()
        for place, node in enumerate(statements):
            if not isinstance(node, ast.If):
                order += self.node(scope, node, NOWHERE)
                continue
            order += self.node(scope, node.test, NOWHERE)
            body, orelse = self.block(scope, node.body), self.block(scope, node.orelse)
            if _leaves(node.body):
                return order + merged(body, orelse + self.block(scope, statements[place + 1 :]))
            order += merged(body, orelse)
        return order

    def node(self, scope: Scope, node: ast.AST, sinks: Sinks) -> Order:
        """Read a statement or an expression: what is in it, and then what it does itself."""
        order: Order = ()
        block: list[ast.stmt] = []
        inside = scope
        for part, part_sinks, part_scope in parts(scope, node, sinks):
            if block and not (isinstance(part, ast.stmt) and part_scope == inside):
                order += self.block(inside, block)
                block = []
            if isinstance(part, ast.stmt):
                block.append(part)
                inside = part_scope
            else:
                order += self.node(part_scope, part, part_sinks)
        order += self.block(inside, block)
        if isinstance(node, ast.Name | ast.Attribute):
            order += self.note(scope, resolve(scope.function, node), sinks)
        elif isinstance(node, ast.Call):
            order += self.call(scope, node, sinks)
        return order

    def call(self, scope: Scope, node: ast.Call, sinks: Sinks) -> Order:
        """Read what is called; the arguments are read already."""
        called = resolve(scope.function, node.func)
        order = self.note(scope, called, NOWHERE)
        if isinstance(called, type) and called in STEPS:
            self.steps.setdefault(called)
        if called is RejectReason:
            for reject in SignatureReject:
                order += self.note(scope, RejectReason(reject.value), sinks)
        for callee in callees(scope.function, node.func, self.actors):
            order += self.function(Scope(callee, scope.raised, sinks))
        return order

    def note(self, scope: Scope, value: object, sinks: Sinks) -> Order:
        """Note a constant or type that a name stands for; a reason's first place stays."""
        named = value if isinstance(value, type) else type(value)
        if named.__module__.startswith(RULES_PACKAGE):
            self.actors.setdefault(named)
        if isinstance(value, Outcome) and sinks:
            self.outcomes.setdefault(value)
        noted: Order = ()
        for reason in reasons_of(value):
            ends = ends_of(reason, sinks)
            if not self.has_outcome:
                ends -= {Sink.OUTCOME}
            if not ends:
                continue
            function = scope.function
            place = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
            before = self.checks.get(reason, Check(reason, place, frozenset()))
            self.checks[reason] = Check(reason, before.place, before.ends | ends)
            if Sink.OUTCOME in ends and reason.name in Outcome.__members__:
                self.outcomes.setdefault(Outcome.of(reason))
            noted += (reason,)
        return noted


def merged(first: Iterable[RejectReason], second: Iterable[RejectReason]) -> Order:
    """One order of two alternatives: that of each is kept, as far as they do not contradict.

    Where neither says which comes first, the first alternative does.
    """
    left, right = list(dict.fromkeys(first)), list(dict.fromkeys(second))
    order: list[RejectReason] = []
    for reason in left:
        if reason in right:
            place = right.index(reason)
            order += right[:place]
            right = right[place:]
        order.append(reason)
    return tuple(dict.fromkeys(order + right))


def _leaves(statements: Sequence[ast.stmt]) -> bool:
    """Whether nothing after the statements is reached from their end."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.If):
        return _leaves(last.body) and _leaves(last.orelse)
    return isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break)
