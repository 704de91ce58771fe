"""The sample library: drawn by us, the same each time, with the oddities of a real one."""
