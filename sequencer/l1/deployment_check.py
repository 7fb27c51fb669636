"""Whether a chain holds the venue that a deployment file describes, contract by contract.

The artifacts hold creation code, whose last part is the runtime code with 32 zero bytes, pushed
by PUSH32, for every use of an immutable. On the chain each of these places must hold one of the
venue's own settings, and every other byte must be the artifact's. Which setting an immutable holds
is then asked of the contracts themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sequencer.l1.abi import Artifact, load_artifact
from sequencer.l1.deploy import Deployment
from sequencer.l1.errors import L1Reverted, NotAsDeployed
from sequencer.l1.port import L1, address_word

PUSH32 = b"\x7f"
PLACEHOLDER = PUSH32 + bytes(32)

Answer = tuple[Artifact, str, str, object]
"""Contract, its address, a function without arguments, and what it must answer."""


def check_on_chain(l1: L1, deployment: Deployment) -> None:
    """Compare chain id, code and fixed settings with the file.

    Cost: one request for each contract's code and each setting, some twenty together.
    Raises: NotAsDeployed; L1Error.
    """
    if l1.chain_id != deployment.chain_id:
        raise NotAsDeployed("chain id", f"{deployment.chain_id} (deployment file)", l1.chain_id)
    if not l1.code(deployment.token):
        raise NotAsDeployed(f"token {deployment.token}", "a contract", "no code")
    settings = _settings(deployment)
    for artifact, address in _contracts(deployment):
        _check_code(artifact, address, l1.code(address), settings)
    for artifact, address, function, expected in _answers(deployment):
        place = f"{artifact.name}.{function}() at {address}"
        try:
            got = artifact.output(function, l1.call(address, artifact.call(function)))
        except L1Reverted as error:
            raise NotAsDeployed(place, _shown(expected), error) from error
        if got != expected:
            raise NotAsDeployed(place, _shown(expected), _shown(got))


def _contracts(deployment: Deployment) -> Iterator[tuple[Artifact, str]]:
    plan = deployment.verifier_plan
    yield load_artifact("Custody"), deployment.custody
    yield load_artifact("Queue"), deployment.queue
    yield load_artifact("Settlement"), deployment.settlement
    yield plan.artifact, deployment.verifier
    for name, address in zip(plan.parts, deployment.verifier_parts, strict=True):
        yield load_artifact(name, plan.artifacts), address


def _settings(deployment: Deployment) -> frozenset[bytes]:
    """All values that an immutable may hold; zero stands for parts that a verifier has not."""
    addresses = (
        deployment.token,
        deployment.custody,
        deployment.queue,
        deployment.verifier,
        deployment.settlement,
        deployment.sequencer,
        *deployment.verifier_parts,
    )
    values = (0, deployment.sequencer_epoch, *map(address_word, addresses))
    return frozenset(value.to_bytes(32, "big") for value in values)


def _check_code(artifact: Artifact, address: str, code: bytes, settings: frozenset[bytes]) -> None:
    place = f"{artifact.name} at {address}"
    if not code:
        raise NotAsDeployed(place, "its code", "no code")
    template = artifact.bytecode[-artifact.code_size :]
    if len(code) != len(template):
        raise NotAsDeployed(place, f"{len(template)} bytes of code", len(code))
    filled = bytearray(template)
    start = template.find(PLACEHOLDER)
    while start >= 0:
        first, end = start + len(PUSH32), start + len(PLACEHOLDER)
        if code[first:end] in settings:
            filled[first:end] = code[first:end]
        start = template.find(PLACEHOLDER, end)
    if code != filled:
        at = next(index for index, byte in enumerate(filled) if byte != code[index])
        raise NotAsDeployed(place, "the code of its artifact", f"another byte at {at}")


def _answers(deployment: Deployment) -> Iterator[Answer]:
    custody, queue = load_artifact("Custody"), load_artifact("Queue")
    settlement, plan = load_artifact("Settlement"), deployment.verifier_plan
    for function, expected in (
        ("TOKEN", deployment.token),
        ("QUEUE", deployment.queue),
        ("SETTLEMENT", deployment.settlement),
    ):
        yield custody, deployment.custody, function, expected
    yield queue, deployment.queue, "CUSTODY", deployment.custody
    for name, wanted in (
        ("QUEUE", deployment.queue),
        ("CUSTODY", deployment.custody),
        ("VERIFIER", deployment.verifier),
        ("SEQUENCER", deployment.sequencer),
        ("SEQUENCER_EPOCH", deployment.sequencer_epoch),
        ("domain", deployment.domain),
    ):
        yield settlement, deployment.settlement, name, wanted
    yield plan.artifact, deployment.verifier, "keyDigest", deployment.key_digest
    yield plan.artifact, deployment.verifier, "insecure", plan.insecure
    if plan.parts:
        yield plan.artifact, deployment.verifier, "parts", deployment.verifier_parts


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
