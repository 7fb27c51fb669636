"""Holds what commands really do against what the rulebook reads in their rules."""

from __future__ import annotations

from circuits.exchange.apply import Receipt
from circuits.exchange.errors import RejectReason
from circuits.exchange.events import Executed, Kind
from circuits.exchange.fields import kind_of
from circuits.rulebook.flow import Sink
from circuits.rulebook.reader import read_rule
from circuits.rulebook.sheet import outcomes_of


def assert_reason_listed(kind: Kind, reason: RejectReason) -> None:
    """A command of this kind was refused for this reason: the rulebook says that it can be."""
    listed = {check.reason for check in read_rule(kind).with_end(Sink.REFUSED)}
    assert reason in listed, f"{kind.name.lower()}: {reason} is not in `rules show`"


def assert_receipt_listed(receipt: Receipt) -> None:
    """Everything that one command did is listed: reason, outcome, steps and their reasons."""
    kind = kind_of(receipt.command.body)
    if receipt.rejected is not None:
        assert_reason_listed(kind, receipt.rejected.reason)
        return
    findings = read_rule(kind)
    if kind.is_queued:
        assert receipt.outcome in outcomes_of(kind), f"{kind.name.lower()}: {receipt.outcome!r}"
    if isinstance(receipt.event, Executed):
        recorded = {check.reason for check in findings.with_end(Sink.RECORDED)}
        for step in receipt.event.steps:
            assert type(step) in findings.steps, f"{kind.name.lower()}: {step}"
            reason = getattr(step, "reason", None)
            assert reason is None or reason in recorded, f"{kind.name.lower()}: {step}"
