"""The queue of ingestion: who works on what, on this machine or shared through Redis."""
