"""The deployment file: what an operator must know of a venue to post batches to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from circuits.cli_support import atomic_write
from circuits.field import R
from circuits.json_guard import parse_json
from sequencer.l1.abi import SHIPPED_ARTIFACTS
from sequencer.l1.deploy import Deployment, VerifierPlan
from sequencer.l1.errors import InputRefused

FORMAT = "plasmaperps-deployment"
VERSION = 1
BRACKETS_MAX = 16  # a sound file has two
NUMBER_BITS = 64

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HEX = re.compile(r"0x(0|[1-9a-f][0-9a-f]{0,63})")
# A contract's name becomes the name of its artifact, so nothing else may be in it.
_CONTRACT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def to_json(deployment: Deployment) -> str:
    """The file's text, the same for the same deployment."""
    plan = deployment.verifier_plan
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "chain_id": deployment.chain_id,
        "first_block": deployment.first_block,
        "domain": hex(deployment.domain),
        "token": deployment.token,
        "custody": deployment.custody,
        "queue": deployment.queue,
        "settlement": deployment.settlement,
        "verifier": deployment.verifier,
        "verifier_contract": plan.contract,
        "verifier_parts": dict(zip(plan.parts, deployment.verifier_parts, strict=True)),
        "key_digest": deployment.key_digest.hex(),
        "insecure": plan.insecure,
        "sequencer": deployment.sequencer,
        "sequencer_epoch": deployment.sequencer_epoch,
        "genesis_root": hex(deployment.genesis_root),
    }
    return json.dumps(document, indent=1) + "\n"


def save(path: Path, deployment: Deployment) -> None:
    """Write the file, whole or not at all.

    Raises: OSError.
    """
    with atomic_write(path, text=True) as stream:
        stream.write(to_json(deployment))


def load(path: Path, artifacts: Path = SHIPPED_ARTIFACTS) -> Deployment:
    """Read a file: exactly the text that `save` writes. `artifacts` holds the verifier's contracts.

    Raises: InputRefused naming the field; OSError.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = parse_json(text, BRACKETS_MAX)
    except ValueError as error:
        raise InputRefused(str(path), "a deployment in JSON", error) from None
    deployment = _deployment(_Fields(path, document), artifacts)
    if to_json(deployment) != text:
        # Duplicate and unknown fields, other spellings, and a domain of another venue.
        expected = "the one form that `op deploy` writes"
        raise InputRefused(str(path), expected, _first_difference(to_json(deployment), text))
    return deployment


def _deployment(fields: _Fields, artifacts: Path) -> Deployment:
    fields.same("format", FORMAT)
    fields.same("version", VERSION)
    parts = fields.parts()
    contract = fields.match("verifier_contract", _CONTRACT, "the name of a contract")
    root = int(fields.match("genesis_root", _HEX, "a hexadecimal number"), 16)
    if root >= R:
        raise fields.refused("genesis_root", "a field element below r", hex(root))
    insecure = fields.value("insecure")
    if not isinstance(insecure, bool):
        raise fields.refused("insecure", "true or false", insecure)
    return Deployment(
        chain_id=fields.number("chain_id"),
        first_block=fields.number("first_block"),
        token=fields.address("token"),
        custody=fields.address("custody"),
        queue=fields.address("queue"),
        verifier=fields.address("verifier"),
        verifier_parts=tuple(parts.values()),
        settlement=fields.address("settlement"),
        sequencer=fields.address("sequencer"),
        sequencer_epoch=fields.number("sequencer_epoch"),
        genesis_root=root,
        key_digest=bytes.fromhex(fields.match("key_digest", _DIGEST, "64 hexadecimal digits")),
        gas_used={},
        verifier_plan=VerifierPlan(contract, insecure, tuple(parts), artifacts),
    )


class _Fields:
    """The fields of a document, each asked for with what it must be."""

    def __init__(self, path: Path, document: object) -> None:
        self._path = path
        if not isinstance(document, dict):
            raise InputRefused(str(path), "a JSON object", type(document).__name__)
        self._document = document

    def refused(self, name: str, expected: object, got: object) -> InputRefused:
        """The error for one field."""
        shown = str(got) if len(str(got)) <= 80 else str(got)[:77] + "..."
        return InputRefused(f"{self._path}: field '{name}'", expected, shown)

    def value(self, name: str) -> object:
        """The field as it stands there."""
        if name not in self._document:
            raise self.refused(name, "the field", "nothing")
        return self._document[name]

    def same(self, name: str, expected: object) -> None:
        """Demand one value, of its own type: True is not 1 here."""
        got = self.value(name)
        if got != expected or type(got) is not type(expected):
            raise self.refused(name, expected, got)

    def number(self, name: str) -> int:
        """A whole number."""
        got = self.value(name)
        if type(got) is not int or not 0 <= got < 1 << NUMBER_BITS:
            raise self.refused(name, f"a whole number below 2**{NUMBER_BITS}", got)
        return got

    def address(self, name: str) -> str:
        """An address in lower case."""
        return self.match(name, _ADDRESS, "an address in lower case")

    def match(self, name: str, pattern: re.Pattern[str], expected: str) -> str:
        """A string of one form."""
        got = self.value(name)
        if not isinstance(got, str) or not pattern.fullmatch(got):
            raise self.refused(name, expected, got)
        return got

    def parts(self) -> dict[str, str]:
        """Contract name -> address, in the order of the verifier's constructor."""
        name = "verifier_parts"
        got = self.value(name)
        if not isinstance(got, dict):
            raise self.refused(name, "an object of contract names and addresses", got)
        for contract, address in got.items():
            if not _CONTRACT.fullmatch(contract):
                raise self.refused(name, "names of contracts", contract)
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise self.refused(f"{name}.{contract}", "an address in lower case", address)
        return got


def _first_difference(expected: str, got: str) -> str:
    lines = zip(expected.splitlines(), got.splitlines(), strict=False)
    for number, (wanted, found) in enumerate(lines, 1):
        if wanted != found:
            return f"line {number}: {found.strip()[:100]} instead of {wanted.strip()[:100]}"
    return "other line ends, or lines missing or added at the end"
