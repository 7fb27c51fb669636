"""One sheet per command kind: who authorises it, its fields, its checks, and what it can do."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple, get_args

from circuits.exchange import bodies
from circuits.exchange import limits as bounds
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.rules import MODULES, RULES
from circuits.exchange.transactions.authority import SCOPE_CANCEL, SCOPES
from circuits.rulebook.fields import FieldRow, count_max, fields_of_kind
from circuits.rulebook.flow import Sink
from circuits.rulebook.reader import Check, read_rule
from circuits.rulebook.source import constant_docs

ORIGINS: tuple[tuple[str, Any, str], ...] = (
    ("queued", bodies.Request, "the account's owner, through the L1 queue"),
    ("governed", bodies.Governed, "governance, through the L1 queue"),
    ("signed", bodies.SignedTransaction, "a signature of the account's key"),
    ("feed", bodies.Feed, "signatures of a quorum of oracle signers"),
    ("derived", bodies.Derived, "nobody: whoever orders the commands may send it when it is due"),
)
"""Origin, the bodies that have it, and who authorises them."""


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A reject reason of a rule, what it means and the function that first names it."""

    reason: str
    meaning: str
    place: str


@dataclass(frozen=True, slots=True)
class NamedRow:
    """An outcome or a kind of step, and what it means."""

    name: str
    meaning: str


class Head(NamedTuple):
    """A command in one line."""

    name: str
    origin: str
    summary: str


@dataclass(frozen=True, slots=True)
class RuleSheet:
    """All that a reader wants to know of one command kind."""

    name: str
    code: int
    origin: str
    authorised_by: str
    summary: str
    body: str
    effect: str
    fields: tuple[FieldRow, ...]
    count_max: int | None
    checks: tuple[ReasonRow, ...]
    outcomes: tuple[NamedRow, ...]
    recorded: tuple[NamedRow, ...]
    steps: tuple[NamedRow, ...]

    def as_json(self) -> dict[str, Any]:
        """The sheet as a JSON object."""
        return asdict(self)


@cache
def reason_meanings() -> dict[RejectReason, str]:
    """What each reject reason means, from its own docstring."""
    docs = constant_docs("circuits.exchange.errors", "RejectReason")
    return {reason: docs[reason.name] for reason in RejectReason}


@cache
def transactions() -> dict[Kind, tuple[str, Any, str]]:
    """Origin, body type and authority of every kind."""
    return {
        body.KIND: (origin, body, authority)
        for origin, union, authority in ORIGINS
        for body in (get_args(union) or (union,))
    }


def sheet_of(kind: Kind) -> RuleSheet:
    """The sheet of a kind, read from the rule's source and the docstrings there."""
    origin, body, authority = transactions()[kind]
    findings = read_rule(kind)
    return RuleSheet(
        name=kind.name.lower(),
        code=kind.value,
        origin=origin,
        authorised_by=authority + _agents(kind),
        summary=summary_of(kind),
        body=_first_line(inspect.getdoc(body) or ""),
        effect=_prose(inspect.getdoc(RULES[kind]) or ""),
        fields=fields_of_kind(kind),
        count_max=count_max(kind),
        checks=tuple(map(_reason_row, findings.with_end(Sink.REFUSED))),
        outcomes=tuple(
            NamedRow(each.name.lower(), outcome_meaning(each)) for each in outcomes_of(kind)
        ),
        recorded=tuple(
            NamedRow(check.reason.value, reason_meanings()[check.reason])
            for check in findings.with_end(Sink.RECORDED)
        ),
        steps=tuple(NamedRow(each.__name__, _prose(each.__doc__ or "")) for each in findings.steps),
    )


def sheets() -> list[RuleSheet]:
    """The sheets of all kinds, by origin and code."""
    return [sheet_of(kind) for kind in transactions()]


def heads() -> list[Head]:
    """Name, origin and summary of all kinds, by origin and code."""
    return [
        Head(kind.name.lower(), transactions()[kind][0], summary_of(kind))
        for kind in transactions()
    ]


def kinds_by_name() -> dict[str, Kind]:
    """All kinds by the names that commands have in JSON."""
    return {kind.name.lower(): kind for kind in transactions()}


def summary_of(kind: Kind) -> str:
    """What a command is, from the first line of its module."""
    return _first_line(inspect.getdoc(MODULES[kind]) or "").partition(": ")[2]


def outcomes_of(kind: Kind) -> list[Outcome]:
    """What a queued command can end with, APPLIED first; nothing for all others."""
    if not kind.is_queued:
        return []
    found = read_rule(kind).outcomes
    return [Outcome.APPLIED, *(each for each in found if each is not Outcome.APPLIED)]


def outcome_meaning(outcome: Outcome) -> str:
    """What an outcome means: that of its reject reason if it has one."""
    if outcome.name in RejectReason.__members__:
        return reason_meanings()[RejectReason[outcome.name]]
    return constant_docs("circuits.exchange.events", "Outcome")[outcome.name]


def limits() -> list[tuple[str, str, str]]:
    """Name, value and reason of every bound that has a reason of its own."""
    docs = constant_docs("circuits.exchange.limits")
    return [
        (name, _number(getattr(bounds, name)), reason)
        for name, reason in docs.items()
        if isinstance(getattr(bounds, name, None), int)
    ]


def _number(value: int) -> str:
    """A number as it is read best: a large power of two, or one less, as that."""
    for power, less in ((value, ""), (value + 1, " - 1")):
        if power >= 2**20 and power & (power - 1) == 0:
            return f"2^{power.bit_length() - 1}{less}"
    return f"{value:,}"


def _reason_row(check: Check) -> ReasonRow:
    return ReasonRow(check.reason.value, reason_meanings()[check.reason], check.place)


def _agents(kind: Kind) -> str:
    scopes = SCOPES.get(kind)
    if scopes is None:
        return ""
    needed = "trade or cancel" if scopes & SCOPE_CANCEL else "trade"
    return f", or of an agent's key that may {needed}"


def _first_line(text: str) -> str:
    """The first paragraph in one line."""
    return " ".join(text.partition("\n\n")[0].split())


def _prose(text: str) -> str:
    """A docstring in one line, without the sections that are for callers."""
    lines = text.splitlines()
    kept = []
    for line in lines:
        if line.partition(":")[0] in ("Raises", "Cost", "Assumes", "Units", "Source"):
            break
        kept.append(line)
    return " ".join(" ".join(kept).split())
