"""Learning rules: what is compared with what."""
