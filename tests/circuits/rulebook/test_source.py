"""What names in a rule stand for, and the texts below constants."""

from __future__ import annotations

import ast

import pytest

from circuits.exchange import gates, limits, matching
from circuits.exchange.errors import RejectReason
from circuits.exchange.transactions import authority
from circuits.exchange.transactions.authority import digest_of
from circuits.rulebook.source import callees, constant_docs, parameters, resolve, tree_of


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def test_texts_below_constants_are_found_by_name() -> None:
    docs = constant_docs("circuits.exchange.limits")
    assert docs["ORDERS_MAX"] == "Resting orders of one account: what clearing it can cost."
    reasons = constant_docs("circuits.exchange.errors", "RejectReason")
    assert set(reasons) == {reason.name for reason in RejectReason}


def test_names_are_resolved_unless_they_are_local() -> None:
    function = gates.require_market
    assert resolve(function, expression("RejectReason.UNKNOWN_MARKET")) is RejectReason(
        "unknown_market"
    )
    assert resolve(function, expression("market")) is None
    assert resolve(function, expression("draft.terms")) is None
    assert resolve(matching.sweep, expression("MATCH_STEPS_MAX")) == limits.MATCH_STEPS_MAX


def test_calls_lead_to_functions_of_the_rules_alone() -> None:
    function = gates.require_current
    assert callees(function, expression("require_funding")) == [gates.require_funding]
    assert callees(function, expression("min")) == []
    assert [each.__qualname__ for each in callees(function, expression("draft.prices"))] == [
        "Draft.prices"
    ]
    verify = authority.authorise
    assert callees(verify, expression("context.digest")) == [digest_of]


def test_trees_and_parameters_of_functions() -> None:
    assert tree_of(gates.is_armed).name == "is_armed"
    assert parameters(gates.require_market) == ["draft", "market"]
    with pytest.raises(LookupError, match=r"<lambda>: expected a source$"):
        tree_of(lambda: None)
