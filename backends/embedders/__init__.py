"""Embedders, which turn texts into vectors of length 1, and some of them pictures as well."""
