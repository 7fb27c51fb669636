// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Calls one precompile and stores what came back, so that chains can be compared by gas and output.
contract Precompiles {
    event Answered(bool success, bytes output);

    function run(address precompile, bytes calldata input) external {
        (bool success, bytes memory output) = precompile.staticcall{gas: 500000}(input);
        emit Answered(success, output);
    }
}
