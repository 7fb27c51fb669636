"""The rules of the exchange as one pure integer function: no float, clock, randomness or I/O."""
