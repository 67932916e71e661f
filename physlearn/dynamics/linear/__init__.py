"""Direct solves of quadratic energies: the matrix, its factors, clamps as low-rank corrections."""
