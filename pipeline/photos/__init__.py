"""Finding photos and turning their bytes into upright pictures."""
