"""Development keys: derived from a label, known to everyone, funded on local chains only."""

from __future__ import annotations

from functools import cache

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from sequencer.l1.port import Signer

DEPLOYER_LABEL = "deployer"
SEQUENCER_LABEL = "sequencer"

DEVELOPMENT_BALANCE_WEI = 10**24


@cache
def development_signer(label: str) -> Signer:
    """The signer of a label; equal labels give equal keys on every machine."""
    secret = keccak(b"plasmaperps development key " + label.encode())
    return Signer(PrivateKey(secret).public_key.to_address(), secret)


def deployer() -> Signer:
    """The account that deploys on local chains; fresh there, so that addresses repeat."""
    return development_signer(DEPLOYER_LABEL)


def sequencer() -> Signer:
    """The account that posts batches on local chains."""
    return development_signer(SEQUENCER_LABEL)
