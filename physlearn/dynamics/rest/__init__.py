"""The verb `relax` and its engines: states at rest."""
