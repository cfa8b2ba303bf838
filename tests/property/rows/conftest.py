"""Every test here runs with both row kernels."""

from tests.kernels import each_kernel as each_kernel
