"""Encoders for data sets: DINO's features of pictures, and masks of captions for a T5."""
