"""Development keys: the same on every machine, one per label."""

from __future__ import annotations

from eth_account import Account

from sequencer.l1 import devkeys


def test_keys_repeat_and_differ_by_label() -> None:
    assert devkeys.deployer() == devkeys.development_signer("deployer")
    assert devkeys.sequencer().address != devkeys.deployer().address
    assert devkeys.sequencer().address == "0xc1c24fdc5c3af17cb07068baf43263869b977687"


def test_the_address_belongs_to_the_secret() -> None:
    signer = devkeys.development_signer("anyone")
    assert Account.from_key(signer.secret).address.lower() == signer.address


def test_a_signer_does_not_print_its_secret() -> None:
    assert devkeys.deployer().secret.hex() not in repr(devkeys.deployer())
