"""Embedders: texts, and with `clip` pictures, to vectors of unit length."""
