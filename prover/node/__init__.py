"""A prover that takes sealed batches from a job store until it is told to stop."""
