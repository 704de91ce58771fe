"""The captioner: photos to captions, through one backend."""
