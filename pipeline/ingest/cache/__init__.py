"""A cache: its records, its manifest, which lines count, and how lines are read and added."""
