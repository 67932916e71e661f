"""The verb `integrate` and rejection-free kinetics: motion in real time."""
