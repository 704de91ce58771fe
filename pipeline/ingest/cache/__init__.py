"""A cache: its records, what it says of itself, and how it is read and added to."""
