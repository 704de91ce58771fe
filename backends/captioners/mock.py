"""`mock`: a made-up caption for every photo, for trying things out and for tests."""

from __future__ import annotations

import asyncio
import math
from hashlib import blake2b

from backends.base import Caption, Captioner, Options, PhotoInput
from backends.errors import PictureError, SetupError


class MockCaptioner(Captioner):
    """Says `a mock caption for FILE`; a share of the photos fails, always the same ones."""

    name = "mock"
    local = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if not 0 <= options.mock_error_rate <= 1:
            raise SetupError("--mock-error-rate is a share from 0 to 1")
        if not (math.isfinite(options.mock_latency) and options.mock_latency >= 0):
            raise SetupError("--mock-latency is a number of seconds, 0 or more")

    async def caption(self, photo: PhotoInput) -> Caption:
        """Return the made-up caption after the latency asked for."""
        if self.options.mock_latency:
            await asyncio.sleep(self.options.mock_latency)
        if self.options.mock_error_rate and self._fails(photo):
            raise PictureError("a mock error")
        return Caption(text=f"a mock caption for {photo.name or 'a photo'}")

    def _fails(self, photo: PhotoInput) -> bool:
        digest = blake2b(photo.picture.data, digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.options.mock_error_rate * 2**64
