"""Shards of a dataset: images with their records, in files that training reads."""
