"""Maps of sequences, (steps, features) an item: recurrent layers, attention, and what they stand between."""
