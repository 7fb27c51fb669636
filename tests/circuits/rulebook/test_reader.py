"""What is read out of functions written for the purpose, and out of the rules themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from circuits.exchange.draft import Draft
from circuits.exchange.errors import Rejected, RejectReason
from circuits.exchange.events import Kind, Outcome
from circuits.exchange.gates import require_market
from circuits.exchange.rules import RULES
from circuits.exchange.steps import Dropped, Ended, OperationRefused, OrderName
from circuits.exchange.transactions import authority
from circuits.rulebook.flow import Sink
from circuits.rulebook.reader import Findings, merged, read_functions, read_rule
from circuits.rulebook.sheet import outcomes_of, reason_meanings

CURABLE = (RejectReason.FUNDING_DUE, RejectReason.TRIGGER_DUE)
NAME = OrderName(1, 0, 1)


def read(function: Callable[..., object]) -> tuple[Findings, dict[RejectReason, set[str]]]:
    """What a function can do as the rule of a queued command, and the ends of each reason."""
    findings = read_functions((function,), has_outcome=True)
    return findings, {check.reason: {end.value for end in check.ends} for check in findings.checks}


def refuses_in_order(draft: Draft, amount: int) -> None:
    if amount == 0:
        raise Rejected(RejectReason.AMOUNT_ZERO, "an amount", amount)
    require_market(draft, amount)
    if amount == 2:
        raise Rejected(RejectReason.EXPIRED if amount else RejectReason.NO_KEY, "", "")


def catches(draft: Draft, amount: int) -> Outcome:
    mark = draft.mark()
    try:
        require_market(draft, amount)
        if amount:
            raise Rejected(RejectReason.FUNDING_DUE, "", "")
    except Rejected as rejected:
        if rejected.reason in CURABLE:
            raise
        draft.rollback(mark)
        return Outcome.of(rejected.reason)
    return Outcome.PARTIAL


def records(draft: Draft, amount: int) -> None:
    try:
        require_market(draft, amount)
    except Rejected as rejected:
        draft.steps.append(OperationRefused(amount, rejected.reason))


def passes_over(draft: Draft, amount: int) -> None:
    try:
        require_market(draft, amount)
    except Rejected:
        return


def why(amount: int) -> RejectReason | None:
    if amount == 0:
        return RejectReason.SELF_TRADE
    return None


def replaces_a_variable(draft: Draft, amount: int) -> None:
    while amount:
        reason = RejectReason.SELF_TRADE if amount == 2 else None
        if reason is None:
            reason = RejectReason.OPEN_INTEREST if amount == 3 else None
            if reason is not None:
                raise Rejected(reason, "", "")
            reason = RejectReason.VAULT_CAP if amount == 4 else None
        if reason is not None:
            draft.steps.append(Dropped(0, NAME, reason))
            continue
        amount -= 1
    draft.steps.append(Ended(0, NAME, amount, None))


def test_reasons_are_found_in_the_order_of_the_code_and_in_what_is_called() -> None:
    findings, ends = read(refuses_in_order)
    assert [check.reason.value for check in findings.checks] == [
        "amount_zero",
        "unknown_market",
        "expired",
        "no_key",
    ]
    assert findings.checks[1].place == "gates.require_market"
    assert all(end == {"refused"} for end in ends.values())


def test_two_ways_through_a_function_keep_the_order_of_each() -> None:
    reasons = merged(
        (RejectReason.AMOUNT_ZERO, RejectReason.BOOK_FULL),
        (RejectReason.PRICE_ZERO, RejectReason.BOOK_FULL, RejectReason.NO_KEY),
    )
    assert [reason.value for reason in reasons] == [
        "amount_zero",
        "price_zero",
        "book_full",
        "no_key",
    ]
    agents = [check.reason.value for check in read_rule(Kind.CANCEL).checks]
    assert agents.index("no_key") < agents.index("unknown_agent") < agents.index("expired")


def test_a_caught_reason_goes_where_its_handler_sends_it() -> None:
    findings, ends = read(catches)
    assert ends == {
        RejectReason.UNKNOWN_MARKET: {"outcome"},
        RejectReason.FUNDING_DUE: {"refused"},
    }
    assert findings.outcomes == (Outcome.UNKNOWN_MARKET, Outcome.PARTIAL)
    findings, ends = read(records)
    assert (findings.steps, ends) == (
        (OperationRefused,),
        {RejectReason.UNKNOWN_MARKET: {"recorded"}},
    )
    assert read(passes_over)[1] == {}


def test_a_variable_sends_a_reason_only_where_it_still_holds_it() -> None:
    findings, ends = read(replaces_a_variable)
    assert ends == {
        RejectReason.SELF_TRADE: {"recorded"},
        RejectReason.OPEN_INTEREST: {"refused"},
        RejectReason.VAULT_CAP: {"recorded"},
    }
    assert findings.steps == (Dropped, Ended)


def test_every_rule_can_be_read_and_begins_with_the_time() -> None:
    assert set(RULES) == set(Kind)
    for kind in Kind:
        first = [check.reason for check in read_rule(kind).checks[:2]]
        assert first == [RejectReason.TIME_BACKWARDS, RejectReason.TIME_OUT_OF_RANGE], kind


def test_signed_commands_begin_with_authority_in_its_fixed_order() -> None:
    expected = ["unknown_account", "no_key", "expired", "nonce_not_increasing"]
    expected += ["field_out_of_range", "signature_r_not_canonical", "signature_s_not_canonical"]
    expected += ["signature_r_off_curve", "signature_r_small_order", "signature_equation"]
    with_agents = [*expected[:2], "unknown_agent", "agent_expired", "agent_scope", *expected[2:]]
    for kind in Kind:
        if kind.is_signed:
            found = [check.reason.value for check in read_rule(kind).checks[2:]]
            wanted = with_agents if kind in authority.SCOPES else expected
            assert found[: len(wanted)] == wanted, kind


def test_every_reason_can_be_given_by_some_rule() -> None:
    """A reason that nothing can give is a promise that nobody keeps."""
    given = {check.reason for kind in Kind for check in read_rule(kind).checks}
    as_outcome = {outcome.name for kind in Kind for outcome in outcomes_of(kind)}
    unused = [
        reason.value
        for reason in RejectReason
        if reason not in given and reason.name not in as_outcome
    ]
    assert unused == []


def test_every_reason_has_a_meaning() -> None:
    meanings = reason_meanings()
    assert list(meanings) == list(RejectReason)
    assert len(set(meanings.values())) == len(meanings)


@pytest.mark.parametrize(
    ("kind", "reason", "ends"),
    [
        (Kind.PLACE, RejectReason.SELF_TRADE, {Sink.RECORDED}),
        (Kind.PLACE, RejectReason.POST_ONLY_CROSSES, {Sink.REFUSED}),
        (Kind.PLACE, RejectReason.INSUFFICIENT_MARGIN, {Sink.REFUSED, Sink.RECORDED}),
        (Kind.BATCH, RejectReason.UNKNOWN_ORDER, {Sink.RECORDED}),
        (Kind.BATCH, RejectReason.BATCH_SIZE, {Sink.REFUSED}),
        (Kind.FORCED_CLOSE, RejectReason.FUNDING_DUE, {Sink.REFUSED}),
        (Kind.FORCED_CLOSE, RejectReason.NO_POSITION, {Sink.OUTCOME}),
        (Kind.LIQUIDATE, RejectReason.NOT_LIQUIDATABLE, {Sink.REFUSED, Sink.RECORDED}),
        (Kind.VAULT_DEPOSIT, RejectReason.NO_SHARES, {Sink.OUTCOME}),
        (Kind.ORACLE_TICK, RejectReason.SIGNATURE_EQUATION, {Sink.REFUSED}),
        (Kind.EXPIRE, RejectReason.EXPIRED, {Sink.RECORDED}),
    ],
)
def test_known_rules_are_read_right(kind: Kind, reason: RejectReason, ends: set[Sink]) -> None:
    found = {check.reason: check.ends for check in read_rule(kind).checks}
    assert found[reason] == ends


def test_only_queued_commands_have_outcomes() -> None:
    for kind in Kind:
        outcomes = outcomes_of(kind)
        assert outcomes[:1] == ([Outcome.APPLIED] if kind.is_queued else [])
    assert outcomes_of(Kind.REGISTER_KEY) == [Outcome.APPLIED, Outcome.INVALID_KEY]
