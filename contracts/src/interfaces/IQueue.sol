// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Deposits and key registrations, in the one order in which batches must consume them.
/// @dev Entry i extends the chain: chain(i+1) = keccak256(chain(i) | head | owner | keyX | keyY), chain(0) = 0,
///      head = kind + account * 2^8 + amount * 2^32, kind 1 = deposit, kind 2 = register key.
interface IQueue {
    /// @notice A key coordinate (0 = x, 1 = y) is not below the BN254 scalar modulus.
    error KeyNotCanonical(uint256 index, uint256 value);
    /// @notice All account ids are taken.
    error AccountsExhausted(uint256 limit);
    /// @notice Nobody registered this account id.
    error UnknownAccount(uint256 account);
    /// @notice Only the owner of an account may rotate its key.
    error NotAccountOwner(address expected, address got);
    /// @notice A deposit must be positive and below 2^64 token units.
    error AmountOutOfRange(uint256 limit, uint256 got);
    /// @notice The queue holds fewer entries than asked for.
    error BeyondQueueEnd(uint256 length, uint256 got);
    /// @notice Custody was deployed for another queue.
    error WrongWiring(address expected, address got);

    event Queued(uint256 indexed index, uint256 head, uint256 owner, uint256 keyX, uint256 keyY, bytes32 chain);

    /// @notice Opens the next account id for the caller and queues its public key (before cofactor clearing).
    /// @return account The new id, counted from 1.
    function registerKey(uint256 keyX, uint256 keyY) external returns (uint256 account);

    /// @notice Queues a new public key for an account of the caller.
    function rotateKey(uint256 account, uint256 keyX, uint256 keyY) external;

    /// @notice Pulls `amount` token units from the caller into custody for an existing account, own or not.
    function deposit(uint256 account, uint256 amount) external;

    /// @notice Number of entries ever queued.
    function length() external view returns (uint256);
    /// @notice Number of account ids ever opened.
    function accountCount() external view returns (uint256);
    /// @notice Chain value after the first `count` entries.
    function chainAt(uint256 count) external view returns (bytes32);
    /// @notice Owner of an account, zero for an unopened id.
    function ownerOf(uint256 account) external view returns (address);
    /// @notice The custody that deposits go to.
    function CUSTODY() external view returns (address);
}
