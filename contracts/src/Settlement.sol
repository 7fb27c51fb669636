// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "./interfaces/ICustody.sol";
import {IQueue} from "./interfaces/IQueue.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {StatementWords as W} from "./interfaces/StatementWords.sol";

contract Settlement is ISettlement {
    uint256 private constant FIELD_MODULUS =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant MAX_AHEAD_MS = 30 * 1000;
    uint256 private constant MAX_AGE_MS = 86400 * 1000;
    uint256 private constant KIND_REGISTER_KEY = 2;
    uint256 private constant OUTCOME_INVALID_KEY = 1;
    /// @dev No count can pass the number of published words, so sums of counts below it do not overflow.
    uint256 private constant COUNT_LIMIT = 1 << 64;

    IQueue public immutable QUEUE;
    ICustody public immutable CUSTODY;
    IVerifier public immutable VERIFIER;
    address public immutable SEQUENCER;
    uint256 public immutable SEQUENCER_EPOCH;

    uint256 public root;
    uint64 private _batchCount;
    uint64 private _queueCursor;
    uint64 private _timeLastMs;
    uint64 private _settledTotal;

    constructor(IQueue queue, IVerifier verifier, address sequencer, uint256 sequencerEpoch, uint256 genesisRoot) {
        ICustody custody = ICustody(queue.CUSTODY());
        if (custody.SETTLEMENT() != address(this)) revert WrongWiring(custody.SETTLEMENT(), address(this));
        // Custody knows one queue; another one could report deposits that custody never took.
        if (custody.QUEUE() != address(queue)) revert WrongWiring(custody.QUEUE(), address(queue));
        if (verifier.insecure() && !_isLocalChain()) revert InsecureKeyOnPublicChain(block.chainid);
        if (block.chainid >= 1 << 64) revert ChainIdTooLarge(block.chainid);
        QUEUE = queue;
        CUSTODY = custody;
        VERIFIER = verifier;
        SEQUENCER = sequencer;
        SEQUENCER_EPOCH = sequencerEpoch;
        root = genesisRoot;
    }

    /// @inheritdoc ISettlement
    function submitBatch(uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof) external {
        if (msg.sender != SEQUENCER) revert NotSequencer(SEQUENCER, msg.sender);
        if (words.length != W.WORD_COUNT) revert WrongWordCount(W.WORD_COUNT, words.length);
        _checkCanonical(words, 0);
        _checkCanonical(pubdata, W.WORD_COUNT);
        _checkPlaceInChain(words);
        _checkPubdataLength(words, pubdata.length);
        _checkTimes(words);
        uint256 queueWords = W.WORDS_PER_QUEUE_ENTRY * words[W.QUEUE_COUNT];
        uint256[] calldata withdrawals = pubdata[queueWords:queueWords + words[W.WITHDRAWAL_COUNT]];
        _checkQueue(words, pubdata[:queueWords]);
        uint256 settled = _checkWithdrawals(words, withdrawals);

        VERIFIER.verify(words, pubdata, proof);

        _advance(words, settled);
        if (withdrawals.length != 0) CUSTODY.credit(withdrawals);
    }

    /// @inheritdoc ISettlement
    function nextBatchNumber() public view returns (uint256) {
        return uint256(_batchCount) + 1;
    }

    /// @inheritdoc ISettlement
    function queueCursor() external view returns (uint256) {
        return _queueCursor;
    }

    /// @inheritdoc ISettlement
    function timeLastMs() external view returns (uint256) {
        return _timeLastMs;
    }

    /// @inheritdoc ISettlement
    function settledTotal() external view returns (uint256) {
        return _settledTotal;
    }

    /// @inheritdoc ISettlement
    function domain() public view returns (uint256) {
        return block.chainid + (uint256(uint160(address(this))) << 64);
    }

    function _isLocalChain() private view returns (bool) {
        return block.chainid == 31337 || block.chainid == 1337;
    }

    function _checkCanonical(uint256[] calldata values, uint256 firstIndex) private pure {
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] >= FIELD_MODULUS) revert WordNotCanonical(firstIndex + i, values[i]);
        }
    }

    function _checkPlaceInChain(uint256[] calldata words) private view {
        uint256 expected = domain();
        if (words[W.DOMAIN] != expected) revert WrongDomain(expected, words[W.DOMAIN]);
        expected = nextBatchNumber();
        if (words[W.BATCH_NUMBER] != expected) revert WrongBatchNumber(expected, words[W.BATCH_NUMBER]);
        expected = SEQUENCER_EPOCH;
        if (words[W.SEQUENCER_EPOCH] != expected) revert WrongEpoch(expected, words[W.SEQUENCER_EPOCH]);
        expected = root;
        if (words[W.OLD_ROOT] != expected) revert WrongOldRoot(expected, words[W.OLD_ROOT]);
        expected = _queueCursor;
        if (words[W.QUEUE_CURSOR_BEFORE] != expected) revert WrongCursor(expected, words[W.QUEUE_CURSOR_BEFORE]);
    }

    function _checkPubdataLength(uint256[] calldata words, uint256 length) private pure {
        uint256 expected = _boundedCount(words[W.QUEUE_COUNT], W.WORDS_PER_QUEUE_ENTRY, length)
            + _boundedCount(words[W.WITHDRAWAL_COUNT], 1, length)
            + _boundedCount(words[W.ACCOUNT_COUNT], W.WORDS_PER_ACCOUNT, length);
        if (expected != length) revert WrongPubdataLength(expected, length);
    }

    function _boundedCount(uint256 count, uint256 wordsEach, uint256 length) private pure returns (uint256) {
        if (count >= COUNT_LIMIT) revert WrongPubdataLength(count, length);
        return count * wordsEach;
    }

    function _checkTimes(uint256[] calldata words) private view {
        uint256 first = words[W.TIME_FIRST_MS];
        uint256 last = words[W.TIME_LAST_MS];
        uint256 nowMs = block.timestamp * 1000;
        if (first < _timeLastMs) revert TimeBackwards(_timeLastMs, first);
        if (last < first) revert TimeBackwards(first, last);
        if (last > nowMs + MAX_AHEAD_MS) revert TimeInFuture(nowMs + MAX_AHEAD_MS, last);
        if (last + MAX_AGE_MS < nowMs) revert TimeTooOld(nowMs - MAX_AGE_MS, last);
    }

    function _checkQueue(uint256[] calldata words, uint256[] calldata entries) private view {
        uint256 cursor = words[W.QUEUE_CURSOR_BEFORE];
        uint256 end = cursor + words[W.QUEUE_COUNT];
        uint256 available = QUEUE.length();
        if (end > available) revert QueueOverrun(available, end);

        (bytes32 chain, uint256 deposits) = _extendChain(QUEUE.chainAt(cursor), entries);
        uint256 expected = uint256(QUEUE.chainAt(end)) >> 8;
        uint256 published = uint256(chain) >> 8;
        if (published != expected) revert WrongQueueHash(expected, published);
        if (words[W.QUEUE_HASH] != expected) revert WrongQueueHash(expected, words[W.QUEUE_HASH]);
        if (words[W.DEPOSIT_TOTAL] != deposits) revert WrongDepositTotal(deposits, words[W.DEPOSIT_TOTAL]);
    }

    /// @dev Entry words: head = kind + account * 2^8 + amount * 2^32; owner + outcome * 2^160; keyX; keyY.
    function _extendChain(bytes32 chain, uint256[] calldata entries)
        private
        pure
        returns (bytes32, uint256 deposits)
    {
        for (uint256 i = 0; i < entries.length; i += W.WORDS_PER_QUEUE_ENTRY) {
            uint256 head = entries[i];
            uint256 outcome = entries[i + 1] >> 160;
            uint256 highestOutcome = uint8(head) == KIND_REGISTER_KEY ? OUTCOME_INVALID_KEY : 0;
            if (outcome > highestOutcome) revert UnknownOutcome(i / W.WORDS_PER_QUEUE_ENTRY, outcome);
            uint256 owner = uint160(entries[i + 1]);
            chain = keccak256(abi.encode(chain, head, owner, entries[i + 2], entries[i + 3]));
            deposits += head >> 32;
        }
        return (chain, deposits);
    }

    function _checkWithdrawals(uint256[] calldata words, uint256[] calldata withdrawals)
        private
        view
        returns (uint256 settled)
    {
        uint256 total = 0;
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            total += withdrawals[i] >> 160;
        }
        if (words[W.WITHDRAWAL_TOTAL] != total) revert WrongWithdrawalTotal(total, words[W.WITHDRAWAL_TOTAL]);
        uint256 available = _settledTotal + words[W.DEPOSIT_TOTAL];
        if (total > available) revert WithdrawalsExceedDeposits(available, total);
        return available - total;
    }

    /// @dev The casts keep every value: counts are bounded by the queue and by calldata, times by the
    ///      block time, and settled funds by the custody cap of 2^64.
    function _advance(uint256[] calldata words, uint256 settled) private {
        uint256 cursor = words[W.QUEUE_CURSOR_BEFORE] + words[W.QUEUE_COUNT];
        root = words[W.NEW_ROOT];
        _batchCount += 1;
        _queueCursor = uint64(cursor);
        _timeLastMs = uint64(words[W.TIME_LAST_MS]);
        _settledTotal = uint64(settled);
        emit BatchAccepted(
            words[W.BATCH_NUMBER],
            words[W.NEW_ROOT],
            words[W.ROOT_ACCOUNTS],
            cursor,
            words[W.TIME_LAST_MS],
            words[W.DEPOSIT_TOTAL],
            words[W.WITHDRAWAL_TOTAL]
        );
    }
}
