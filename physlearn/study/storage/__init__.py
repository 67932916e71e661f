"""The data of a study: the store, its readers, datasets and exports."""
