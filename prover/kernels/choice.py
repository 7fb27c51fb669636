"""The twin of the field kernels that this process uses, chosen once."""

from prover.kernel_choice import Kernels, choose

__all__ = ["KERNELS", "Kernels"]

KERNELS = choose()
