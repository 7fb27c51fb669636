// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Field, R} from "./Field.sol";
import {Chips, Key} from "./Key.sol";

/// @title All column claims become one claim about a weighted sum of the chunks.
/// @dev Mirrors verifier/reduction.py.
library Reduction {
    using Chips for Key;
    using Chips for uint256;

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

    /// What stays the same over all columns of a chip, and the running power of gamma.
    struct Run {
        uint256[] weights;
        uint256[] rho;
        uint256 log; // of the chip's height
        uint256 rowFactor; // eq(r_c, low coordinates of rho)
        uint256 gamma;
        uint256 power;
    }

    /// omega_k for every chunk.
    function chunkWeights(Key memory key, uint256[] memory point, uint256 gamma, uint256[] memory rho)
        internal
        pure
        returns (uint256[] memory)
    {
        Run memory run;
        run.weights = new uint256[](key.mainChunks + key.helperChunks);
        run.rho = rho;
        run.gamma = gamma;
        run.power = 1;
        uint256 count = key.chipCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 record = key.recordAt(i);
            run.log = record.logHeight();
            run.rowFactor = Field.equality(point, key.rounds - run.log, rho, 0, run.log);
            _add(run, record.mainStart() >> run.log, record.mainColumns());
            _add(run, record.helperStart() >> run.log, record.helperColumns());
        }
        return run.weights;
    }

    /// Adds `count` columns that fill consecutive blocks of a chip's height, from block `first` on.
    /// @dev 2^k blocks from a multiple of 2^k on have, for t < 2^k, sum_t gamma^t eq(t, rho) =
    /// prod_b (1 - rho_b + rho_b gamma^(2^b)), so they are taken together.
    function _add(Run memory run, uint256 first, uint256 count) private pure {
        uint256[] memory rho = run.rho;
        uint256[] memory weights = run.weights;
        uint256 bits = rho.length - run.log;
        assembly ("memory-safe") {
            let r := R
            let coordinates := add(add(rho, 32), shl(5, mload(add(run, 64))))
            for {} count {} {
                let value := mulmod(mload(add(run, 96)), mload(add(run, 160)), r)
                let power := mload(add(run, 128)) // gamma^(2^b)
                let size := 1
                let bit := 0
                // Together as long as the range is aligned, within the chunk and within the run.
                for {} and(lt(bit, bits), iszero(or(and(first, size), gt(shl(1, size), count)))) {} {
                    let x := mload(add(coordinates, shl(5, bit)))
                    value := mulmod(value, addmod(addmod(1, sub(r, x), r), mulmod(x, power, r), r), r)
                    power := mulmod(power, power, r)
                    size := shl(1, size)
                    bit := add(bit, 1)
                }
                for {} lt(bit, bits) { bit := add(bit, 1) } {
                    let x := mload(add(coordinates, shl(5, bit)))
                    if iszero(and(shr(bit, first), 1)) { x := addmod(1, sub(r, x), r) }
                    value := mulmod(value, x, r)
                }
                let slot := add(add(weights, 32), shl(5, shr(bits, first)))
                mstore(slot, addmod(mload(slot), value, r))
                mstore(add(run, 160), mulmod(mload(add(run, 160)), power, r))
                first := add(first, size)
                count := sub(count, size)
            }
        }
    }
}
