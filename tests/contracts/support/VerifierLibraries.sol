// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bn254} from "../../../contracts/src/lib/Bn254.sol";
import {Field} from "../../../contracts/src/lib/Field.sol";
import {Key} from "../../../contracts/src/lib/Key.sol";
import {Reduction} from "../../../contracts/src/lib/Reduction.sol";
import {Sumcheck} from "../../../contracts/src/lib/Sumcheck.sol";
import {Transcript} from "../../../contracts/src/lib/Transcript.sol";

/// @title The verifier's libraries, one function at a time.
contract VerifierLibraries {
    using Bn254 for uint256[5];
    using Sumcheck for Transcript.Reader;
    using Transcript for Transcript.Reader;

    /// The transcript over `data`: a message for every label, a challenge for every empty one.
    function transcript(bytes4[] calldata labels, uint256[] calldata sizes, bytes calldata data)
        external
        pure
        returns (uint256[] memory challenges)
    {
        Transcript.Reader memory reader = _reader(data);
        challenges = new uint256[](labels.length);
        for (uint256 i = 0; i < labels.length; ++i) {
            if (labels[i] == 0) challenges[i] = reader.challenge();
            else reader.take(labels[i], sizes[i]);
        }
    }

    function afterStatement(bytes calldata statement) external pure returns (uint256) {
        return Transcript.start(statement, 64).challenge();
    }

    function takeHeights(uint256 count, bytes calldata data) external pure returns (uint256[] memory, uint256) {
        Transcript.Reader memory reader = _reader(data);
        return (reader.takeHeights(count), reader.challenge());
    }

    function takeScalars(bytes4 label, uint256 count, bytes calldata data) external pure returns (uint256) {
        Transcript.Reader memory reader = _reader(data);
        reader.takeScalars(label, count);
        return reader.challenge();
    }

    function takePoints(bytes4 label, uint256 count, bytes calldata data) external pure returns (uint256) {
        Transcript.Reader memory reader = _reader(data);
        reader.takePoints(label, count);
        return reader.challenge();
    }

    function runSumcheck(uint256 rounds, uint256 degree, uint256 claim, bytes calldata data)
        external
        pure
        returns (uint256[] memory, uint256)
    {
        return _reader(data).runSumcheck("rnd1", rounds, degree, claim);
    }

    function firstNotCanonical(bytes calldata data) external pure returns (uint256) {
        return Transcript.firstNotCanonical(_placeOf(data), data.length / 32);
    }

    function combinedClaim(uint256 gamma, bytes calldata data) external pure returns (uint256) {
        return Reduction.combinedClaim(_placeOf(data), data.length / 32, gamma);
    }

    /// `sizes`: chips, m, n, main and helper chunks.
    function chunkWeights(
        bytes calldata chips,
        uint256[5] calldata sizes,
        uint256[] memory point,
        uint256 gamma,
        uint256[] memory rho
    ) external pure returns (uint256[] memory) {
        Key memory key;
        key.chips = chips;
        key.chipCount = sizes[0];
        key.logChunk = sizes[1];
        key.rounds = sizes[2];
        key.mainChunks = sizes[3];
        key.helperChunks = sizes[4];
        return Reduction.chunkWeights(key, point, gamma, rho);
    }

    /// activity, row number, powers, product before, equality with another point from `start` on.
    function pointFunctions(
        uint256[] memory point,
        uint256[] memory other,
        uint256 start,
        uint256 height,
        uint256 base
    ) external pure returns (uint256[5] memory values) {
        values[0] = Field.activity(height, point, start);
        values[1] = Field.suffixRowNumbers(point)[start];
        values[2] = Field.powersAt(base, point, start);
        values[3] = Field.prefixProducts(point)[start];
        values[4] = Field.suffixEqualities(other, point)[start];
    }

    function invertAll(uint256[] memory values) external view returns (uint256[] memory) {
        Field.invertAll(values);
        return values;
    }

    function addScaled(uint256 x, uint256 y, uint256 scalar) external view returns (uint256, uint256) {
        uint256[5] memory sum;
        sum.addScaled(x, y, scalar);
        return (sum[0], sum[1]);
    }

    function addAt(bytes calldata points) external view returns (uint256, uint256) {
        uint256[5] memory sum;
        for (uint256 i = 0; i < points.length / 64; ++i) {
            sum.addAt(_placeOf(points) + 64 * i);
        }
        return (sum[0], sum[1]);
    }

    function checkPairing(uint256[5] memory left, uint256[4] memory tauG2, bytes calldata witness) external view {
        Bn254.checkPairing(left, _placeOf(witness), tauG2);
    }

    function _reader(bytes calldata data) private pure returns (Transcript.Reader memory reader) {
        reader = Transcript.start("", data.length + 64);
        reader.state = uint256(keccak256("plasmaperps/proof/v1"));
        reader.offset = _placeOf(data);
    }

    function _placeOf(bytes calldata data) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := data.offset
        }
    }
}
