"""Questions that a screen puts in front of itself."""
