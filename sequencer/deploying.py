"""The contracts that belong to a verifying key, and their deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from circuits.merkle import SparseTree
from sequencer.errors import BatchError
from sequencer.l1.abi import SHIPPED_ARTIFACTS
from sequencer.l1.deploy import Deployment, VerifierPlan, deploy, numbered_parts
from sequencer.l1.port import L1, Signer
from verifier.key import VerifyingKey


def verifier_plan(key: VerifyingKey, artifacts: Path = SHIPPED_ARTIFACTS) -> VerifierPlan:
    """The contracts that were generated from a key; those of packaged keys are shipped."""
    parts = numbered_parts("Constraints", artifacts)
    return VerifierPlan(f"Verifier{key.shape_name}", key.setup.insecure, parts, artifacts)


def contract_count(plan: VerifierPlan, with_token: bool) -> int:
    """How many contracts a deployment creates: three, the verifier with its parts, the token."""
    return 3 + 1 + len(plan.parts) + int(with_token)


def deploy_for_key(
    l1: L1,
    deployer: Signer,
    key: VerifyingKey,
    *,
    sequencer: str,
    token: str | None = None,
    artifacts: Path = SHIPPED_ARTIFACTS,
    advance: Callable[[int], None] = lambda count: None,
) -> Deployment:
    """Deploy a venue whose empty exchange is judged by this key.

    Raises: BatchError where the contract was generated from another key, InsecureKeyRefused: both
    before anything is sent; L1Error.
    """
    plan = verifier_plan(key, artifacts)
    place = f"key digest of contract {plan.contract}"
    # The generated code names the digest once, as a constant of 32 bytes.
    if key.digest not in plan.artifact.bytecode:
        raise BatchError(place, key.digest.hex(), "that of another key")
    deployment = deploy(
        l1,
        deployer,
        plan,
        sequencer=sequencer,
        genesis_root=SparseTree().root,
        token=token,
        advance=advance,
    )
    if deployment.key_digest != key.digest:
        raise BatchError(place, key.digest.hex(), deployment.key_digest.hex())
    return deployment
