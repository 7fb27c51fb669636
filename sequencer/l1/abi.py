"""Compiled contracts and the encoding of their calls, events and custom errors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak

from sequencer.l1.errors import L1Error, L1Rejected, L1Reverted
from sequencer.l1.port import Log

SHIPPED_ARTIFACTS = Path(__file__).parent / "artifacts"

_BUILTIN_ERRORS = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One function, event or error of an ABI, with the hash that names it on chain."""

    name: str
    hash: bytes
    input_names: tuple[str, ...]
    input_types: tuple[str, ...]
    indexed: tuple[bool, ...]
    output_types: tuple[str, ...]

    @property
    def selector(self) -> bytes:
        """First four bytes of a call or of revert data."""
        return self.hash[:4]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract as `contracts/compile.mjs` wrote it."""

    name: str
    bytecode: bytes
    code_size: int
    sources_sha256: str
    constructor_types: tuple[str, ...]
    functions: Mapping[str, Entry]
    events: Mapping[str, Entry]
    errors: Mapping[bytes, Entry]

    def creation(self, *arguments: object) -> bytes:
        """Data of the transaction that deploys the contract."""
        return self.bytecode + encode(self.constructor_types, arguments)

    def call(self, function: str, *arguments: object) -> bytes:
        """Data of a call to one function."""
        entry = self.functions[function]
        return entry.selector + encode(entry.input_types, arguments)

    def output(self, function: str, data: bytes) -> Any:
        """Decoded output of a call: one value, or a tuple of several."""
        try:
            values = decode(self.functions[function].output_types, data)
        except DecodingError as error:
            raise L1Error(f"{self.name}.{function}: output not as its ABI says: {error}") from error
        return values[0] if len(values) == 1 else values

    def event(self, name: str, log: Log) -> dict[str, Any] | None:
        """Values of the log by parameter name, or None where it is another event."""
        entry = self.events[name]
        if not log.topics or log.topics[0] != entry.hash:
            return None
        plain = [kind for kind, indexed in _typed(entry) if not indexed]
        topics = iter(log.topics[1:])
        values = iter(decode(plain, log.data))
        return {
            parameter: decode([kind], next(topics))[0] if indexed else next(values)
            for parameter, (kind, indexed) in zip(entry.input_names, _typed(entry), strict=True)
        }


def _typed(entry: Entry) -> list[tuple[str, bool]]:
    return list(zip(entry.input_types, entry.indexed, strict=True))


def _entry(description: Mapping[str, Any]) -> Entry:
    inputs = description["inputs"]
    types = tuple(parameter["type"] for parameter in inputs)
    signature = f"{description['name']}({','.join(types)})"
    return Entry(
        name=description["name"],
        hash=keccak(signature.encode()),
        input_names=tuple(
            parameter["name"] or str(index) for index, parameter in enumerate(inputs)
        ),
        input_types=types,
        indexed=tuple(bool(parameter.get("indexed")) for parameter in inputs),
        output_types=tuple(parameter["type"] for parameter in description.get("outputs", ())),
    )


@cache
def load_artifact(name: str, folder: Path = SHIPPED_ARTIFACTS) -> Artifact:
    """Read one artifact.

    Raises: L1Error where the file is missing or something else.
    """
    path = folder / f"{name}.json"
    try:
        return _artifact(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise L1Error(f"{path.name}: expected a compiled contract, got no such file") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise L1Error(f"{path.name}: expected a compiled contract, got {error!r}") from error


def _artifact(content: Mapping[str, Any]) -> Artifact:
    entries = content["abi"]
    constructors = [entry["inputs"] for entry in entries if entry["type"] == "constructor"]
    return Artifact(
        name=content["contract"],
        bytecode=bytes.fromhex(content["bytecode"].removeprefix("0x")),
        code_size=content["deployedBytecodeSize"],
        sources_sha256=content["sourcesSha256"],
        constructor_types=tuple(kind["type"] for inputs in constructors for kind in inputs),
        functions={e["name"]: _entry(e) for e in entries if e["type"] == "function"},
        events={e["name"]: _entry(e) for e in entries if e["type"] == "event"},
        errors={
            entry.selector: entry
            for entry in map(_entry, (e for e in entries if e["type"] == "error"))
        },
    )


@cache
def _errors_of(folder: Path) -> dict[bytes, Entry]:
    """Every custom error of every contract in the folder: a revert may come from a callee."""
    known = {entry.selector: entry for entry in map(_entry, _BUILTIN_ERRORS)}
    for path in sorted(folder.glob("*.json")):
        known.update(load_artifact(path.stem, folder).errors)
    return known


def rejection(
    reverted: L1Reverted, folders: Sequence[Path] = (SHIPPED_ARTIFACTS,)
) -> L1Rejected | L1Reverted:
    """The typed error that the revert data encodes; the argument itself where none matches."""
    for folder in folders:
        entry = _errors_of(folder).get(reverted.data[:4])
        if entry is None:
            continue
        try:
            values = decode(entry.input_types, reverted.data[4:])
        except DecodingError:
            continue
        return L1Rejected(entry.name, dict(zip(entry.input_names, values, strict=True)))
    return reverted
