"""Where the value of an expression ends up: the part of reading a rule that follows reasons.

A reject reason that a rule names is raised, or becomes an outcome, or is written into a step; which
of them is not always seen where it is named. So each place in the syntax tree of a function has
sinks: where a reason that stands there goes.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from types import FunctionType
from typing import NamedTuple, get_args

from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Outcome
from circuits.exchange.steps import Step
from circuits.rulebook.reaching import reached_reads
from circuits.rulebook.source import callees, parameters, resolve, tree_of

STEPS = frozenset(get_args(Step))


class Sink(StrEnum):
    """Where a reason can end up."""

    REFUSED = "refused"
    OUTCOME = "outcome"
    RECORDED = "recorded"


class Raised(NamedTuple):
    """Where a raised reason goes: `caught`, and for those of `again` what the next handler says."""

    caught: Sinks
    again: frozenset[RejectReason] = frozenset()
    beyond: Raised | None = None


Sinks = frozenset[Sink | Raised]
NOWHERE: Sinks = frozenset()
REFUSING = Raised(frozenset((Sink.REFUSED,)))
"""Nothing catches what is raised here: the command is refused."""

ALL_REASONS = frozenset(RejectReason)


def ends_of(reason: RejectReason, sinks: Sinks) -> frozenset[Sink]:
    """Where one reason ends up that goes to the sinks."""
    ends: frozenset[Sink] = frozenset()
    for sink in sinks:
        if isinstance(sink, Sink):
            ends |= {sink}
        elif sink.beyond is not None and reason in sink.again:
            ends |= ends_of(reason, frozenset((sink.beyond,)))
        else:
            ends |= ends_of(reason, sink.caught)
    return ends


@dataclass(frozen=True)
class Scope:
    """A function of the rules, where what it raises goes, and where what it returns goes."""

    function: FunctionType
    raised: Raised
    returned: Sinks


Part = tuple[ast.AST, Sinks, Scope]


def parts(scope: Scope, node: ast.AST, sinks: Sinks) -> Iterator[Part]:
    """The parts of a node in the order in which they are evaluated, each with its sinks."""
    match node:
        case ast.Call():
            yield from _call_parts(scope, node, sinks)
        case ast.Try():
            inside = replace(scope, raised=_raised_inside(scope, node))
            yield from ((each, NOWHERE, inside) for each in node.body)
            rest = (*node.handlers, *node.orelse, *node.finalbody)
            yield from ((each, NOWHERE, scope) for each in rest)
        case ast.Assign(targets=targets, value=value):
            yield value, _target_sinks(scope, node, targets), scope
        case ast.AnnAssign(target=target, value=value):
            if value is not None:
                yield value, _target_sinks(scope, node, [target]), scope
        case ast.NamedExpr(target=target, value=value):
            yield value, sinks | _target_sinks(scope, node, [target]), scope
        case ast.For(target=target):
            yield node.iter, _target_sinks(scope, node, [target]), scope
            yield from ((each, NOWHERE, scope) for each in (*node.body, *node.orelse))
        case ast.Return(value=value):
            if value is not None:
                yield value, scope.returned, scope
        case ast.IfExp():
            yield node.test, NOWHERE, scope
            yield node.body, sinks, scope
            yield node.orelse, sinks, scope
        case ast.Attribute():
            yield node.value, sinks if "reason" in node.attr else NOWHERE, scope
        case ast.expr() if not isinstance(node, ast.Compare | ast.UnaryOp):
            yield from ((each, sinks, scope) for each in ast.iter_child_nodes(node))
        case _:
            yield from ((each, NOWHERE, scope) for each in ast.iter_child_nodes(node))


def _call_parts(scope: Scope, call: ast.Call, sinks: Sinks) -> Iterator[Part]:
    if isinstance(call.func, ast.Attribute):
        yield call.func.value, NOWHERE, scope
    for place, argument in enumerate(call.args):
        yield argument, _argument_sinks(scope, call, place, sinks), scope
    for keyword in call.keywords:
        yield keyword.value, _argument_sinks(scope, call, keyword.arg or "", sinks), scope


def _argument_sinks(scope: Scope, call: ast.Call, place: int | str, sinks: Sinks) -> Sinks:
    """Where an argument of a call goes; `place` is its position or its name."""
    called = resolve(scope.function, call.func)
    if called is Rejected:
        return frozenset((scope.raised,)) if place in (0, "reason") else NOWHERE
    if isinstance(called, type) and called in STEPS:
        names = list(called.__annotations__)
        name = names[place] if isinstance(place, int) else place
        is_reason = "RejectReason" in str(called.__annotations__[name])
        return frozenset((Sink.RECORDED,)) if is_reason else NOWHERE
    if called == Outcome.of:
        return frozenset((Sink.OUTCOME,))
    found = callees(scope.function, call.func)
    if not found:
        # A tuple type, a cast, a choice: what is made goes on with the reason in it.
        return sinks
    joined = NOWHERE
    for callee in found:
        names = parameters(callee)
        if isinstance(place, int) and names[:1] == ["self"]:
            names = names[1:]
        name = place if isinstance(place, str) else names[place] if place < len(names) else ""
        joined |= variable_sinks(Scope(callee, scope.raised, sinks), name)
    return joined


def _target_sinks(scope: Scope, definition: ast.AST, targets: list[ast.expr]) -> Sinks:
    """Where the value of an assignment goes: to all places in which a target is read then."""
    joined = NOWHERE
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                joined |= variable_sinks(scope, node.id, definition)
    return joined


def _raised_inside(scope: Scope, node: ast.Try) -> Raised:
    """Where a reason goes that is raised in the body of a `try`."""
    for handler in node.handlers:
        if handler.type is None or resolve(scope.function, handler.type) is not Rejected:
            continue
        caught = NOWHERE
        if handler.name:
            reads = {
                each
                for each in ast.walk(handler)
                if isinstance(each, ast.Name) and each.id == handler.name
            }
            for statement in handler.body:
                caught |= place_sinks(scope, statement, reads)
        return Raised(caught, _raised_again(scope, handler.body, ALL_REASONS), scope.raised)
    return scope.raised


def _raised_again(
    scope: Scope, body: list[ast.stmt], reasons: frozenset[RejectReason]
) -> frozenset[RejectReason]:
    """Those of some reasons that a handler raises again, by the conditions that it names."""
    found: frozenset[RejectReason] = frozenset()
    for statement in body:
        if isinstance(statement, ast.Raise) and statement.exc is None:
            found |= reasons
        elif isinstance(statement, ast.If):
            named = frozenset(reasons_below(scope.function, statement.test))
            if named and isinstance(statement.test, ast.Compare):
                if isinstance(statement.test.ops[0], ast.NotIn | ast.IsNot | ast.NotEq):
                    named = ALL_REASONS - named
            found |= _raised_again(scope, statement.body, reasons & named if named else reasons)
            found |= _raised_again(scope, statement.orelse, reasons - named)
    return found


def reasons_below(function: FunctionType, root: ast.AST) -> Iterator[RejectReason]:
    """The reasons that an expression names, in its constants too."""
    for node in ast.walk(root):
        if isinstance(node, ast.Name | ast.Attribute):
            yield from reasons_of(resolve(function, node))


def reasons_of(value: object) -> list[RejectReason]:
    """The reasons in a constant: one, or a collection of some."""
    if isinstance(value, RejectReason):
        return [value]
    if isinstance(value, frozenset):
        return [each for each in RejectReason if each in value]
    if isinstance(value, dict):
        value = (*value.keys(), *value.values())
    if isinstance(value, tuple):
        return [each for each in value if isinstance(each, RejectReason)]
    return []


_IN_PROGRESS: set[tuple[FunctionType, str, ast.AST | None]] = set()


@cache
def variable_sinks(scope: Scope, name: str, definition: ast.AST | None = None) -> Sinks:
    """Where the value goes that a definition, or None for the caller, gives a variable."""
    guard = (scope.function, name, definition)
    if guard in _IN_PROGRESS:
        return NOWHERE
    _IN_PROGRESS.add(guard)
    tree = tree_of(scope.function)
    reads = reached_reads(tree, name, definition)
    joined = NOWHERE
    for statement in tree.body:
        joined |= place_sinks(scope, statement, reads)
    _IN_PROGRESS.discard(guard)
    return joined


def place_sinks(scope: Scope, root: ast.AST, reads: Collection[ast.AST]) -> Sinks:
    """Where the values go that are read below a node."""
    joined = NOWHERE
    waiting: list[Part] = [(root, NOWHERE, scope)] if reads else []
    while waiting:
        node, sinks, inside = waiting.pop()
        if node in reads:
            joined |= sinks
        waiting.extend(parts(inside, node, sinks))
    return joined
