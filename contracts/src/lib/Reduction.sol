// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Field, R} from "./Field.sol";
import {Chips, Key} from "./Key.sol";

/// @title All column claims become one claim about a weighted sum of the chunks.
/// @dev Mirrors verifier/reduction.py.
library Reduction {
    using Chips for Key;
    using Chips for uint256;

    /// What columns of one height share, and the running power of gamma.
    struct Run {
        uint256[] weights;
        uint256[] rho;
        uint256[] gammaSquares; // gamma^(2^b)
        uint256[] totals; // for every b: sum over t < 2^b of gamma^t eq(t, rho from `log` on)
        uint256[] prefix; // for every b: row factor times eq of a block's bits from b on
        uint256 log; // of the height
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
        Run memory run;
        run.weights = new uint256[](key.mainChunks + key.helperChunks);
        run.rho = rho;
        run.gammaSquares = Field.squares(gamma, rho.length + 1);
        run.totals = new uint256[](rho.length + 1);
        run.prefix = new uint256[](rho.length + 1);
        run.log = type(uint256).max;
        run.power = 1;
        uint256 count = key.chipCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 record = key.recordAt(i);
            uint256 log = record.logHeight();
            if (log != run.log) {
                run.log = log;
                run.prefix[rho.length - log] = Field.equality(point, key.rounds - log, rho, 0, log);
                _setTotals(run);
            }
            _add(run, record.mainStart() >> log, record.mainColumns());
            _add(run, record.helperStart() >> log, record.helperColumns());
        }
        return run.weights;
    }

    /// totals[b] = prod over c < b of 1 - x_c + x_c gamma^(2^c), where x = rho from `log` on.
    function _setTotals(Run memory run) private pure {
        uint256 bits = run.rho.length - run.log;
        uint256 product = 1;
        run.totals[0] = product;
        for (uint256 b = 0; b < bits; ++b) {
            uint256 x = run.rho[run.log + b];
            product = mulmod(product, addmod(addmod(1, R - x, R), mulmod(x, run.gammaSquares[b], R), R), R);
            run.totals[b + 1] = product;
        }
    }

    /// Adds `count` columns that fill consecutive blocks of a chip's height, from block `first` on.
    /// @dev 2^b blocks from a multiple of 2^b on are taken together: their weights add up to
    /// prefix[b] totals[b]. The next range differs from it in few bits, so that only the prefix below the
    /// highest of these is computed anew.
    function _add(Run memory run, uint256 first, uint256 count) private pure {
        uint256 bits = run.rho.length - run.log;
        uint256 stale = bits; // prefix[b] must be computed for b < stale
        uint256 bit;
        while (count != 0) {
            assembly ("memory-safe") {
                // As many blocks as are aligned, within one chunk and within the run.
                bit := 0
                for {} lt(bit, bits) { bit := add(bit, 1) } {
                    if or(and(shr(bit, first), 1), gt(shl(add(bit, 1), 1), count)) { break }
                }
            }
            _setPrefix(run, first, stale, bit);
            assembly ("memory-safe") {
                let r := R
                let place := shl(5, add(bit, 1))
                let factor := mulmod(mload(add(mload(add(run, 128)), place)), mload(add(mload(add(run, 96)), place)), r)
                let power := mload(add(run, 192))
                let slot := add(add(mload(run), 32), shl(5, shr(bits, first)))
                mstore(slot, addmod(mload(slot), mulmod(power, factor, r), r))
                mstore(add(run, 192), mulmod(power, mload(add(mload(add(run, 64)), place)), r))
                let next := add(first, shl(bit, 1))
                count := sub(count, shl(bit, 1))
                stale := 0
                for { let changed := xor(first, next) } changed { changed := shr(1, changed) } { stale := add(stale, 1) }
                if gt(stale, bits) { stale := bits }
                first := next
            }
        }
    }

    /// prefix[b] for b from `stale` - 1 down to `bit`: the product over the block's bits at and above b.
    function _setPrefix(Run memory run, uint256 block_, uint256 stale, uint256 bit) private pure {
        assembly ("memory-safe") {
            let r := R
            let base := add(mload(add(run, 128)), 32)
            let coordinates := add(add(mload(add(run, 32)), 32), shl(5, mload(add(run, 160))))
            let value := mload(add(base, shl(5, stale)))
            for {} gt(stale, bit) {} {
                stale := sub(stale, 1)
                let with := mulmod(value, mload(add(coordinates, shl(5, stale))), r)
                switch and(shr(stale, block_), 1)
                case 0 { value := addmod(value, sub(r, with), r) }
                default { value := with }
                mstore(add(base, shl(5, stale)), value)
            }
        }
    }
}
