"""The statement: what a batch proof says, in integers and in polynomials."""
