// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {R} from "./Field.sol";
import {Transcript} from "./Transcript.sol";

/// @title Rounds of a sumcheck.
/// @dev Mirrors verifier/sumcheck.py: a message holds c_0, c_2 .. c_D; c_1 follows from the claim (trap P11).
library Sumcheck {
    using Transcript for Transcript.Reader;

    /// The point of challenges and the claim after `rounds` rounds of `degree` words each.
    function runSumcheck(Transcript.Reader memory reader, bytes4 label, uint256 rounds, uint256 degree, uint256 claim)
        internal
        pure
        returns (uint256[] memory point, uint256)
    {
        point = new uint256[](rounds);
        for (uint256 i = 0; i < rounds; ++i) {
            uint256 position = reader.takeScalars(label, degree);
            uint256 x = reader.challenge();
            point[i] = x;
            assembly ("memory-safe") {
                let r := R
                let first := calldataload(position)
                let linear := addmod(claim, sub(shl(1, r), shl(1, first)), r)
                let value := 0
                for { let place := add(position, shl(5, sub(degree, 1))) } gt(place, position) { place := sub(place, 32) } {
                    let coefficient := calldataload(place)
                    linear := addmod(linear, sub(r, coefficient), r)
                    value := addmod(mulmod(value, x, r), coefficient, r)
                }
                value := addmod(mulmod(value, x, r), linear, r)
                claim := addmod(mulmod(value, x, r), first, r)
            }
        }
        return (point, claim);
    }
}
