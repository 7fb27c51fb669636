// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A queue that names a custody which does not know it.
contract ForeignQueue {
    address public immutable CUSTODY;

    constructor(address custody) {
        CUSTODY = custody;
    }
}
