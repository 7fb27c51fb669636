// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Q, R} from "./Field.sol";

/// @title Keccak transcript over the proof's calldata: taking a message absorbs it.
/// @dev Mirrors verifier/transcript.py. `offset` is the calldata position of the next message.
library Transcript {
    struct Reader {
        uint256 state;
        uint256 offset;
        uint256 scratch; // memory for the longest message and its head
    }

    uint256 internal constant MESSAGE_HEAD = 40; // state, label, length

    error HeightPadding(uint256 expected, uint256 got);
    error ScalarNotCanonical(bytes4 label, uint256 index, uint256 got);
    error PointNotOnCurve(bytes4 label, uint256 index, uint256 x, uint256 y);

    /// The transcript after the statement, with room for messages of `scratchBytes`, head included.
    function start(bytes memory statement, uint256 scratchBytes) internal pure returns (Reader memory reader) {
        bytes32 tag = keccak256("plasmaperps/proof/v1");
        reader.state = uint256(keccak256(abi.encodePacked(tag, bytes4("stmt"), uint32(statement.length), statement)));
        bytes memory area = new bytes(scratchBytes);
        uint256 scratch;
        assembly ("memory-safe") {
            scratch := add(area, 32)
        }
        reader.scratch = scratch;
    }

    /// state = keccak256(state | label | size as u32 | message); returns the message's calldata position.
    function take(Reader memory reader, bytes4 label, uint256 size) internal pure returns (uint256 position) {
        position = reader.offset;
        assembly ("memory-safe") {
            let scratch := mload(add(reader, 64))
            mstore(scratch, mload(reader))
            mstore(add(scratch, 32), or(label, shl(192, size)))
            calldatacopy(add(scratch, 40), position, size)
            mstore(reader, keccak256(scratch, add(size, 40)))
            mstore(add(reader, 32), add(position, size))
        }
    }

    /// state = keccak256(state | 0x01), reduced modulo r.
    function challenge(Reader memory reader) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            let scratch := mload(add(reader, 64))
            mstore(scratch, mload(reader))
            mstore8(add(scratch, 32), 1)
            value := keccak256(scratch, 33)
            mstore(reader, value)
            value := mod(value, R)
        }
    }

    /// Heights of `count` chips, eight to a word.
    function takeHeights(Reader memory reader, uint256 count) internal pure returns (uint256[] memory heights) {
        uint256 size = (count + 7) / 8 * 32;
        uint256 position = take(reader, "hght", size);
        heights = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            heights[i] = _bitsAt(position + 4 * i, 32);
        }
        if (size == 4 * count) return heights;
        uint256 padding = _bitsAt(position + 4 * count, 8 * (size - 4 * count));
        if (padding != 0) revert HeightPadding(0, padding);
    }

    /// The first bits of a calldata word, as a number.
    function _bitsAt(uint256 position, uint256 bits) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, bits), calldataload(position))
        }
    }

    /// Position of `count` scalars, each checked to be below r.
    function takeScalars(Reader memory reader, bytes4 label, uint256 count) internal pure returns (uint256 position) {
        position = take(reader, label, count * 32);
        uint256 bad = firstNotCanonical(position, count);
        if (bad < count) {
            uint256 got;
            assembly ("memory-safe") {
                got := calldataload(add(position, shl(5, bad)))
            }
            revert ScalarNotCanonical(label, bad, got);
        }
    }

    /// Index of the first of `count` calldata words that is not below r, or `count`.
    function firstNotCanonical(uint256 position, uint256 count) internal pure returns (uint256 index) {
        assembly ("memory-safe") {
            let last := sub(R, 1)
            let end := add(position, shl(5, count))
            let place := position
            // Four at a time while all are good, then one by one.
            for {} lt(add(place, 96), end) { place := add(place, 128) } {
                let bad := gt(calldataload(place), last)
                bad := or(bad, gt(calldataload(add(place, 32)), last))
                bad := or(bad, gt(calldataload(add(place, 64)), last))
                if or(bad, gt(calldataload(add(place, 96)), last)) { break }
            }
            for {} lt(place, end) { place := add(place, 32) } {
                if gt(calldataload(place), last) { break }
            }
            index := shr(5, sub(place, position))
        }
    }

    /// Position of `count` points, each with canonical coordinates and on the curve, or exactly (0, 0).
    function takePoints(Reader memory reader, bytes4 label, uint256 count) internal pure returns (uint256 position) {
        position = take(reader, label, count * 64);
        for (uint256 i = 0; i < count; ++i) {
            uint256 x;
            uint256 y;
            bool good;
            assembly ("memory-safe") {
                let q := Q
                x := calldataload(add(position, shl(6, i)))
                y := calldataload(add(add(position, 32), shl(6, i)))
                let rest := addmod(mulmod(mulmod(x, x, q), x, q), 3, q)
                good := and(and(lt(x, q), lt(y, q)), or(eq(mulmod(y, y, q), rest), iszero(or(x, y))))
            }
            if (!good) revert PointNotOnCurve(label, i, x, y);
        }
    }
}
