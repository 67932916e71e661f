"""Densities under Langevin dynamics: the Fokker-Planck equation and its passages."""
