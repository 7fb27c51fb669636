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
    using Chips for Key;
    using Chips for uint256;
    using Sumcheck for Transcript.Reader;
    using Transcript for Transcript.Reader;

    error StatementLength(uint256 expected, uint256 got);
    error WordNotCanonical(uint256 index, uint256 got);
    error PubdataLength(uint256 expected, uint256 got);
    error PublishedNotCanonical(uint256 index, uint256 got);
    error ProofLength(uint256 expected, uint256 got);
    error HeightTooLarge(uint256 chip, uint256 expected, uint256 got);
    error HeightFixed(uint256 chip, uint256 expected, uint256 got);
    error SumcheckMismatch(uint256 expected, uint256 got);
    error WrongPartCount(uint256 expected, uint256 got);
    error PartWithoutCode(uint256 part);
    error PartFailed(uint256 part);

    uint256 private constant HEADER_WORDS = 12; // fold, weight, ten fingerprint inputs

    /// What a verification knows so far. One memory object, because the stack has room for little more
    /// than the three arguments.
    struct Session {
        Key key;
        Transcript.Reader reader;
        uint256[] heights;
        uint256[] inputs; // of the constraint contracts
        uint256 tau;
        uint256 sumWeight; // lambda
        uint256 wordBase; // zeta
        uint256[] point; // of the first sumcheck
        uint256 evaluationsAt;
        Opening.Claim claim;
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
        Session memory session;
        Key memory key = session.key = _key();
        Opening.Claim memory claim = session.claim;
        // 0. The statement, in canonical form, then the heights that the prover claims.
        _checkStatement(key, words, pubdata);
        if (proof.length != _proofBytes(key)) revert ProofLength(_proofBytes(key), proof.length);
        Transcript.Reader memory reader = session.reader = _start(key, words, pubdata, proof);
        session.heights = reader.takeHeights(key.chipCount);
        _checkHeights(key, session.heights, pubdata.length);

        // 1. Main columns; challenges of the bus fingerprints.
        claim.tauG2 = key.tauG2;
        claim.mainCount = key.mainChunks;
        claim.mainAt = reader.takePoints("main", key.mainChunks);
        session.inputs = _inputs(session, words);

        // 2. Helper columns; challenges that batch all constraints into one polynomial.
        claim.helpersAt = reader.takePoints("help", key.helperChunks);
        session.inputs[0] = reader.challenge();
        session.tau = reader.challenge();
        session.sumWeight = reader.challenge();
        session.wordBase = reader.challenge();

        // 3. Sumcheck over the rows of all chips; the claim is the published words' share alone.
        claim.value = _publishedShare(session, pubdata);
        (session.point, claim.value) = reader.runSumcheck("rnd1", key.rounds, key.degree, claim.value);

        // 4. Column values at the point; the constraints computed from them must give the claim.
        session.evaluationsAt = reader.takeScalars("eval", key.columns);
        uint256 expected = _expectedClaim(session);
        if (expected != claim.value) revert SumcheckMismatch(expected, claim.value);
        uint256 gamma = reader.challenge();

        // 5. Second sumcheck: all column claims become one claim on a sum of chunks.
        claim.value = Reduction.combinedClaim(session.evaluationsAt, key.columns, gamma);
        (claim.rho, claim.value) = reader.runSumcheck("rnd2", key.logChunk, 2, claim.value);
        claim.weights = Reduction.chunkWeights(key, session.point, gamma, claim.rho);

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
        uint256 bad = Transcript.firstNotCanonical(_placeOf(words), words.length);
        if (bad < words.length) revert WordNotCanonical(bad, words[bad]);
        uint256 limit = 0;
        for (uint256 i = 0; i < key.chipCount; ++i) {
            if (key.recordAt(i).rule() == Chips.PUBDATA) limit = 1 << key.recordAt(i).logHeight();
        }
        if (pubdata.length > limit) revert PubdataLength(limit, pubdata.length);
        bad = Transcript.firstNotCanonical(_placeOf(pubdata), pubdata.length);
        if (bad < pubdata.length) revert PublishedNotCanonical(bad, pubdata[bad]);
    }

    function _placeOf(uint256[] calldata values) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := values.offset
        }
    }

    function _proofBytes(Key memory key) private pure returns (uint256) {
        uint256 points = key.mainChunks + key.helperChunks + key.logChunk - 1 + 2;
        uint256 scalars = key.rounds * key.degree + key.columns + 3 * key.logChunk;
        return 32 * ((key.chipCount + 7) / 8 + scalars) + 64 * points;
    }

    /// Absorbs the key, the public words and the published words, each with its length.
    function _start(Key memory key, uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof)
        private
        pure
        returns (Transcript.Reader memory reader)
    {
        bytes32 published = keccak256(abi.encodePacked(pubdata));
        bytes memory statement = abi.encodePacked(key.digest, words.length, words, pubdata.length, published);
        // A message of the proof is at most all columns or all points, and forty bytes go before it.
        uint256 points = key.mainChunks + key.helperChunks + key.logChunk;
        reader = Transcript.start(statement, Transcript.MESSAGE_HEAD + 32 * key.columns + 64 * points);
        uint256 offset;
        assembly ("memory-safe") {
            offset := proof.offset
        }
        reader.offset = offset;
    }

    function _checkHeights(Key memory key, uint256[] memory heights, uint256 published) private pure {
        for (uint256 i = 0; i < heights.length; ++i) {
            uint256 record = key.recordAt(i);
            uint256 limit = 1 << record.logHeight();
            uint256 height = heights[i];
            if (height > limit) revert HeightTooLarge(i, limit, height);
            uint256 rule = record.rule();
            if (rule == Chips.SINGLE_ROW && height != 1) revert HeightFixed(i, 1, height);
            if (rule == Chips.PUBDATA && height != published) revert HeightFixed(i, published, height);
        }
    }

    /// Inputs of the constraint contracts: header, public words, row and activity per chip, evaluations.
    /// Draws alpha and beta; what is not known yet stays zero.
    function _inputs(Session memory session, uint256[] calldata words) private pure returns (uint256[] memory inputs) {
        Key memory key = session.key;
        inputs = new uint256[](HEADER_WORDS + key.words + 2 * key.chipCount + key.columns);
        inputs[1] = 1;
        inputs[2] = session.reader.challenge();
        uint256 beta = session.reader.challenge();
        uint256 power = 1;
        for (uint256 i = 3; i < HEADER_WORDS; ++i) {
            power = mulmod(power, beta, R);
            inputs[i] = power;
        }
        assembly ("memory-safe") {
            calldatacopy(add(inputs, shl(5, add(HEADER_WORDS, 1))), words.offset, shl(5, words.length))
        }
    }

    /// lambda^2 sum_j pubdata[j] zeta^j
    function _publishedShare(Session memory session, uint256[] calldata pubdata) private pure returns (uint256 share) {
        share = Reduction.combinedClaim(_placeOf(pubdata), pubdata.length, session.wordBase);
        return mulmod(share, mulmod(session.sumWeight, session.sumWeight, R), R);
    }

    /// sum_c kappa_c (eq_c * constraints_c + lambda * helpers_c), and the published words' chip.
    function _expectedClaim(Session memory session) private view returns (uint256 total) {
        Key memory key = session.key;
        uint256[] memory sums = _constraintSums(session);
        uint256[] memory equalities = Field.suffixEqualities(Field.squares(session.tau, key.rounds), session.point);
        uint256[] memory products = Field.prefixProducts(session.point);
        uint256 position = session.evaluationsAt;
        for (uint256 i = 0; i < sums.length; ++i) {
            uint256 record = key.recordAt(i);
            uint256 start = key.rounds - record.logHeight();
            uint256 helpersAt = position + 32 * record.mainColumns();
            uint256 share = Field.sumAt(helpersAt, record.helperColumns());
            if (record.rule() == Chips.PUBDATA) {
                // lambda (h + lambda w zeta^row): the published words carry the square of lambda.
                uint256 weight = mulmod(session.sumWeight, Field.powersAt(session.wordBase, session.point, start), R);
                share = addmod(share, mulmod(Field.wordAt(position), weight, R), R);
            }
            share = mulmod(session.sumWeight, share, R);
            share = addmod(share, mulmod(equalities[start], sums[i], R), R);
            total = addmod(total, mulmod(products[start], share, R), R);
            position = helpersAt + 32 * record.helperColumns();
        }
    }

    /// sum_i a^i (C_i - (1 - act) C_i(0)) of every chip, from the constraint contracts.
    function _constraintSums(Session memory session) private view returns (uint256[] memory sums) {
        uint256[] memory inputs = session.inputs;
        _setPoint(session, inputs);
        sums = new uint256[](session.heights.length);
        bytes memory partials = session.key.partials;
        uint256 cursor = 0;
        for (uint256 part = 0; cursor < partials.length; ++part) {
            uint256 count = uint8(partials[cursor++]);
            uint256[] memory output = _callPart(part, inputs, count + 1);
            inputs[1] = output[0];
            for (uint256 j = 1; j <= count; ++j) {
                uint256 chip = uint8(partials[cursor++]);
                sums[chip] = addmod(sums[chip], output[j], R);
            }
        }
    }

    /// Completes the inputs: row number and activity of every chip at its end of the point, column values.
    function _setPoint(Session memory session, uint256[] memory inputs) private pure {
        Key memory key = session.key;
        uint256[] memory rows = Field.suffixRowNumbers(session.point);
        uint256 position = HEADER_WORDS + key.words;
        for (uint256 i = 0; i < session.heights.length; ++i) {
            uint256 start = key.rounds - key.recordAt(i).logHeight();
            inputs[position++] = rows[start];
            inputs[position++] = Field.activity(session.heights[i], session.point, start);
        }
        uint256 source = session.evaluationsAt;
        assembly ("memory-safe") {
            // The rest of the inputs is exactly one word for every column.
            let size := shl(5, sub(mload(inputs), position))
            calldatacopy(add(add(inputs, 32), shl(5, position)), source, size)
        }
    }

    function _callPart(uint256 part, uint256[] memory inputs, uint256 words)
        private
        view
        returns (uint256[] memory output)
    {
        address target = _part(part);
        output = new uint256[](words);
        bool done;
        assembly ("memory-safe") {
            let size := shl(5, words)
            done := staticcall(gas(), target, add(inputs, 32), shl(5, mload(inputs)), add(output, 32), size)
            done := and(done, eq(returndatasize(), size))
        }
        if (!done) revert PartFailed(part);
    }
}
