"""What a study has: the store, its readers, datasets and exports."""
