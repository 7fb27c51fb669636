"""The work: array kernels and the prover that turns a sealed batch into a proof."""
