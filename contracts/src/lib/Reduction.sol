// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Field, R} from "./Field.sol";
import {Chips, Key} from "./Key.sol";

/// @title All column claims become one claim about a weighted sum of the chunks.
/// @dev Mirrors verifier/reduction.py.
library Reduction {
    using Chips for uint256;
    using Chips for bytes;

    /// sum_j gamma^j v_j over `count` evaluations that lie in calldata.
    function combinedClaim(uint256 position, uint256 count, uint256 gamma) internal pure returns (uint256 total) {
        assembly ("memory-safe") {
            let r := R
            for { let place := add(position, shl(5, count)) } gt(place, position) {} {
                place := sub(place, 32)
                total := addmod(mulmod(total, gamma, r), calldataload(place), r)
            }
        }
    }

    /// omega_k for every chunk.
    function chunkWeights(Key memory key, uint256[] memory point, uint256 gamma, uint256[] memory rho)
        internal
        pure
        returns (uint256[] memory weights)
    {
        weights = new uint256[](key.mainChunks + key.helperChunks);
        uint256[] memory prefix = new uint256[](key.logChunk + 1);
        uint256 power = 1;
        uint256 count = key.chips.length / 16;
        for (uint256 i = 0; i < count; ++i) {
            uint256 record = key.chips.recordAt(i);
            uint256 log = record.logHeight();
            uint256 factor = Field.equality(point, key.rounds - log, rho, 0, log);
            power = _run(weights, prefix, rho, log, record.mainStart(), record.mainColumns(), [factor, power, gamma]);
            power = _run(weights, prefix, rho, log, record.helperStart(), record.helperColumns(), [factor, power, gamma]);
        }
    }

    /// Adds the columns that stand one after the other from cell `start` on; returns the next power of gamma.
    /// @dev prefix[b] is the product over the block's bits at and above b. Blocks count upwards, so only the
    /// bits below the highest changed one are recomputed: two steps a column on average.
    function _run(
        uint256[] memory weights,
        uint256[] memory prefix,
        uint256[] memory rho,
        uint256 log,
        uint256 start,
        uint256 columns,
        uint256[3] memory scale // row factor, power of gamma, gamma
    ) private pure returns (uint256 power) {
        uint256 bits = rho.length - log;
        power = scale[1];
        prefix[bits] = scale[0];
        uint256 stale = bits; // prefix[b] must be recomputed for b < stale
        for (uint256 i = 0; i < columns; ++i) {
            uint256 position = (start >> log) + i;
            assembly ("memory-safe") {
                let r := R
                let base := add(prefix, 32)
                let coordinates := add(add(rho, 32), shl(5, log))
                for {} gt(stale, 0) {} {
                    stale := sub(stale, 1)
                    let x := mload(add(coordinates, shl(5, stale)))
                    if iszero(and(shr(stale, position), 1)) { x := addmod(1, sub(r, x), r) }
                    mstore(add(base, shl(5, stale)), mulmod(mload(add(base, shl(5, add(stale, 1)))), x, r))
                }
                let slot := add(add(weights, 32), shl(5, shr(bits, position)))
                mstore(slot, addmod(mload(slot), mulmod(power, mload(base), r), r))
                power := mulmod(power, mload(add(scale, 64)), r)
                // bits that change when the position grows by one
                let changed := xor(position, add(position, 1))
                for {} changed { changed := shr(1, changed) } { stale := add(stale, 1) }
                if gt(stale, bits) { stale := bits }
            }
        }
    }
}
