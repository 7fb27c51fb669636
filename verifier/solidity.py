"""Write the Solidity side of a verifying key: its constants and its constraint code.

`python -m verifier.solidity FOLDER KEY... [--check]` renders Verifier<Shape>.sol for every key and
Constraints<n>.sol, which do not depend on shape or setup and serve them all. Constraint code is
straight-line assembly with one labelled block per constraint, split into contracts below the
EIP-170 limit. A part receives

    fold, weight, ten fingerprint inputs, public words, (row, active) per chip, all column values

and returns the next weight and one sum per chip of sum_i weight_i (C_i - (1 - active) C_i(0)).
"""

from __future__ import annotations

import sys
from pathlib import Path

from verifier.key import ChipKey, VerifyingKey, load_key
from verifier.solidity_code import Program, ssa

HEADER_WORDS = 12
# Room below the 24,576 bytes of EIP-170 for the frame around the counted instructions.
PART_BYTES_MAX = 23_000
PARTS_MAX = 4
FRAME = """\
// SPDX-License-Identifier: Apache-2.0
// Written by verifier/solidity.py from {source}. Do not edit.
pragma solidity 0.8.37;
"""


def render(key: VerifyingKey, labels: list[tuple[str, ...]]) -> dict[str, str]:
    """File name -> source for all generated contracts of a key.

    `labels` names every constraint of every chip; they become comments only.

    Raises: ValueError when the shape's name is no name of a contract, or when the constraints need
    more parts than the verifier can hold.
    """
    if not key.shape_name.isidentifier():
        raise ValueError(f"shape: expected a name of letters and digits, got {key.shape_name!r}")
    parts = split_parts(key)
    if len(parts) > PARTS_MAX:
        raise ValueError(f"constraint contracts: expected at most {PARTS_MAX}, got {len(parts)}")
    files = {f"Verifier{key.shape_name}.sol": _verifier_source(key, parts)}
    for number, blocks in enumerate(parts):
        name = f"Constraints{number}"
        files[f"{name}.sol"] = _part_source(key, name, blocks, labels)
    return files


Block = tuple[int, int, int]  # chip, first constraint, one past its last constraint


