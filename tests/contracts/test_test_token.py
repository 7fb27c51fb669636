"""TestToken: enough of ERC-20 for the demo."""

from __future__ import annotations

from typing import Any

import pytest

from sequencer.l1.abi import load_artifact, rejection
from sequencer.l1.embedded import EmbeddedL1
from sequencer.l1.errors import L1Reverted
from sequencer.l1.port import Receipt, Signer
from tests.contracts.support.venue import ALICE, BOB, embedded

TOKEN = load_artifact("TestToken")


class Token:
    """One token on one chain."""

    def __init__(self) -> None:
        self.l1: EmbeddedL1 = embedded()
        created = self.l1.send(ALICE, None, TOKEN.creation()).contract
        assert created is not None
        self.address = created

    def send(self, signer: Signer, function: str, *arguments: object) -> Receipt:
        return self.l1.send(signer, self.address, TOKEN.call(function, *arguments))

    def read(self, function: str, *arguments: object) -> Any:
        output = self.l1.call(self.address, TOKEN.call(function, *arguments))
        return TOKEN.output(function, output)

    def balances(self) -> tuple[int, int]:
        return (self.read("balanceOf", ALICE.address), self.read("balanceOf", BOB.address))


def test_minted_tokens_move_by_transfer_and_allowance() -> None:
    token = Token()
    token.send(BOB, "mint", ALICE.address, 100)
    token.send(ALICE, "transfer", BOB.address, 30)
    assert token.balances() == (70, 30)
    token.send(ALICE, "approve", BOB.address, 50)
    token.send(BOB, "transferFrom", ALICE.address, BOB.address, 20)
    assert token.balances() == (50, 50)
    assert token.read("allowance", ALICE.address, BOB.address) == 30
    assert token.read("totalSupply") == 100
    assert token.read("decimals") == 6
    assert "worthless" in token.read("name")


def test_neither_balance_nor_allowance_can_be_overdrawn() -> None:
    token = Token()
    token.send(ALICE, "mint", ALICE.address, 10)
    token.send(ALICE, "approve", BOB.address, 99)
    attempts: dict[str, tuple[Signer, str, tuple[object, ...]]] = {
        "BalanceTooLow(available=10, wanted=11)": (ALICE, "transfer", (BOB.address, 11)),
        "BalanceTooLow(available=10, wanted=12)": (
            BOB, "transferFrom", (ALICE.address, BOB.address, 12),
        ),
        "AllowanceTooLow(available=99, wanted=100)": (
            BOB, "transferFrom", (ALICE.address, BOB.address, 100),
        ),
    }  # fmt: skip
    for expected, (signer, function, arguments) in attempts.items():
        with pytest.raises(L1Reverted) as caught:
            token.send(signer, function, *arguments)
        assert str(rejection(caught.value)) == expected
