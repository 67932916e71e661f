"""What a study shows: figures, summaries, the report."""
