"""Learning rules: the phases that are contrasted, and their weights."""
