"""Figures and reports in people's words, for the screens and the command line alike."""
