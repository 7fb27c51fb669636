// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Judge of one batch proof under one verifying key.
interface IVerifier {
    /// @notice Returns if and only if the proof is valid for the statement; reverts with a typed error otherwise.
    /// @param words The public words of the statement, in the order of circuits/statement.py.
    /// @param pubdata The published words: queue entries, withdrawals, accounts.
    /// @param proof The proof in its one canonical encoding.
    function verify(uint256[] calldata words, uint256[] calldata pubdata, bytes calldata proof) external view;

    /// @notice True when the setup secret of the key is publicly known, so that anybody can forge proofs.
    function insecure() external view returns (bool);

    /// @notice Keccak digest of the verifying key that this contract was generated from.
    function keyDigest() external view returns (bytes32);
}
