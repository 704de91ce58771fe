"""Figures beside the naive way and the limit, in one run: `make bench`."""
