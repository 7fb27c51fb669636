"""The yardstick: a statement about plain trades, to compare provers on one and the same job.

A trade is two signatures of distinct accounts, a chain of 20 Poseidon2 permutations and 20 numbers
of 64 bits. Any proof system can state that; the margin statement of this project is its own.
"""
