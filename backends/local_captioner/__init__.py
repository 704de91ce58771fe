"""Models that run in this machine, in a process of their own."""
