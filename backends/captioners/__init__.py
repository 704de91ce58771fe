"""Captioners, also called backends, one file each."""
