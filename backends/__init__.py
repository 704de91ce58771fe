"""Everything that runs or calls a model. The package knows pictures, but no journal and no path."""
