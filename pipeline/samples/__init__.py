"""The sample library: drawn by code, the same each time, with the oddities of a real library."""
