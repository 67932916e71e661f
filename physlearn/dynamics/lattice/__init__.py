"""Regular lattices of few states: bit-packed, byte and replica sweeps, cluster moves."""
