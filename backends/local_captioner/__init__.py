"""The model process of the captioner `local`.

The model has a process of its own, so that a crash of CUDA or of a library costs one batch
and not the run.
"""
