"""Claims on networks of resistors, circuits and neurons, for `physlearn.claims`."""
