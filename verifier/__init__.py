"""The rules of acceptance: standard library, circuits and py_ecc only."""
