"""What happened in a run, counted from the receipts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from circuits.exchange.apply import Command, Receipt
from circuits.exchange.events import Executed
from circuits.exchange.fields import kind_of
from circuits.exchange.state import State
from circuits.exchange.steps import (
    BreakerTripped,
    DeficitCovered,
    Dropped,
    Filled,
    FundingSettled,
    Halted,
    Resumed,
    SharesMinted,
    SharesRedeemed,
    TriggerFired,
)

STEP_NAMES: dict[type, str] = {
    Filled: "fills",
    Dropped: "drops",
    TriggerFired: "triggers_fired",
    BreakerTripped: "breaker_trips",
    Halted: "halts",
    Resumed: "resumes",
    FundingSettled: "funding_settlements",
    DeficitCovered: "deficits_covered",
    SharesMinted: "vault_mints",
    SharesRedeemed: "vault_redeems",
}
"""What is counted of the steps of commands."""

KIND_NAMES = {
    "liquidate": "liquidations",
    "take_over": "takeovers",
    "auto_deleverage": "deleverages",
    "vault_quote": "vault_quotes",
}
"""What is counted of the commands themselves."""


class Tally:
    """Counts of commands, refusals, outcomes of queued commands, and what happened in them."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._steps: Counter[type] = Counter()
        self.traded_count = 0

    def before(self, state: State, command: Command) -> None:
        """Nothing is counted yet."""

    def after(self, receipt: Receipt) -> None:
        """Count one command."""
        kind = kind_of(receipt.command.body)
        if receipt.rejected is not None:
            self.rejected[receipt.rejected.reason.value] += 1
            return
        self.kinds[kind.name.lower()] += 1
        if kind.is_queued and receipt.outcome is not None:
            self.outcomes[receipt.outcome.name.lower()] += 1
        event = receipt.event
        if isinstance(event, Executed) and event.steps:
            found = [type(step) for step in event.steps]
            self._steps.update(found)
            self.traded_count += Filled in found

    @property
    def applied_count(self) -> int:
        """Commands that the rules accepted."""
        return self.kinds.total()

    def figures(self) -> dict[str, Any]:
        """Everything by name, refusals by reason."""
        counted = {name: self._steps[step] for step, name in STEP_NAMES.items()}
        counted |= {name: self.kinds[kind] for kind, name in KIND_NAMES.items()}
        return {
            "applied": self.applied_count,
            "rejected": dict(sorted(self.rejected.items())),
            **dict(sorted(counted.items())),
            "commands_that_traded": self.traded_count,
            "kinds": dict(sorted(self.kinds.items())),
            "outcomes": dict(sorted(self.outcomes.items())),
        }
