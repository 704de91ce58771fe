"""What is left to do: photos on disk against a cache, and on to the queue."""
