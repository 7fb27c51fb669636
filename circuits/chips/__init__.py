"""The statement in polynomials: one file per chip, joined by the buses of `buses`."""
