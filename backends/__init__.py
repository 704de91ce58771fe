"""Whatever runs or calls a model. Knows pictures; knows no journal and no path."""
