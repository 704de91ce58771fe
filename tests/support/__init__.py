"""What tests and benchmarks share: photos to work on and servers to call."""
