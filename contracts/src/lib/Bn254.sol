// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PrecompileFailed, Q} from "./Field.sol";

/// @title Linear combinations of points and one pairing check, over the precompiles of EIP-196 and EIP-197.
/// @dev Every call is checked for success and for its exact output length.
library Bn254 {
    error OpeningMismatch(uint256 expected, uint256 got);

    /// sum += scalar * (x, y)
    /// @dev A running sum: words 0-1 the sum, zero at first, 2-3 the next point, 4 its scalar.
    function addScaled(uint256[5] memory sum, uint256 x, uint256 y, uint256 scalar) internal view {
        bool done;
        assembly ("memory-safe") {
            mstore(add(sum, 64), x)
            mstore(add(sum, 96), y)
            mstore(add(sum, 128), scalar)
            done := staticcall(gas(), 7, add(sum, 64), 96, add(sum, 64), 64)
            done := and(done, eq(returndatasize(), 64))
        }
        if (!done) revert PrecompileFailed(7);
        _addPending(sum);
    }

    /// sum += scalar * point, the point read from calldata.
    function addScaledAt(uint256[5] memory sum, uint256 position, uint256 scalar) internal view {
        uint256 x;
        uint256 y;
        assembly ("memory-safe") {
            x := calldataload(position)
            y := calldataload(add(position, 32))
        }
        addScaled(sum, x, y, scalar);
    }

    /// sum += point, the point read from calldata.
    function addAt(uint256[5] memory sum, uint256 position) internal view {
        assembly ("memory-safe") {
            calldatacopy(add(sum, 64), position, 64)
        }
        _addPending(sum);
    }

    function _addPending(uint256[5] memory sum) private view {
        bool done;
        assembly ("memory-safe") {
            done := staticcall(gas(), 6, sum, 128, sum, 64)
            done := and(done, eq(returndatasize(), 64))
        }
        if (!done) revert PrecompileFailed(6);
    }

    /// Reverts unless e(left, [1]_2) = e(witness, [tau]_2); tauG2 is in the order of EIP-197 (imaginary part first).
    function checkPairing(uint256[5] memory left, uint256 witnessAt, uint256[4] memory tauG2) internal view {
        uint256[12] memory input;
        input[0] = left[0];
        input[1] = left[1];
        input[2] = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
        input[3] = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
        input[4] = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
        input[5] = 8495653923123431417604973247489272438418190587263600148770280649306958101930;
        uint256 y;
        assembly ("memory-safe") {
            mstore(add(input, 192), calldataload(witnessAt))
            y := calldataload(add(witnessAt, 32))
        }
        input[7] = (Q - y) % Q;
        input[8] = tauG2[0];
        input[9] = tauG2[1];
        input[10] = tauG2[2];
        input[11] = tauG2[3];
        bool done;
        uint256 verdict;
        assembly ("memory-safe") {
            done := staticcall(gas(), 8, input, 384, 0, 32)
            done := and(done, eq(returndatasize(), 32))
            verdict := mload(0)
        }
        if (!done) revert PrecompileFailed(8);
        if (verdict != 1) revert OpeningMismatch(1, verdict);
    }
}
