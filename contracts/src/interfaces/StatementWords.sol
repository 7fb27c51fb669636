// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Places of the public words of a batch statement, mirrored from circuits/statement.py.
library StatementWords {
    uint256 internal constant DOMAIN = 0;
    uint256 internal constant BATCH_NUMBER = 1;
    uint256 internal constant SEQUENCER_EPOCH = 2;
    uint256 internal constant OLD_ROOT = 3;
    uint256 internal constant NEW_ROOT = 4;
    uint256 internal constant ROOT_ACCOUNTS = 5;
    uint256 internal constant ROOT_MARKETS = 6;
    uint256 internal constant ROOT_BOOKS = 7;
    uint256 internal constant ROOT_SYSTEM = 8;
    uint256 internal constant TIME_FIRST_MS = 9;
    uint256 internal constant TIME_LAST_MS = 10;
    uint256 internal constant QUEUE_CURSOR_BEFORE = 11;
    uint256 internal constant QUEUE_HASH = 12;
    uint256 internal constant JOURNAL_HEAD = 13;
    uint256 internal constant COMMAND_COUNT = 14;
    uint256 internal constant QUEUE_COUNT = 15;
    uint256 internal constant WITHDRAWAL_COUNT = 16;
    uint256 internal constant ACCOUNT_COUNT = 17;
    uint256 internal constant DEPOSIT_TOTAL = 18;
    uint256 internal constant WITHDRAWAL_TOTAL = 19;
    uint256 internal constant WORD_COUNT = 20;

    uint256 internal constant WORDS_PER_QUEUE_ENTRY = 4;
    uint256 internal constant WORDS_PER_ACCOUNT = 3;
}
