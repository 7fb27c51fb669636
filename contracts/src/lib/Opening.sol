// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "./Bn254.sol";
import {Field, R} from "./Field.sol";

/// @title Gemini folds in evaluation form, Shplonk, and one pairing.
/// @dev Mirrors verifier/opening.py.
library Opening {
    using Bn254 for uint256[5];

    /// Everything the check reads; positions are in calldata.
    struct Claim {
        uint256 value; // u = f(rho)
        uint256[] rho;
        uint256[] weights; // of the chunks
        uint256 mainAt;
        uint256 mainCount;
        uint256 helpersAt;
        uint256 foldsAt;
        uint256 r;
        uint256 negatedAt;
        uint256 nu;
        uint256 quotientAt;
        uint256 z;
        uint256 witnessAt;
        uint256[4] tauG2;
    }

    function check(Claim memory claim) internal view {
        uint256 m = claim.rho.length;
        uint256[] memory roots = Field.squares(claim.r, m);
        uint256[] memory inverses = _denominators(claim, roots);
        Field.invertAll(inverses);
        (uint256[] memory scales, uint256 constantTerm) =
            _scales(claim, _positiveValues(claim, roots, inverses), inverses);

        uint256[5] memory sum;
        sum.addAt(claim.quotientAt);
        uint256 scale = R - scales[0];
        for (uint256 k = 0; k < claim.weights.length; ++k) {
            uint256 position = k < claim.mainCount ? claim.mainAt + 64 * k : claim.helpersAt + 64 * (k - claim.mainCount);
            sum.addScaledAt(position, mulmod(scale, claim.weights[k], R));
        }
        for (uint256 i = 1; i < m; ++i) {
            sum.addScaledAt(claim.foldsAt + 64 * (i - 1), R - scales[i]);
        }
        sum.addScaled(1, 2, constantTerm);
        sum.addScaledAt(claim.witnessAt, claim.z);
        Bn254.checkPairing(sum, claim.witnessAt, claim.tauG2);
    }

    /// For every i: r_i (1 - rho_i) + rho_i, z - r_i and z + r_i.
    function _denominators(Claim memory claim, uint256[] memory roots) private pure returns (uint256[] memory values) {
        values = new uint256[](3 * roots.length);
        uint256[] memory rho = claim.rho;
        uint256 z = claim.z;
        assembly ("memory-safe") {
            let r := R
            let target := add(values, 32)
            let coordinate := add(rho, 32)
            let place := add(roots, 32)
            for { let end := add(place, shl(5, mload(roots))) } lt(place, end) { place := add(place, 32) } {
                let root := mload(place)
                let x := mload(coordinate)
                let odd := addmod(x, sub(r, mulmod(root, x, r)), r)
                mstore(target, addmod(root, odd, r))
                mstore(add(target, 32), addmod(z, sub(r, root), r))
                mstore(add(target, 64), addmod(z, root, r))
                coordinate := add(coordinate, 32)
                target := add(target, 96)
            }
        }
    }

    /// p_i = (2 r_i p_{i+1} - e_i (r_i (1 - rho_i) - rho_i)) / (r_i (1 - rho_i) + rho_i), from p_m = u down.
    function _positiveValues(Claim memory claim, uint256[] memory roots, uint256[] memory inverses)
        private
        pure
        returns (uint256[] memory values)
    {
        values = new uint256[](roots.length);
        uint256[] memory rho = claim.rho;
        uint256 following = claim.value;
        uint256 negatedAt = claim.negatedAt;
        assembly ("memory-safe") {
            let r := R
            for { let offset := shl(5, mload(roots)) } offset { offset := sub(offset, 32) } {
                let root := mload(add(roots, offset))
                let x := mload(add(rho, offset))
                // r_i (1 - rho_i) - rho_i = r_i - rho_i (r_i + 1), negated
                let factor := addmod(mulmod(x, add(root, 1), r), sub(r, root), r)
                let negated := calldataload(add(negatedAt, sub(offset, 32)))
                following := addmod(mulmod(shl(1, root), following, r), mulmod(negated, factor, r), r)
                following := mulmod(following, mload(add(inverses, sub(mul(offset, 3), 64))), r)
                mstore(add(values, offset), following)
            }
        }
    }

    /// A_i + B_i for every fold, and sum A_i p_i + B_i e_i.
    function _scales(Claim memory claim, uint256[] memory positive, uint256[] memory inverses)
        private
        pure
        returns (uint256[] memory scales, uint256 constantTerm)
    {
        scales = new uint256[](positive.length);
        uint256 nu = claim.nu;
        uint256 negatedAt = claim.negatedAt;
        assembly ("memory-safe") {
            let r := R
            let power := 1
            let end := shl(5, mload(positive))
            for { let offset := 32 } iszero(gt(offset, end)) { offset := add(offset, 32) } {
                let inverse := add(inverses, sub(mul(offset, 3), 32)) // of z - r_i; then z + r_i
                let atPositive := mulmod(power, mload(inverse), r)
                power := mulmod(power, nu, r)
                let atNegated := mulmod(power, mload(add(inverse, 32)), r)
                power := mulmod(power, nu, r)
                let term := mulmod(atNegated, calldataload(add(negatedAt, sub(offset, 32))), r)
                term := addmod(term, mulmod(atPositive, mload(add(positive, offset)), r), r)
                constantTerm := addmod(constantTerm, term, r)
                mstore(add(scales, offset), addmod(atPositive, atNegated, r))
            }
        }
    }
}
