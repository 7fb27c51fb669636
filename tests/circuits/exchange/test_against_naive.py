"""Every rule against a second implementation, on one stream of random commands for each seed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from circuits.exchange.events import Kind, Outcome
from tests.conftest import PROFILE
from tests.naive.comparison import Comparison, kind_and_account
from tests.naive.double_entry import is_balanced
from tests.naive.flow import WEIGHTS

COMMANDS, SEEDS = (12_500, 8) if PROFILE == "nightly" else (2_500, 2)

RARE = {Kind.COVER_DEFICIT, Kind.AUTO_DELEVERAGE}
if PROFILE != "nightly":
    RARE |= {Kind.REQUEST_LIQUIDATION}
    RARE |= {kind for kind, weight in WEIGHTS.items() if weight < 1}
"""What need not happen in every stream of this length."""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(SEEDS))
def test_both_implementations_agree_after_every_command(number: int, rng: random.Random) -> None:
    seed = rng.getrandbits(32) + number
    comparison = Comparison(seed)
    accepted: Counter[Kind] = Counter()
    for _ in range(COMMANDS):
        command, receipt = comparison.step()
        if receipt.accepted and receipt.outcome in (Outcome.APPLIED, Outcome.PARTIAL):
            accepted[kind_and_account(command)[0]] += 1
    assert is_balanced(comparison.naive.world)
    missing = [kind.name for kind in WEIGHTS if not accepted[kind] and kind not in RARE]
    assert not missing, f"seed {seed}: never applied: {missing}"
