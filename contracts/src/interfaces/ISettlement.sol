// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The rollup's state on L1: one root, moved forward by proven batches alone.
/// @dev Checks of `submitBatch` run in the order in which the errors are listed here; the first that fails reverts.
interface ISettlement {
    /// @notice Batches are posted by the sequencer alone.
    error NotSequencer(address expected, address got);
    /// @notice The statement has a fixed number of public words.
    error WrongWordCount(uint256 expected, uint256 got);
    /// @notice A word is not below the BN254 scalar modulus; published words count on after the public words.
    error WordNotCanonical(uint256 index, uint256 got);
    /// @notice The statement is for another chain or another contract.
    error WrongDomain(uint256 expected, uint256 got);
    /// @notice Not the next batch: replayed, or ahead of its turn.
    error WrongBatchNumber(uint256 expected, uint256 got);
    error WrongEpoch(uint256 expected, uint256 got);
    /// @notice The batch does not start from the current state root.
    error WrongOldRoot(uint256 expected, uint256 got);
    /// @notice The batch does not start at the current queue cursor.
    error WrongCursor(uint256 expected, uint256 got);
    /// @notice The published words are not as many as the counts of the statement say.
    error WrongPubdataLength(uint256 expected, uint256 got);
    /// @notice Time runs backwards, between batches or inside one. Milliseconds.
    error TimeBackwards(uint256 previous, uint256 got);
    /// @notice The batch ends further ahead of the block time than allowed. Milliseconds.
    error TimeInFuture(uint256 limit, uint256 got);
    /// @notice The batch ends further behind the block time than allowed. Milliseconds.
    error TimeTooOld(uint256 limit, uint256 got);
    /// @notice The batch consumes more entries than the queue holds.
    error QueueOverrun(uint256 length, uint256 got);
    /// @notice The outcome code of consumed queue entry `index` (counted in the batch) is not one of its kind.
    error UnknownOutcome(uint256 index, uint256 got);
    /// @notice The published queue entries, or the statement's hash of them, differ from the queue. Chain value >> 8.
    error WrongQueueHash(uint256 expected, uint256 got);
    /// @notice The deposits of the consumed entries do not sum to the statement's total. Token units.
    error WrongDepositTotal(uint256 expected, uint256 got);
    /// @notice The published withdrawals do not sum to the statement's total. Token units.
    error WrongWithdrawalTotal(uint256 expected, uint256 got);
    /// @notice The batch withdraws more than all batches have taken in. Token units.
    error WithdrawalsExceedDeposits(uint256 available, uint256 got);

    /// @notice A key whose setup secret is known must not guard funds on a chain that others can reach.
    error InsecureKeyOnPublicChain(uint256 chainId);
    /// @notice A contract of the deployment was made for another partner.
    error WrongWiring(address expected, address got);
    /// @notice The chain id does not fit its 64 bits of the domain word.
    error ChainIdTooLarge(uint256 chainId);

    event BatchAccepted(
        uint256 indexed batchNumber,
        uint256 newRoot,
        uint256 rootAccounts,
        uint256 queueCursor,
        uint256 timeLastMs,
        uint256 depositTotal,
        uint256 withdrawalTotal
    );

    /// @notice Accepts the next batch with its proof, moves the root and credits the withdrawals.
    /// @param words The public words of the statement, in the order of circuits/statement.py.
    /// @param pubdata Four words per consumed queue entry, one per withdrawal, three per touched account.
    /// @param proof The proof in its one canonical encoding.
    function submitBatch(uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof) external;

    /// @notice Current state root.
    function root() external view returns (uint256);
    /// @notice Number that the next batch must carry, counted from 1.
    function nextBatchNumber() external view returns (uint256);
    /// @notice Queue entries consumed so far.
    function queueCursor() external view returns (uint256);
    /// @notice Time of the last command of the last batch. Milliseconds.
    function timeLastMs() external view returns (uint256);
    /// @notice Token units inside the rollup: deposits consumed less withdrawals made.
    function settledTotal() external view returns (uint256);
    /// @notice The first word that a statement for this contract must carry.
    function domain() external view returns (uint256);
}
