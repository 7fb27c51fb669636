"""The order of the public words is the same in Solidity and in Python."""

from __future__ import annotations

import re
from pathlib import Path

from circuits.statement import ACCOUNT_WORDS, PUBLIC_WORDS, QUEUE_WORDS

SOURCE = Path(__file__).resolve().parents[2] / "contracts/src/interfaces/StatementWords.sol"


def test_solidity_mirrors_the_statement() -> None:
    found = re.findall(r"constant (\w+) = (\d+);", SOURCE.read_text(encoding="utf-8"))
    expected = [(name.upper(), index) for index, name in enumerate(PUBLIC_WORDS)]
    expected += [
        ("WORD_COUNT", len(PUBLIC_WORDS)),
        ("WORDS_PER_QUEUE_ENTRY", QUEUE_WORDS),
        ("WORDS_PER_ACCOUNT", ACCOUNT_WORDS),
    ]
    assert [(name, int(value)) for name, value in found] == expected
