"""Continuous variables at T > 0: Langevin, MALA and HMC."""
