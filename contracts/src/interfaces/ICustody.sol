// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Holder of the collateral: tokens come in through the queue and leave by `claim` alone.
/// @dev Nobody can move funds on behalf of another: there is no owner, no pause and no upgrade.
interface ICustody {
    /// @notice Only one contract may call this function.
    error WrongCaller(address expected, address got);
    /// @notice Custody would pass the bound that the circuit's amounts rely on.
    error CustodyCapExceeded(uint256 cap, uint256 got);
    /// @notice The token moved another amount than asked (a fee on transfer, for example).
    error WrongTransferredAmount(uint256 expected, uint256 got);
    /// @notice The token call reverted, returned false, or returned something that is not a boolean.
    error TokenCallFailed(address token);
    /// @notice There is no code at the token address.
    error TokenHasNoCode(address token);
    /// @notice The token called back into custody during a transfer.
    error Reentered();
    /// @notice Nothing is credited to the caller.
    error NothingToClaim(address owner);

    event Deposited(address indexed payer, uint256 amount);
    event Credited(address indexed owner, uint256 amount);
    event Claimed(address indexed owner, uint256 amount);

    /// @notice Pulls `amount` token units from `payer`, who has approved this contract. Queue only.
    function deposit(address payer, uint256 amount) external;

    /// @notice Credits the withdrawals of an accepted batch. Settlement only.
    /// @param withdrawals One word each: owner + amount * 2^160.
    function credit(uint256[] calldata withdrawals) external;

    /// @notice Pays everything that is credited to the caller.
    /// @return amount Token units paid.
    function claim() external returns (uint256 amount);

    /// @notice The collateral token.
    function TOKEN() external view returns (address);
    /// @notice The only contract that may deposit.
    function QUEUE() external view returns (address);
    /// @notice The only contract that may credit.
    function SETTLEMENT() external view returns (address);
    /// @notice Token units ever deposited.
    function totalDeposited() external view returns (uint256);
    /// @notice Token units ever credited by accepted batches.
    function totalCredited() external view returns (uint256);
    /// @notice Token units ever paid out.
    function totalClaimed() external view returns (uint256);
    /// @notice Token units held for users: deposited less claimed.
    function custodyTotal() external view returns (uint256);
    /// @notice Token units that `owner` can claim now.
    function claimable(address owner) external view returns (uint256);
}
