// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "./interfaces/ICustody.sol";
import {IERC20} from "./interfaces/IERC20.sol";

contract Custody is ICustody {
    /// @dev Exclusive bound: cash of the circuit is below 2^111 = 2^64 units * 10^12, with room to spare.
    uint256 private constant CUSTODY_CAP = 1 << 64;

    address public immutable TOKEN;
    address public immutable QUEUE;
    address public immutable SETTLEMENT;

    uint256 public totalDeposited;
    uint256 public totalCredited;
    uint256 public totalClaimed;
    mapping(address owner => uint256 amount) public claimable;

    bool private transient entered;

    constructor(address token, address queue, address settlement) {
        if (token.code.length == 0) revert TokenHasNoCode(token);
        TOKEN = token;
        QUEUE = queue;
        SETTLEMENT = settlement;
    }

    /// @dev A token with hooks could otherwise count one transfer for two nested deposits.
    modifier nonReentrant() {
        if (entered) revert Reentered();
        entered = true;
        _;
        entered = false;
    }

    modifier onlyFrom(address expected) {
        if (msg.sender != expected) revert WrongCaller(expected, msg.sender);
        _;
    }

    /// @inheritdoc ICustody
    function deposit(address payer, uint256 amount) external onlyFrom(QUEUE) nonReentrant {
        uint256 total = custodyTotal() + amount;
        if (total >= CUSTODY_CAP) revert CustodyCapExceeded(CUSTODY_CAP, total);
        totalDeposited += amount;
        emit Deposited(payer, amount);

        uint256 balanceBefore = IERC20(TOKEN).balanceOf(address(this));
        _callToken(abi.encodeCall(IERC20.transferFrom, (payer, address(this), amount)));
        uint256 balanceAfter = IERC20(TOKEN).balanceOf(address(this));
        uint256 received = balanceAfter > balanceBefore ? balanceAfter - balanceBefore : 0;
        if (received != amount) revert WrongTransferredAmount(amount, received);
    }

    /// @inheritdoc ICustody
    function credit(uint256[] calldata withdrawals) external onlyFrom(SETTLEMENT) {
        uint256 total = totalCredited;
        for (uint256 i = 0; i < withdrawals.length; ++i) {
            address owner = address(uint160(withdrawals[i]));
            uint256 amount = withdrawals[i] >> 160;
            claimable[owner] += amount;
            total += amount;
            emit Credited(owner, amount);
        }
        totalCredited = total;
    }

    /// @inheritdoc ICustody
    function claim() external nonReentrant returns (uint256 amount) {
        amount = claimable[msg.sender];
        if (amount == 0) revert NothingToClaim(msg.sender);
        claimable[msg.sender] = 0;
        totalClaimed += amount;
        emit Claimed(msg.sender, amount);
        _callToken(abi.encodeCall(IERC20.transfer, (msg.sender, amount)));
    }

    /// @inheritdoc ICustody
    function custodyTotal() public view returns (uint256) {
        return totalDeposited - totalClaimed;
    }

    /// @dev Accepts tokens that return true or nothing; anything else is a failure.
    function _callToken(bytes memory data) private {
        (bool success, bytes memory output) = TOKEN.call(data);
        bool accepted = output.length == 0 || (output.length == 32 && uint256(bytes32(output)) == 1);
        if (!success || !accepted) revert TokenCallFailed(TOKEN);
    }
}
