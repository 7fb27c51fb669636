"""The prover's backend on compiled kernels: the twin of `prover.reference`."""
