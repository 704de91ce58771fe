"""Shared parts of tests and benchmarks, such as photos to work on and servers to call."""
