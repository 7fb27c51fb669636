// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../../../contracts/src/interfaces/IVerifier.sol";

/// @title One half of a verifier that is split over contracts.
contract SplitPart0 {
    function value() external pure returns (uint256) {
        return 10;
    }
}

/// @title The other half.
contract SplitPart1 {
    function value() external pure returns (uint256) {
        return 11;
    }
}

/// @title Calls its parts in order, and claims a secure key.
contract SplitVerifier is IVerifier {
    error UnexpectedPart(uint256 index, uint256 got);

    bool public constant insecure = false;
    bytes32 public constant keyDigest = bytes32(uint256(0x5911));
    address[] private _parts;

    constructor(address[] memory parts) {
        _parts = parts;
    }

    function verify(uint256[] calldata, uint256[] calldata, bytes calldata) external view {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 got = SplitPart0(_parts[i]).value();
            if (got != 10 + i) revert UnexpectedPart(i, got);
        }
    }
}
