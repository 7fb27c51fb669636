// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../../../contracts/src/interfaces/IVerifier.sol";

/// @title Accepts every proof but the empty one, so that tests reach what surrounds the verifier.
contract AcceptAllVerifier is IVerifier {
    error EmptyProof(uint256 wordCount, uint256 pubdataLength);

    bool public constant insecure = true;
    bytes32 public constant keyDigest = bytes32(uint256(0xacce97));

    function verify(uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof) external pure {
        if (proof.length == 0) revert EmptyProof(words.length, pubdata.length);
    }
}
