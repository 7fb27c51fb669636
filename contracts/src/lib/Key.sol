// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the verifier knows before it sees a proof; written by verifier/solidity.py from a verifying key.
struct Key {
    bytes32 digest;
    uint256 chipCount;
    uint256 words; // public words of a statement
    uint256 logChunk; // m: chunks hold 2^m cells
    uint256 rounds; // n: variables of the first sumcheck
    uint256 degree; // D: degree of its rounds
    uint256 columns; // committed columns, helpers included
    uint256 mainChunks;
    uint256 helperChunks;
    uint256[4] tauG2; // [tau]_2 in the order of EIP-197
    bytes chips; // one record of 16 bytes per chip, see Chips
    bytes partials; // for every constraint contract: number of sums, then the chip of each sum
}

/// @title Fields of a chip record.
library Chips {
    uint256 internal constant FREE = 0;
    uint256 internal constant SINGLE_ROW = 1;
    uint256 internal constant PUBDATA = 2;

    /// Record of chip `index`, right aligned in 128 bits.
    function recordAt(Key memory key, uint256 index) internal pure returns (uint256 record) {
        bytes memory chips = key.chips;
        assembly ("memory-safe") {
            record := shr(128, mload(add(add(chips, 32), shl(4, index))))
        }
    }

    /// Log2 of the row capacity.
    function logHeight(uint256 record) internal pure returns (uint256) {
        return record >> 120;
    }

    /// Whether the statement fixes the height: FREE, SINGLE_ROW or PUBDATA.
    function rule(uint256 record) internal pure returns (uint256) {
        return (record >> 112) & 0xff;
    }

    function mainColumns(uint256 record) internal pure returns (uint256) {
        return (record >> 96) & 0xffff;
    }

    function helperColumns(uint256 record) internal pure returns (uint256) {
        return (record >> 80) & 0xffff;
    }

    /// Cell at which the first main column starts in the stack of all chunks.
    function mainStart(uint256 record) internal pure returns (uint256) {
        return (record >> 40) & 0xffffffffff;
    }

    /// Cell at which the first helper column starts in the stack of all chunks.
    function helperStart(uint256 record) internal pure returns (uint256) {
        return record & 0xffffffffff;
    }
}
