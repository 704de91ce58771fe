"""Text in pictures: a gate that tells where some is, and engines that read it."""