def split_parts(key: VerifyingKey) -> list[list[Block]]:
    """Cut the constraints, in order, into parts that fit one contract each."""
    parts: list[list[Block]] = [[]]
    used = 0
    for chip_number, chip in enumerate(key.chips):
        first, count = 0, chip.tape.constraints
        while first < count:
            last = count
            while _block_bytes(key, chip, first, last) > PART_BYTES_MAX - used and last > first:
                if used and _block_bytes(key, chip, first, count) <= PART_BYTES_MAX:
                    last = first  # the whole rest fits a fresh part: do not cut the chip
                else:
                    last -= max(1, (last - first) // 16)
            if last == first:
                if not used:
                    raise ValueError(f"chip {chip.name}: constraint {first} fits no contract")
                parts.append([])
                used = 0
                continue
            parts[-1].append((chip_number, first, last))
            used += _block_bytes(key, chip, first, last)
            first = last
    return parts


def _block_bytes(key: VerifyingKey, chip: ChipKey, first: int, last: int) -> int:
    return _program(key, key.chips.index(chip), first, last).size_bytes


def _program(key: VerifyingKey, chip_number: int, first: int, last: int) -> Program:
    chip = key.chips[chip_number]
    words = HEADER_WORDS + len(key.public_names)
    row = words + 2 * chip_number
    columns = words + 2 * len(key.chips) + sum(c.columns for c in key.chips[:chip_number])
    tape = chip.tape
    leaves = [f"calldataload({32 * (columns + i):#x})" for i in range(tape.columns)]
    leaves += [f"calldataload({32 * row:#x})", f"calldataload({32 * row + 32:#x})"]
    leaves += [hex(value) for value in tape.constants]
    leaves += [f"calldataload({32 * (2 + i):#x})" for i in range(tape.challenges)]
    leaves += [f"calldataload({32 * (HEADER_WORDS + i):#x})" for i in range(tape.publics)]
    return ssa(tape, leaves, range(first, last), chip.zero_values, 32 * row + 32)


def _part_source(
    key: VerifyingKey, name: str, blocks: list[Block], labels: list[tuple[str, ...]]
) -> str:
    lines = [
        FRAME.format(source="the tapes of all chips"),
        f"/// @title Part {name[len('Constraints') :]} of the constraints, evaluated at one point.",
        f"contract {name} {{",
        "    fallback() external {",
        "        assembly {",
        "            let r := 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
        "            let fold := calldataload(0x0)",
        "            let weight := calldataload(0x20)",
        "            let sum := 0",
    ]
    frame_base = 32 * (len(blocks) + 1)
    for position, (chip_number, first, last) in enumerate(blocks):
        program = _program(key, chip_number, first, last)
        chip_labels = labels[chip_number]
        lines.append(f"            // {key.chips[chip_number].name}")
        lines.append("            sum := 0")
        lines += [
            f"            {line}"
            for line in program.lines(
                frame_base, [f"{key.chips[chip_number].name}/{label}" for label in chip_labels]
            )
        ]
        lines.append(f"            mstore({32 * (position + 1):#x}, sum)")
    lines += [
        "            mstore(0x0, weight)",
        f"            return(0x0, {frame_base:#x})",
        "        }",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _verifier_source(key: VerifyingKey, parts: list[list[Block]]) -> str:
    (x0, x1), (y0, y1) = key.setup.tau_g2
    name = f"Verifier{key.shape_name}"
    partials = b"".join(bytes([len(blocks), *(chip for chip, _, _ in blocks)]) for blocks in parts)
    numbers = {
        "chipCount": len(key.chips),
        "words": len(key.public_names),
        "logChunk": key.log_chunk,
        "rounds": key.rounds,
        "degree": key.round_degree,
        "columns": key.columns,
        "mainChunks": key.layout.main_chunks,
        "helperChunks": key.layout.helper_chunks,
    }
    body = [f"        key.digest = 0x{key.digest.hex()};"]
    body += [f"        key.{field} = {value};" for field, value in numbers.items()]
    body += [f"        key.tauG2[{i}] = {value};" for i, value in enumerate((x1, x0, y1, y0))]
    body += [f'        key.chips = hex"{_chip_records(key).hex()}";']
    body += [f'        key.partials = hex"{partials.hex()}";']
    lines = [
        FRAME.format(source=f"the key {key.digest.hex()}"),
        'import {Verifier} from "../Verifier.sol";',
        'import {Key} from "../lib/Key.sol";',
        "",
        f"/// @title Verifier of shape {key.shape_name}.",
        f"contract {name} is Verifier {{",
        "    constructor(address[] memory parts) Verifier(parts) {}",
        "",
        "    /// @notice Whether the setup secret of the key is publicly known.",
        "    function insecure() external pure returns (bool) {",
        f"        return {str(key.setup.insecure).lower()};",
        "    }",
        "",
        "    function _partCount() internal pure override returns (uint256) {",
        f"        return {len(parts)};",
        "    }",
        "",
        "    function _key() internal pure override returns (Key memory key) {",
        *body,
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _chip_records(key: VerifyingKey) -> bytes:
    """Sixteen bytes per chip: log height, rule, column counts, first cell of both stacks."""
    rules = dict.fromkeys(key.single_row_chips, 1) | {key.pubdata_chip: 2}
    first_cell: dict[tuple[int, int], int] = {}
    for piece in key.layout.pieces:
        first_cell[piece.chip, piece.column] = (piece.chunk << key.log_chunk) + piece.offset
    records = b""
    for number, chip in enumerate(key.chips):
        helper_start = first_cell.get((number, chip.main_columns), 0)
        records += (
            bytes([chip.log_height, rules.get(number, 0)])
            + chip.main_columns.to_bytes(2, "big")
            + chip.helper_columns.to_bytes(2, "big")
            + first_cell[number, 0].to_bytes(5, "big")
            + helper_start.to_bytes(5, "big")
        )
    return records


def write(files: dict[str, str], folder: Path, check: bool) -> list[str]:
    """Write the files, or with `check` only compare; returns the names that differ."""
    stale = [path for path in sorted(folder.glob("*.sol")) if path.name not in files]
    differing = [path.name for path in stale]
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            differing.append(name)
            if not check:
                path.write_text(text)
    if not check:
        for path in stale:
            path.unlink()
    return differing


def constraint_labels(key: VerifyingKey) -> list[tuple[str, ...]]:
    """Names of all constraints, from the system that the key was made of."""
    from circuits.chips.system import margin_system

    system = margin_system()
    return [tuple(each.name for each in system.chip(chip.name).constraints) for chip in key.chips]


def main(arguments: list[str]) -> int:
    """Entry point of `make vk` and `make vk-check`."""
    check = "--check" in arguments
    folder, *key_paths = [Path(each) for each in arguments if each != "--check"]
    files: dict[str, str] = {}
    for key_path in key_paths:
        key = load_key(key_path)
        for name, text in render(key, constraint_labels(key)).items():
            if files.setdefault(name, text) != text:
                raise ValueError(f"{name}: expected the same constraints for every key")
    differing = write(files, folder, check)
    if check and differing:
        sys.stderr.write(f"{folder}: expected the code of the keys, got others: {differing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
