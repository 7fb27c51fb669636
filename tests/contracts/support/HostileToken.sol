// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "../../../contracts/src/interfaces/ICustody.sol";
import {IQueue} from "../../../contracts/src/interfaces/IQueue.sol";

/// @title Behaviours that custody must survive, one selected by number.
contract HostileToken {
    uint256 public constant HONEST_BUT_SILENT = 0;
    uint256 public constant RETURNS_FALSE = 1;
    uint256 public constant TAKES_FEE = 2;
    uint256 public constant REVERTS = 3;
    uint256 public constant REENTERS_DEPOSIT = 4;
    uint256 public constant REENTERS_CLAIM = 5;
    uint256 public constant RETURNS_RUBBISH = 6;

    uint256 public behaviour;
    address public target;
    bytes public lastOutput;
    mapping(address account => uint256 amount) public balanceOf;

    error Refused();

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function behave(uint256 newBehaviour, address newTarget) external {
        behaviour = newBehaviour;
        target = newTarget;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (behaviour == REVERTS) revert Refused();
        if (behaviour == RETURNS_FALSE) _return(0);
        if (behaviour == RETURNS_RUBBISH) _return(2);
        if (behaviour == REENTERS_DEPOSIT) _reenter(abi.encodeCall(IQueue.deposit, (1, amount)));
        if (behaviour == REENTERS_CLAIM) _reenter(abi.encodeCall(ICustody.claim, ()));
        balanceOf[from] -= amount;
        balanceOf[to] += behaviour == TAKES_FEE ? amount - 1 : amount;
    }

    function _reenter(bytes memory data) private {
        (, lastOutput) = target.call(data);
    }

    function _return(uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, 32)
        }
    }
}
