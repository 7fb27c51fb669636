// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody} from "./interfaces/ICustody.sol";
import {IQueue} from "./interfaces/IQueue.sol";

contract Queue is IQueue {
    uint256 private constant FIELD_MODULUS =
        21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant KIND_DEPOSIT = 1;
    uint256 private constant KIND_REGISTER_KEY = 2;
    // The ids above are for sub-accounts, which are opened on L2 alone.
    uint256 private constant ACCOUNT_LIMIT = 1 << 23;
    uint256 private constant AMOUNT_LIMIT = 1 << 64;

    address public immutable CUSTODY;

    uint256 public length;
    uint256 public accountCount;
    mapping(uint256 account => address owner) public ownerOf;
    mapping(uint256 count => bytes32 chain) private _chain;

    constructor(address custody) {
        address expected = ICustody(custody).QUEUE();
        if (expected != address(this)) revert WrongWiring(expected, address(this));
        CUSTODY = custody;
    }

    /// @inheritdoc IQueue
    function registerKey(uint256 keyX, uint256 keyY) external returns (uint256 account) {
        account = ++accountCount;
        if (account >= ACCOUNT_LIMIT) revert AccountsExhausted(ACCOUNT_LIMIT);
        ownerOf[account] = msg.sender;
        _appendKey(account, keyX, keyY);
    }

    /// @inheritdoc IQueue
    function rotateKey(uint256 account, uint256 keyX, uint256 keyY) external {
        address owner = _knownOwner(account);
        if (owner != msg.sender) revert NotAccountOwner(owner, msg.sender);
        _appendKey(account, keyX, keyY);
    }

    /// @inheritdoc IQueue
    function deposit(uint256 account, uint256 amount) external {
        address owner = _knownOwner(account);
        if (amount == 0 || amount >= AMOUNT_LIMIT) revert AmountOutOfRange(AMOUNT_LIMIT, amount);
        _append(KIND_DEPOSIT + (account << 8) + (amount << 32), owner, 0, 0);
        ICustody(CUSTODY).deposit(msg.sender, amount);
    }

    /// @inheritdoc IQueue
    function chainAt(uint256 count) external view returns (bytes32) {
        if (count > length) revert BeyondQueueEnd(length, count);
        return _chain[count];
    }

    function _knownOwner(uint256 account) private view returns (address owner) {
        owner = ownerOf[account];
        if (owner == address(0)) revert UnknownAccount(account);
    }

    function _appendKey(uint256 account, uint256 keyX, uint256 keyY) private {
        if (keyX >= FIELD_MODULUS) revert KeyNotCanonical(0, keyX);
        if (keyY >= FIELD_MODULUS) revert KeyNotCanonical(1, keyY);
        _append(KIND_REGISTER_KEY + (account << 8), msg.sender, keyX, keyY);
    }

    function _append(uint256 head, address owner, uint256 keyX, uint256 keyY) private {
        uint256 index = length;
        uint256 ownerWord = uint256(uint160(owner));
        bytes32 chain = keccak256(abi.encode(_chain[index], head, ownerWord, keyX, keyY));
        _chain[index + 1] = chain;
        length = index + 1;
        emit Queued(index, head, ownerWord, keyX, keyY, chain);
    }
}
