"""Synthetic sets: small grey pictures of one primitive each, the same for the same seed."""
