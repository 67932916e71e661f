"""Compilation, cache and calls of kernels; the only files that use Numba's unpublished interfaces."""
