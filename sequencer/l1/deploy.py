"""Deployment of the venue's contracts, at the same addresses on every fresh local chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from circuits import statement
from sequencer.l1.abi import SHIPPED_ARTIFACTS, Artifact, load_artifact, rejection
from sequencer.l1.errors import InsecureKeyRefused, L1Error, L1Reverted
from sequencer.l1.port import L1, LOCAL_CHAIN_IDS, Receipt, Signer, address_word

SEQUENCER_EPOCH = 1


@dataclass(frozen=True, slots=True)
class VerifierPlan:
    """Which compiled contracts judge proofs, and whether anybody could forge for them.

    `parts` are deployed first, in this order; where the verifier's constructor takes one
    argument, it is the list of their addresses.
    """

    contract: str
    insecure: bool
    parts: tuple[str, ...] = ()
    artifacts: Path = SHIPPED_ARTIFACTS

    @property
    def error_folders(self) -> tuple[Path, ...]:
        """Where the errors of every contract of a deployment are described."""
        return tuple(dict.fromkeys((SHIPPED_ARTIFACTS, self.artifacts)))

    @property
    def artifact(self) -> Artifact:
        """The compiled verifier."""
        return load_artifact(self.contract, self.artifacts)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Addresses and fixed settings of one venue on one chain.

    `gas_used` is by contract, and empty where the deployment was read from a file.
    """

    chain_id: int
    first_block: int
    token: str
    custody: str
    queue: str
    verifier: str
    verifier_parts: tuple[str, ...]
    settlement: str
    sequencer: str
    sequencer_epoch: int
    genesis_root: int
    key_digest: bytes
    gas_used: dict[str, int]
    verifier_plan: VerifierPlan

    @property
    def domain(self) -> int:
        """First public word of every statement; also bound by every signature."""
        return statement.domain(self.chain_id, address_word(self.settlement))


def created_address(deployer: str, nonce: int) -> str:
    """Address of the contract that a transaction creates. Source: yellow paper, section 7."""
    digits = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    coded_nonce = digits if 0 < nonce < 0x80 else bytes([0x80 + len(digits)]) + digits
    coded_address = bytes([0x80 + 20]) + bytes.fromhex(deployer[2:])
    payload = coded_address + coded_nonce
    return "0x" + keccak(bytes([0xC0 + len(payload)]) + payload)[12:].hex()


def refuse_insecure(chain_id: int, insecure: bool) -> None:
    """Stop a development key before anything is sent to a chain that others can reach.

    Raises: InsecureKeyRefused.
    """
    if insecure and chain_id not in LOCAL_CHAIN_IDS:
        raise InsecureKeyRefused(chain_id, LOCAL_CHAIN_IDS)


def numbered_parts(prefix: str, artifacts: Path = SHIPPED_ARTIFACTS) -> tuple[str, ...]:
    """Names prefix0, prefix1, ... for as long as there are artifacts of that name."""
    names: list[str] = []
    while (artifacts / f"{prefix}{len(names)}.json").exists():
        names.append(f"{prefix}{len(names)}")
    return tuple(names)


def settlement_address(deployer: str, nonce: int, verifier: VerifierPlan, with_token: bool) -> str:
    """Where `deploy` will put the settlement; `with_token` when it deploys a token as well.

    The order of creations is token, custody, queue, the verifier's parts, verifier, settlement.
    """
    return created_address(deployer, nonce + int(with_token) + 2 + len(verifier.parts) + 1)


def deploy(
    l1: L1,
    deployer: Signer,
    verifier: VerifierPlan,
    *,
    sequencer: str,
    genesis_root: int,
    token: str | None = None,
    sequencer_epoch: int = SEQUENCER_EPOCH,
    advance: Callable[[int], None] = lambda count: None,
) -> Deployment:
    """Deploy token (a worthless one where none is given), custody, queue, verifier, settlement.

    `advance` is told of every contract that is there.
    Raises: InsecureKeyRefused before anything is sent; L1Rejected; L1Error.
    """
    refuse_insecure(l1.chain_id, verifier.insecure)
    nonce = l1.nonce(deployer.address)
    settlement_later = settlement_address(deployer.address, nonce, verifier, token is None)
    queue_later = created_address(deployer.address, nonce + int(token is None) + 1)
    creations = _Creations(l1, deployer, verifier, advance)
    if token is None:
        token = creations.create(load_artifact("TestToken"))
    custody = creations.create(load_artifact("Custody"), token, queue_later, settlement_later)
    queue = creations.create(load_artifact("Queue"), custody)
    judge, parts = creations.create_verifier()
    settlement = creations.create(
        load_artifact("Settlement"), queue, judge, sequencer, sequencer_epoch, genesis_root
    )
    return Deployment(
        chain_id=l1.chain_id,
        first_block=creations.first_block,
        token=token,
        custody=custody,
        queue=queue,
        verifier=judge,
        verifier_parts=parts,
        settlement=settlement,
        sequencer=sequencer,
        sequencer_epoch=sequencer_epoch,
        genesis_root=genesis_root,
        key_digest=creations.key_digest(judge),
        gas_used=creations.gas_used,
        verifier_plan=verifier,
    )


class _Creations:
    """The running list of creations, which adds up gas."""

    def __init__(
        self, l1: L1, deployer: Signer, verifier: VerifierPlan, advance: Callable[[int], None]
    ) -> None:
        self._l1 = l1
        self._deployer = deployer
        self._verifier = verifier
        self._advance = advance
        self.gas_used: dict[str, int] = {}
        self.first_block = 0

    def create(self, artifact: Artifact, *arguments: object) -> str:
        """Deploy one contract and return its address."""
        receipt = self._send(artifact.creation(*arguments))
        if receipt.contract is None:
            raise L1Error(f"{artifact.name}: expected a created contract, got none")
        self.gas_used[artifact.name] = receipt.gas_used
        self.first_block = self.first_block or receipt.block_number
        self._advance(1)
        return receipt.contract

    def create_verifier(self) -> tuple[str, tuple[str, ...]]:
        """Deploy the helper contracts, then the verifier that calls them."""
        plan = self._verifier
        parts = tuple(self.create(load_artifact(name, plan.artifacts)) for name in plan.parts)
        arguments = (parts,) if plan.artifact.constructor_types else ()
        address = self.create(plan.artifact, *arguments)
        on_chain = self._ask(address, "insecure")
        if on_chain != plan.insecure:
            raise L1Error(
                f"{plan.contract}.insecure(): expected {plan.insecure} from the verifying key, "
                f"got {on_chain}"
            )
        return address, parts

    def key_digest(self, address: str) -> bytes:
        """Digest of the verifying key that the deployed verifier states."""
        return bytes(self._ask(address, "keyDigest"))

    def _ask(self, address: str, function: str) -> Any:
        artifact = self._verifier.artifact
        return artifact.output(function, self._l1.call(address, artifact.call(function)))

    def _send(self, data: bytes) -> Receipt:
        try:
            return self._l1.send(self._deployer, None, data)
        except L1Reverted as reverted:
            raise rejection(reverted, self._verifier.error_folders) from reverted
