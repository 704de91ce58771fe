"""Vectors of captions and pictures: made once, kept in `embeddings/`, read without copying."""
