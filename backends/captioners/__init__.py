"""The captioning backends, one file each."""
