"""Ingestion: photos through a queue to detections, labels and text in a cache."""
