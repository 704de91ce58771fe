"""Detectors, which find in a picture what words name, and a labeller for what was found."""
