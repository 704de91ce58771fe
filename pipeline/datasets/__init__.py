"""Training datasets: a JSONL of records, patch files beside it, and shards made of both."""
