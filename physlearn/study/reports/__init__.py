"""The output of a study: figures, summaries, the report."""
