// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Order of the scalar field of BN254: proof scalars and public words live here.
uint256 constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
// Modulus of the base field of BN254: point coordinates live here.
uint256 constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

/// A precompiled contract failed or gave an answer of another length than it must (traps S4, S5).
error PrecompileFailed(uint256 precompile);

/// @title Functions of the sumcheck point that the verifier computes itself.
/// @dev Mirrors verifier/sumcheck.py; points are memory arrays, low bit first.
library Field {
    error DegenerateChallenge(uint256 got);

    /// prod_b (1 - x_b - y_b + 2 x_b y_b) over `count` coordinates, starting at two offsets.
    function equality(uint256[] memory left, uint256 leftStart, uint256[] memory right, uint256 rightStart, uint256 count)
        internal
        pure
        returns (uint256 product)
    {
        assembly ("memory-safe") {
            let r := R
            product := 1
            let x := add(add(left, 32), shl(5, leftStart))
            let y := add(add(right, 32), shl(5, rightStart))
            let end := add(x, shl(5, count))
            for {} lt(x, end) {} {
                let a := mload(x)
                let b := mload(y)
                let factor := addmod(shl(1, mulmod(a, b, r)), sub(add(r, 1), a), r)
                product := mulmod(product, addmod(factor, sub(r, b), r), r)
                x := add(x, 32)
                y := add(y, 32)
            }
        }
    }

    /// The same product over all coordinates from `start` on, for every start up to the length.
    function suffixEqualities(uint256[] memory left, uint256[] memory right)
        internal
        pure
        returns (uint256[] memory products)
    {
        uint256 count = left.length;
        products = new uint256[](count + 1);
        products[count] = 1;
        for (uint256 start = count; start > 0;) {
            unchecked {
                --start;
            }
            products[start] = mulmod(products[start + 1], equality(left, start, right, start, 1), R);
        }
    }

    /// Product of the coordinates before `start`, for every start up to the length.
    function prefixProducts(uint256[] memory point) internal pure returns (uint256[] memory products) {
        products = new uint256[](point.length + 1);
        products[0] = 1;
        for (uint256 i = 0; i < point.length; ++i) {
            products[i + 1] = mulmod(products[i], point[i], R);
        }
    }

    /// Multilinear extension of [row < height] over the coordinates from `start` on.
    function activity(uint256 height, uint256[] memory point, uint256 start) internal pure returns (uint256 total) {
        if (height == 1 << (point.length - start)) return 1;
        assembly ("memory-safe") {
            let r := R
            let end := add(add(point, 32), shl(5, mload(point)))
            // Low bits first: of the rows that agree above a bit, those with a smaller bit are below.
            for { let place := add(add(point, 32), shl(5, start)) } lt(place, end) { place := add(place, 32) } {
                let x := mload(place)
                let part := mulmod(x, total, r)
                switch and(height, 1)
                case 0 { total := addmod(total, sub(r, part), r) }
                default { total := addmod(part, sub(add(r, 1), x), r) }
                height := shr(1, height)
            }
        }
    }

    /// Multilinear extension of the row number, sum 2^b x_b, over the coordinates from every start on.
    function suffixRowNumbers(uint256[] memory point) internal pure returns (uint256[] memory rows) {
        rows = new uint256[](point.length + 1);
        for (uint256 start = point.length; start > 0;) {
            unchecked {
                --start;
            }
            rows[start] = addmod(addmod(rows[start + 1], rows[start + 1], R), point[start], R);
        }
    }

    /// The calldata word at a position.
    function wordAt(uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(position)
        }
    }

    /// Sum of `count` calldata words.
    function sumAt(uint256 position, uint256 count) internal pure returns (uint256 total) {
        for (uint256 i = 0; i < count; ++i) {
            total = addmod(total, wordAt(position + 32 * i), R);
        }
    }

    /// Multilinear extension of row -> base^row.
    function powersAt(uint256 base, uint256[] memory point, uint256 start) internal pure returns (uint256 product) {
        product = 1;
        for (uint256 bit = start; bit < point.length; ++bit) {
            uint256 x = point[bit];
            uint256 factor = addmod(addmod(1, R - x, R), mulmod(x, base, R), R);
            product = mulmod(product, factor, R);
            base = mulmod(base, base, R);
        }
    }

    /// base, base^2, base^4, ...
    function squares(uint256 base, uint256 count) internal pure returns (uint256[] memory values) {
        values = new uint256[](count);
        assembly ("memory-safe") {
            let place := add(values, 32)
            for { let end := add(place, shl(5, count)) } lt(place, end) { place := add(place, 32) } {
                mstore(place, base)
                base := mulmod(base, base, R)
            }
        }
    }

    /// 1 - x_b and x_b for every coordinate.
    function complementPairs(uint256[] memory point) internal pure returns (uint256[] memory pairs) {
        pairs = new uint256[](2 * point.length);
        for (uint256 i = 0; i < point.length; ++i) {
            pairs[2 * i] = addmod(1, R - point[i], R);
            pairs[2 * i + 1] = point[i];
        }
    }

    /// Replaces every value by its inverse with one modular exponentiation (EIP-198).
    /// @dev A zero value makes the product zero and is refused: MODEXP would return 0 silently (trap S9).
    function invertAll(uint256[] memory values) internal view {
        uint256[] memory prefix = new uint256[](values.length);
        uint256 product = 1;
        assembly ("memory-safe") {
            let end := shl(5, mload(values))
            for { let offset := 32 } iszero(gt(offset, end)) { offset := add(offset, 32) } {
                mstore(add(prefix, offset), product)
                product := mulmod(product, mload(add(values, offset)), R)
            }
        }
        uint256 inverse = _power(product, R - 2);
        if (mulmod(product, inverse, R) != 1) revert DegenerateChallenge(product);
        assembly ("memory-safe") {
            for { let offset := shl(5, mload(values)) } offset { offset := sub(offset, 32) } {
                let place := add(values, offset)
                let value := mload(place)
                mstore(place, mulmod(inverse, mload(add(prefix, offset)), R))
                inverse := mulmod(inverse, value, R)
            }
        }
    }

    function _power(uint256 base, uint256 exponent) private view returns (uint256 value) {
        bool done;
        assembly ("memory-safe") {
            let position := mload(0x40)
            mstore(position, 32)
            mstore(add(position, 32), 32)
            mstore(add(position, 64), 32)
            mstore(add(position, 96), base)
            mstore(add(position, 128), exponent)
            mstore(add(position, 160), R)
            done := staticcall(gas(), 5, position, 192, 0, 32)
            done := and(done, eq(returndatasize(), 32))
            value := mload(0)
        }
        if (!done) revert PrecompileFailed(5);
    }
}
