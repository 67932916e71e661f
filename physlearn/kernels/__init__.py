"""How kernels are compiled, kept and called; the only files that know what Numba does not publish."""
