"""Vectors of captions and pictures: made once, kept in `embeddings/`, and mapped into memory."""
