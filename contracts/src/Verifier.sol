// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "./interfaces/IVerifier.sol";
import {Field, R} from "./lib/Field.sol";
import {Chips, Key} from "./lib/Key.sol";
import {Opening} from "./lib/Opening.sol";
import {Reduction} from "./lib/Reduction.sol";
import {Sumcheck} from "./lib/Sumcheck.sol";
import {Transcript} from "./lib/Transcript.sol";

/// @title The proof protocol, step by step; the numbers are those of verifier/verify.py.
/// @dev A generated contract supplies the key; the constraint code lives in contracts of its own, because
/// it does not fit into one (EIP-170). Their addresses are fixed at construction.
abstract contract Verifier is IVerifier {
    using Chips for uint256;
    using Chips for bytes;
    using Transcript for Transcript.Reader;

    error StatementLength(uint256 expected, uint256 got);
    error WordNotCanonical(uint256 index, uint256 got);
    error PubdataLength(uint256 limit, uint256 got);
    error PublishedNotCanonical(uint256 index, uint256 got);
    error ProofLength(uint256 expected, uint256 got);
    error HeightTooLarge(uint256 chip, uint256 limit, uint256 got);
    error HeightFixed(uint256 chip, uint256 expected, uint256 got);
    error SumcheckMismatch(uint256 expected, uint256 got);
    error WrongPartCount(uint256 expected, uint256 got);
    error PartWithoutCode(uint256 part);
    error PartFailed(uint256 part);

    uint256 private constant HEADER_WORDS = 12; // fold, weight, ten fingerprint inputs

    /// Challenges of steps 1 and 2.
    struct Batching {
        uint256 fold;
        uint256 tau;
        uint256 sumWeight;
        uint256 wordBase;
    }

    address private immutable PART_0;
    address private immutable PART_1;
    address private immutable PART_2;
    address private immutable PART_3;

    /// @param constraintParts The constraint contracts in order. Whoever relies on this contract compares their code
    /// with the published artifacts, as for this contract itself.
    constructor(address[] memory constraintParts) {
        uint256 count = _partCount();
        if (constraintParts.length != count) revert WrongPartCount(count, constraintParts.length);
        for (uint256 i = 0; i < count; ++i) {
            if (constraintParts[i].code.length == 0) revert PartWithoutCode(i);
        }
        PART_0 = constraintParts[0];
        PART_1 = constraintParts.length > 1 ? constraintParts[1] : address(0);
        PART_2 = constraintParts.length > 2 ? constraintParts[2] : address(0);
        PART_3 = constraintParts.length > 3 ? constraintParts[3] : address(0);
    }

    function _key() internal pure virtual returns (Key memory);

    function _partCount() internal pure virtual returns (uint256);

    /// @inheritdoc IVerifier
    function keyDigest() external pure returns (bytes32) {
        return _key().digest;
    }

    /// The constraint contracts, in order.
    function parts() external view returns (address[] memory list) {
        list = new address[](_partCount());
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _part(i);
        }
    }

    function _part(uint256 index) private view returns (address) {
        return index == 0 ? PART_0 : index == 1 ? PART_1 : index == 2 ? PART_2 : PART_3;
    }

    /// @inheritdoc IVerifier
    function verify(uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof) external view {
        Key memory key = _key();
        // 0. The statement, in canonical form, then the heights that the prover claims.
        _checkStatement(key, words, pubdata);
        uint256 size = _proofBytes(key);
        if (proof.length != size) revert ProofLength(size, proof.length);
        Transcript.Reader memory reader = _start(key, words, pubdata, proof);
        uint256[] memory heights = reader.takeHeights(key.chips.length / 16);
        _checkHeights(key, heights, pubdata.length);

        // 1. Main columns; challenges of the bus fingerprints.
        Opening.Claim memory claim;
        claim.tauG2 = key.tauG2;
        claim.mainCount = key.mainChunks;
        claim.mainAt = reader.takePoints("main", key.mainChunks);
        uint256 alpha = reader.challenge();
        uint256[] memory inputs = _inputs(key, words, alpha, reader.challenge());

        // 2. Helper columns; challenges that batch all constraints into one polynomial.
        claim.helpersAt = reader.takePoints("help", key.helperChunks);
        Batching memory batching;
        batching.fold = reader.challenge();
        batching.tau = reader.challenge();
        batching.sumWeight = reader.challenge();
        batching.wordBase = reader.challenge();

        // 3. Sumcheck over the rows of all chips; the claim is the published words' share alone.
        uint256[] memory point;
        (point, claim.value) =
            Sumcheck.run(reader, "rnd1", key.rounds, key.degree, _publishedShare(pubdata, batching));

        // 4. Column values at the point; the constraints computed from them must give the claim.
        uint256 evaluationsAt = reader.takeScalars("eval", key.columns);
        uint256 expected = _expectedClaim(key, heights, inputs, evaluationsAt, point, batching);
        if (expected != claim.value) revert SumcheckMismatch(expected, claim.value);
        uint256 gamma = reader.challenge();

        // 5. Second sumcheck: all column claims become one claim on a sum of chunks.
        claim.value = Reduction.combinedClaim(evaluationsAt, key.columns, gamma);
        (claim.rho, claim.value) = Sumcheck.run(reader, "rnd2", key.logChunk, 2, claim.value);
        claim.weights = Reduction.chunkWeights(key, point, gamma, claim.rho);

        // 6. Folds of the sum; 7. their values at -r^(2^i); 8. Shplonk quotient; 9. KZG witness.
        claim.foldsAt = reader.takePoints("fold", key.logChunk - 1);
        claim.r = reader.challenge();
        claim.negatedAt = reader.takeScalars("negv", key.logChunk);
        claim.nu = reader.challenge();
        claim.quotientAt = reader.takePoints("quot", 1);
        claim.z = reader.challenge();
        claim.witnessAt = reader.takePoints("open", 1);
        Opening.check(claim);
    }

    function _checkStatement(Key memory key, uint256[] calldata words, uint256[] calldata pubdata) private pure {
        if (words.length != key.words) revert StatementLength(key.words, words.length);
        uint256 place;
        assembly ("memory-safe") {
            place := words.offset
        }
        uint256 bad = Transcript.firstNotCanonical(place, words.length);
        if (bad < words.length) revert WordNotCanonical(bad, words[bad]);
        uint256 limit;
        for (uint256 i = 0; i < key.chips.length / 16; ++i) {
            if (key.chips.recordAt(i).rule() == Chips.PUBDATA) limit = 1 << key.chips.recordAt(i).logHeight();
        }
        if (pubdata.length > limit) revert PubdataLength(limit, pubdata.length);
        assembly ("memory-safe") {
            place := pubdata.offset
        }
        bad = Transcript.firstNotCanonical(place, pubdata.length);
        if (bad < pubdata.length) revert PublishedNotCanonical(bad, pubdata[bad]);
    }

    function _proofBytes(Key memory key) private pure returns (uint256) {
        uint256 points = key.mainChunks + key.helperChunks + key.logChunk - 1 + 2;
        uint256 scalars = key.rounds * key.degree + key.columns + 3 * key.logChunk;
        return 32 * ((key.chips.length / 16 + 7) / 8 + scalars) + 64 * points;
    }

    /// Absorbs the key, the public words and the published words, each with its length.
    function _start(Key memory key, uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof)
        private
        pure
        returns (Transcript.Reader memory reader)
    {
        bytes32 published = keccak256(abi.encodePacked(pubdata));
        bytes memory statement =
            abi.encodePacked(key.digest, words.length, words, pubdata.length, published);
        reader.state = uint256(
            keccak256(
                abi.encodePacked(
                    keccak256("plasmaperps/proof/v1"), bytes4("stmt"), uint32(statement.length), statement
                )
            )
        );
        uint256 offset;
        assembly ("memory-safe") {
            offset := proof.offset
        }
        reader.offset = offset;
        uint256 scratch;
        uint256 size = 32 * key.columns + 128;
        uint256 chunks = 64 * (key.mainChunks + key.helperChunks + key.logChunk) + 128;
        bytes memory area = new bytes(size > chunks ? size : chunks);
        assembly ("memory-safe") {
            scratch := add(area, 32)
        }
        reader.scratch = scratch;
    }

    function _checkHeights(Key memory key, uint256[] memory heights, uint256 published) private pure {
        for (uint256 i = 0; i < heights.length; ++i) {
            uint256 record = key.chips.recordAt(i);
            uint256 limit = 1 << record.logHeight();
            uint256 height = heights[i];
            if (height > limit) revert HeightTooLarge(i, limit, height);
            uint256 rule = record.rule();
            if (rule == Chips.SINGLE_ROW && height != 1) revert HeightFixed(i, 1, height);
            if (rule == Chips.PUBDATA && height != published) revert HeightFixed(i, published, height);
        }
    }

    /// Inputs of the constraint contracts: header, public words, row and activity per chip, evaluations.
    function _inputs(Key memory key, uint256[] calldata words, uint256 alpha, uint256 beta)
        private
        pure
        returns (uint256[] memory inputs)
    {
        inputs = new uint256[](HEADER_WORDS + key.words + 2 * (key.chips.length / 16) + key.columns);
        inputs[1] = 1;
        inputs[2] = alpha;
        uint256 power = 1;
        for (uint256 i = 3; i < HEADER_WORDS; ++i) {
            power = mulmod(power, beta, R);
            inputs[i] = power;
        }
        for (uint256 i = 0; i < words.length; ++i) {
            inputs[HEADER_WORDS + i] = words[i];
        }
    }

    /// lambda^2 sum_j pubdata[j] z_pub^j
    function _publishedShare(uint256[] calldata pubdata, Batching memory batching)
        private
        pure
        returns (uint256 share)
    {
        uint256 base = batching.wordBase;
        assembly ("memory-safe") {
            let r := R
            for { let place := add(pubdata.offset, shl(5, pubdata.length)) } gt(place, pubdata.offset) {} {
                place := sub(place, 32)
                share := addmod(mulmod(share, base, r), calldataload(place), r)
            }
        }
        return mulmod(share, mulmod(batching.sumWeight, batching.sumWeight, R), R);
    }

    function _expectedClaim(
        Key memory key,
        uint256[] memory heights,
        uint256[] memory inputs,
        uint256 evaluationsAt,
        uint256[] memory point,
        Batching memory batching
    ) private view returns (uint256 total) {
        inputs[0] = batching.fold;
        uint256 position = HEADER_WORDS + key.words;
        for (uint256 i = 0; i < heights.length; ++i) {
            uint256 start = key.rounds - key.chips.recordAt(i).logHeight();
            inputs[position++] = Field.rowNumber(point, start);
            inputs[position++] = Field.activity(heights[i], point, start);
        }
        uint256 size = 32 * key.columns;
        assembly ("memory-safe") {
            calldatacopy(add(add(inputs, 32), shl(5, position)), evaluationsAt, size)
        }
        uint256[] memory sums = _constraintSums(key, inputs);
        uint256[] memory tauPoint = Field.squares(batching.tau, key.rounds);
        uint256[] memory products = new uint256[](key.rounds + 1);
        products[0] = 1;
        for (uint256 i = 0; i < key.rounds; ++i) {
            products[i + 1] = mulmod(products[i], point[i], R);
        }
        for (uint256 i = 0; i < heights.length; ++i) {
            uint256 record = key.chips.recordAt(i);
            uint256 start = key.rounds - record.logHeight();
            uint256 term = mulmod(Field.equality(tauPoint, start, point, start, record.logHeight()), sums[i], R);
            uint256 helperSum = 0;
            uint256 first = inputs[position];
            position += record.mainColumns();
            for (uint256 j = 0; j < record.helperColumns(); ++j) {
                helperSum = addmod(helperSum, inputs[position++], R);
            }
            if (record.rule() == Chips.PUBDATA) {
                // lambda (h + lambda w z): the published words carry the square of lambda.
                uint256 share = mulmod(first, Field.powersAt(batching.wordBase, point, start), R);
                helperSum = addmod(helperSum, mulmod(batching.sumWeight, share, R), R);
            }
            term = addmod(term, mulmod(batching.sumWeight, helperSum, R), R);
            total = addmod(total, mulmod(products[start], term, R), R);
        }
    }

    /// sum_i a^i (C_i - (1 - act) C_i(0)) of every chip, from the constraint contracts.
    function _constraintSums(Key memory key, uint256[] memory inputs) private view returns (uint256[] memory sums) {
        sums = new uint256[](key.chips.length / 16);
        bytes memory partials = key.partials;
        uint256 cursor = 0;
        for (uint256 part = 0; cursor < partials.length; ++part) {
            uint256 count = uint8(partials[cursor++]);
            address target = _part(part);
            uint256[] memory output = new uint256[](count + 1);
            bool done;
            assembly ("memory-safe") {
                let size := shl(5, add(count, 1))
                done := staticcall(gas(), target, add(inputs, 32), shl(5, mload(inputs)), add(output, 32), size)
                done := and(done, eq(returndatasize(), size))
            }
            if (!done) revert PartFailed(part);
            inputs[1] = output[0];
            for (uint256 j = 1; j <= count; ++j) {
                uint256 chip = uint8(partials[cursor++]);
                sums[chip] = addmod(sums[chip], output[j], R);
            }
        }
    }
}
