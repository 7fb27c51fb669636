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
        uint256[] memory positive = _positiveValues(claim, roots, inverses);
        (uint256[] memory scales, uint256 constantTerm) = _scales(claim, positive, inverses);

        uint256[5] memory sum = Bn254.start();
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

    /// r_i (1 - rho_i) + rho_i, then z - r_i, then z + r_i.
    function _denominators(Claim memory claim, uint256[] memory roots) private pure returns (uint256[] memory values) {
        uint256 m = roots.length;
        values = new uint256[](3 * m);
        for (uint256 i = 0; i < m; ++i) {
            uint256 root = roots[i];
            uint256 rho = claim.rho[i];
            values[i] = addmod(mulmod(root, addmod(1, R - rho, R), R), rho, R);
            values[m + i] = addmod(claim.z, R - root, R);
            values[2 * m + i] = addmod(claim.z, root, R);
        }
    }

    /// p_i = (2 r_i p_{i+1} - e_i (r_i (1 - rho_i) - rho_i)) / (r_i (1 - rho_i) + rho_i), from p_m = u down.
    function _positiveValues(Claim memory claim, uint256[] memory roots, uint256[] memory inverses)
        private
        pure
        returns (uint256[] memory values)
    {
        uint256 m = roots.length;
        values = new uint256[](m);
        uint256 following = claim.value;
        for (uint256 i = m; i > 0;) {
            unchecked {
                --i;
            }
            uint256 root = roots[i];
            uint256 rho = claim.rho[i];
            uint256 difference = addmod(mulmod(root, addmod(1, R - rho, R), R), R - rho, R);
            uint256 negated = Field.wordAt(claim.negatedAt + 32 * i);
            following = mulmod(addmod(root, root, R), following, R);
            following = addmod(following, R - mulmod(negated, difference, R), R);
            following = mulmod(following, inverses[i], R);
            values[i] = following;
        }
    }

    /// A_i + B_i for every fold, and sum A_i p_i + B_i e_i.
    function _scales(Claim memory claim, uint256[] memory positive, uint256[] memory inverses)
        private
        pure
        returns (uint256[] memory scales, uint256 constantTerm)
    {
        uint256 m = positive.length;
        scales = new uint256[](m);
        uint256 power = 1;
        for (uint256 i = 0; i < m; ++i) {
            uint256 atPositive = mulmod(power, inverses[m + i], R);
            power = mulmod(power, claim.nu, R);
            uint256 atNegated = mulmod(power, inverses[2 * m + i], R);
            power = mulmod(power, claim.nu, R);
            constantTerm = addmod(constantTerm, mulmod(atPositive, positive[i], R), R);
            constantTerm = addmod(constantTerm, mulmod(atNegated, Field.wordAt(claim.negatedAt + 32 * i), R), R);
            scales[i] = addmod(atPositive, atNegated, R);
        }
    }
}
