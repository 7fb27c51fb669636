// SPDX-License-Identifier: Apache-2.0
// Written by verifier/solidity.py from the key 75d02db2229266d0f9aa6afa8238425aaa5564f50fbea8aa87f69850f2eac369. Do not edit.
pragma solidity 0.8.37;

import {Verifier} from "../Verifier.sol";
import {Key} from "../lib/Key.sol";

/// @title Verifier of shape M.
contract VerifierM is Verifier {
    constructor(address[] memory parts) Verifier(parts) {}

    /// @notice Whether the setup secret of the key is publicly known.
    function insecure() external pure returns (bool) {
        return true;
    }

    function _partCount() internal pure override returns (uint256) {
        return 2;
    }

    function _key() internal pure override returns (Key memory key) {
        key.digest = 0x75d02db2229266d0f9aa6afa8238425aaa5564f50fbea8aa87f69850f2eac369;
        key.chipCount = 16;
        key.words = 20;
        key.logChunk = 20;
        key.rounds = 16;
        key.degree = 7;
        key.columns = 403;
        key.mainChunks = 10;
        key.helperChunks = 1;
        key.tauG2[0] = 17234607202457859682767490699328324291453759791860349188885270518694782959292;
        key.tauG2[1] = 18748105327108170113505854912357645495215839244491184936190422464753604142045;
        key.tauG2[2] = 18809940600419802300396980215717452526832222155295605675608739150885949743397;
        key.tauG2[3] = 1810131550148372777804393929394934929387868860009941971523169141235851527106;
        key.chips = hex"10000001000100000000000000a000000f00000a000200005700000000a300000f00005e000100005c00000000a4000010000056000200000100000000a100000e000013000200008b80000000a500000c000012000300009240000000a5c0000d000010000200009040000000a580000c000010000300009360000000a5f0000c000014000300009460000000a620000c0000140003000095a0000000a650000c0000100003000096e0000000a680000b0000100004000097e0000000a6b0000b00000e000200009860000000a6d0000b0000140001000098d0000000a6e0000f020001000100008b00000000a4800000010002000100009970000000a6e800";
        key.partials = hex"030001020d030405060708090a0b0c0d0e0f";
    }
}
