"""Theory and analysis: rates, phase planes, filters of spike trains."""
