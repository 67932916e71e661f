"""How a rule is carried out: by relaxing, by sampling, or in one compiled epoch."""
