"""Engines that carry out a rule: by relaxing, by sampling, or in compiled epochs."""
