// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Field, R} from "./Field.sol";
import {Chips, Key} from "./Key.sol";

/// @title All column claims become one claim about a weighted sum of the chunks.
/// @dev Mirrors verifier/reduction.py.
library Reduction {
    using Chips for Key;
    using Chips for uint256;

    /// What runs of columns of one height share, and the running power of gamma.
    /// @dev The assembly below knows the fields by their place: field i stands at 32 i.
    struct Run {
        uint256[] weights;
        uint256[] pairs; // 1 - rho_b and rho_b, for every b
        uint256[] squares; // gamma^(2^b)
        uint256[] totals; // for every b: sum over t < 2^b of gamma^t eq(t, rho from `log` on)
        uint256[] prefix; // for every b: row factor times eq of a block's bits from b on
        uint256 log; // of the height
        uint256 bits; // of a block's number within its chunk
        uint256 power; // of gamma, for the next column
    }

    /// sum_j gamma^j v_j over `count` words that lie in calldata.
    function combinedClaim(uint256 position, uint256 count, uint256 gamma) internal pure returns (uint256 total) {
        assembly ("memory-safe") {
            let r := R
            let place := add(position, shl(5, count))
            // The highest words one by one, until what is left is a multiple of four.
            for { let whole := add(position, shl(7, shr(2, count))) } gt(place, whole) {} {
                place := sub(place, 32)
                total := addmod(mulmod(total, gamma, r), calldataload(place), r)
            }
            for {} gt(place, position) {} {
                total := addmod(mulmod(total, gamma, r), calldataload(sub(place, 32)), r)
                total := addmod(mulmod(total, gamma, r), calldataload(sub(place, 64)), r)
                total := addmod(mulmod(total, gamma, r), calldataload(sub(place, 96)), r)
                place := sub(place, 128)
                total := addmod(mulmod(total, gamma, r), calldataload(place), r)
            }
        }
    }

    /// omega_k for every chunk.
    function chunkWeights(Key memory key, uint256[] memory point, uint256 gamma, uint256[] memory rho)
        internal
        pure
        returns (uint256[] memory)
    {
        uint256 size = key.logChunk;
        Run memory run;
        run.weights = new uint256[](key.mainChunks + key.helperChunks);
        run.pairs = Field.complementPairs(rho);
        run.squares = Field.squares(gamma, size + 1);
        run.totals = new uint256[](size + 1);
        run.prefix = new uint256[](size + 1);
        run.log = type(uint256).max;
        run.power = 1;
        for (uint256 i = 0; i < key.chipCount; ++i) {
            uint256 record = key.recordAt(i);
            uint256 log = record.logHeight();
            if (log != run.log) {
                run.log = log;
                run.bits = size - log;
                run.prefix[run.bits] = Field.equality(point, key.rounds - log, rho, 0, log);
                _setTotals(run);
            }
            _add(run, record.mainStart() >> log, record.mainColumns());
            _add(run, record.helperStart() >> log, record.helperColumns());
        }
        return run.weights;
    }

    /// totals[b] = prod over c < b of 1 - x_c + x_c gamma^(2^c), where x = rho from `log` on.
    function _setTotals(Run memory run) private pure {
        assembly ("memory-safe") {
            let r := R
            let product := 1
            let pair := add(add(mload(add(run, 0x20)), 32), shl(6, mload(add(run, 0xa0))))
            let square := add(mload(add(run, 0x40)), 32)
            let total := add(mload(add(run, 0x60)), 32)
            mstore(total, product)
            for { let end := add(total, shl(5, mload(add(run, 0xc0)))) } lt(total, end) {} {
                let factor := addmod(mload(pair), mulmod(mload(add(pair, 32)), mload(square), r), r)
                product := mulmod(product, factor, r)
                total := add(total, 32)
                mstore(total, product)
                pair := add(pair, 64)
                square := add(square, 32)
            }
        }
    }

    /// Adds `count` columns that fill consecutive blocks of a chip's height, from block `first` on.
    /// @dev 2^bit blocks from a multiple of 2^bit on are taken together: their weights add up to
    /// prefix[bit] totals[bit]. From one such range to the next, the block's bits change only up to the
    /// lowest one that is set in the next, so only the prefix below that is computed anew.
    function _add(Run memory run, uint256 first, uint256 count) private pure {
        assembly ("memory-safe") {
            let r := R
            let bits := mload(add(run, 0xc0))
            let isFirst := 1
            for {} count {} {
                // As many blocks as are aligned, within one chunk and within the run.
                let bit := 0
                for {} and(lt(bit, bits), iszero(and(shr(bit, first), 1))) {} { bit := add(bit, 1) }
                let stale := bits // prefix[b] must be computed for b < stale
                if and(iszero(isFirst), lt(bit, bits)) { stale := add(bit, 1) }
                for {} gt(shl(bit, 1), count) {} { bit := sub(bit, 1) }

                let place := add(mload(add(run, 0x80)), shl(5, add(stale, 1)))
                let value := mload(place)
                let pair := add(add(mload(add(run, 0x20)), 32), shl(6, add(mload(add(run, 0xa0)), stale)))
                for {} gt(stale, bit) {} {
                    stale := sub(stale, 1)
                    pair := sub(pair, 64)
                    place := sub(place, 32)
                    value := mulmod(value, mload(add(pair, shl(5, and(shr(stale, first), 1)))), r)
                    mstore(place, value)
                }

                place := shl(5, add(bit, 1))
                value := mulmod(value, mload(add(mload(add(run, 0x60)), place)), r)
                value := mulmod(value, mload(add(run, 0xe0)), r)
                let slot := add(add(mload(run), 32), shl(5, shr(bits, first)))
                mstore(slot, addmod(mload(slot), value, r))
                value := mulmod(mload(add(run, 0xe0)), mload(add(mload(add(run, 0x40)), place)), r)
                mstore(add(run, 0xe0), value)
                first := add(first, shl(bit, 1))
                count := sub(count, shl(bit, 1))
                isFirst := 0
            }
        }
    }
}
