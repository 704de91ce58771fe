"""What a captioning backend is, what it is given, and what it gives back."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import msgspec

from backends.prompts import DEFAULT_PROMPT

if TYPE_CHECKING:
    from PIL import Image

    from backends.offers import Offer
    from backends.prices import Prices

Encoding = Literal["rgb", "jpeg", "png", "export", "file"]
Quantization = Literal["none", "int8", "int4"]
Ended = Literal["whole", "length", "refused"]
Dtype = Literal["float32", "bfloat16", "float16"]

JPEG_QUALITY = 85

MOST_TOKENS_OUT = 300
"""Room for a caption of some sentences; models are told not to think first."""

DEFAULT_EDGE, LARGEST_EDGE = 1024, 2048
"""Longest side of a picture for a model, in pixels: the default, and the most to be asked for."""


class PictureSpec(msgspec.Struct, frozen=True):
    """The form in which a backend wants its pictures.

    Attributes:
        max_edge: Longest side in pixels; larger pictures are scaled down, none up.
        encoding: `rgb` for raw pixels, `jpeg` for a JPEG that holds pixels alone;
            `export` for a JPEG or PNG in full size, with the file's own coded pixels
            where they will do, and `file` for the file as it is, once it decodes.
        crop: Width and height of a box that the picture is scaled to cover, up or
            down, and centre-cropped to; `max_edge` is then ignored.
        resize: Width and height to which the cropped picture is scaled.
    """

    max_edge: int
    encoding: Encoding = "rgb"
    crop: tuple[int, int] | None = None
    resize: tuple[int, int] | None = None


class Picture(msgspec.Struct, frozen=True):
    """An upright picture without any metadata.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        encoding: What `data` holds: `rgb`, `jpeg`, `png`, or a `file` of any format.
        data: Raw RGB (height x width x 3 bytes), or an image file.
    """

    width: int
    height: int
    encoding: Encoding
    data: bytes

    def image(self) -> Image.Image:
        """Return the picture as an RGB image of Pillow's."""
        from PIL import Image

        if self.encoding == "rgb":
            return Image.frombytes("RGB", (self.width, self.height), self.data)
        return Image.open(BytesIO(self.data), formats=["PNG" if self.encoding == "png" else "JPEG"])

    def shrunk(self, factor: float) -> Picture:
        """Return a JPEG of the picture with both sides scaled by `factor`."""
        image = self.image()
        size = (max(1, round(self.width * factor)), max(1, round(self.height * factor)))
        return encode_picture(image.resize(size), "jpeg")


def encode_picture(image: Image.Image, encoding: Encoding) -> Picture:
    """Return an RGB image as a picture that holds the pixels and nothing else."""
    if encoding == "rgb":
        return Picture(image.width, image.height, "rgb", image.tobytes())
    image.info.clear()
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return Picture(image.width, image.height, "jpeg", buffer.getvalue())


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the file itself tells about a photo. These facts never leave the machine.

    Attributes:
        width: Width of the upright picture, in pixels.
        height: Height of the upright picture, in pixels.
        format: Pillow's name of the file format.
        taken: Capture time, ISO 8601, with an offset only where the file has one.
        latitude: Latitude in degrees, positive in the north.
        longitude: Longitude in degrees, positive in the east.
        camera: Maker and model of the camera.
        screenshot: True when the file says or shows that the photo is a screenshot.
    """

    width: int
    height: int
    format: str
    taken: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    camera: str | None = None
    screenshot: bool = False


class PhotoInput(msgspec.Struct, frozen=True):
    """One photo as a backend gets it.

    Attributes:
        picture: The upright picture.
        name: File name; None unless the backend declares itself local.
        facts: What the file tells; None unless the backend declares itself local.
    """

    picture: Picture
    name: str | None = None
    facts: Facts | None = None


class Caption(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a model, and its cost. `answers.read` takes the caption out of it.

    Attributes:
        text: The answer, or the words of a refusal.
        ended: `length` when the token limit cut the text off, `refused` when the
            provider says that the model declined.
        tokens_in: Tokens of picture and prompt, as the answer bills them.
        tokens_out: Tokens of the answer.
        cost_usd: Price of the call in US dollars.
    """

    text: str
    ended: Ended = "whole"
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None


class Loading(msgspec.Struct, frozen=True):
    """How far a backend is with getting ready.

    Attributes:
        what: What the backend is doing, such as `downloading model.safetensors`.
        done: How much is done, in `unit`.
        total: How much there is to do, in `unit`; None where that is not known.
        unit: What is counted: `bytes`, or `weights`.
    """

    what: str
    done: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)] = 0
    total: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)] | None = None
    unit: str = "bytes"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a user may ask of a backend; each backend reads the options that concern it.

    Attributes:
        prompt: The instruction that goes with each picture.
        model: Model id, None for the backend's default.
        workers: Calls in flight at most, None for the backend's default.
        batch_size: Photos to a batch, None for the backend's default.
        base_url: Another server that speaks the same protocol, or a preset's name.
        max_edge: Longest side sent, in pixels.
        max_tokens: Most tokens of an answer.
        detail: How closely an API looks at a picture, None for the backend's default.
        keys: API keys by the name of their environment variable.
        prices: USD for a million tokens `(in, out)` by model, in place of the known prices.
        prices_as_of: Date of the prices in `prices`.
        request_timeout: Seconds one request may take, None for the default.
        quantize: Bits of the weights of a local model: `int4`, `int8`, or `none`
            for the bits that it was saved with.
        dtype: Number format of a local model, None for what the hardware does best.
        device: Where a local model runs, such as `cuda:1`, None for the best there is.
        revision: Commit, tag or branch of a local model's repository.
        trust_remote_code: True to run code that comes with a model.
        mock_error_rate: Share of photos, 0 to 1, that `mock` calls unreadable.
        mock_latency: Seconds `mock` takes for a photo.
    """

    prompt: str = DEFAULT_PROMPT
    model: str | None = None
    workers: int | None = None
    batch_size: int | None = None
    base_url: str | None = None
    max_edge: int | None = None
    max_tokens: int = MOST_TOKENS_OUT
    detail: Literal["low", "high", "auto"] | None = None
    keys: dict[str, str] = {}
    prices: dict[str, tuple[float, float]] = {}
    prices_as_of: str | None = None
    request_timeout: float | None = None
    quantize: Quantization | None = None
    dtype: Dtype | None = None
    device: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    mock_error_rate: float = 0.0
    mock_latency: float = 0.0


class Captioner(ABC):
    """Turns pictures into captions. Each captioner is one subclass in one file.

    A subclass sets `name` and writes `caption`, plain or async. A backend that
    gains from batches overrides `caption_batch` as well.

    Attributes:
        name: The name that `--backend` takes.
        local: True when pictures do not leave this machine; only then is the
            captioner told file names and facts.
        key_name: Environment variable of the API key, None where no key is needed.
        default_model: The model without `--model`, None where there is none.
        default_workers: Calls in flight unless asked otherwise.
        default_batch_size: Photos handed over together unless asked otherwise.
        typical_seconds: About how many seconds a photo takes; a guess until it is measured.
        picture: The form in which the captioner wants its pictures.
        loading: How far `open` is, None when there is nothing to tell.
        may_repeat: Asked before a call is repeated whose attempts may have been billed.
        remarks: What came up while the captioner loaded or worked, a sentence each.
    """

    name: ClassVar[str]
    local: ClassVar[bool] = False
    key_name: ClassVar[str | None] = None
    default_model: ClassVar[str | None] = None
    default_workers: ClassVar[int] = 1
    default_batch_size: ClassVar[int] = 1
    typical_seconds: ClassVar[float] = 0.02
    picture: PictureSpec = PictureSpec(max_edge=1024)
    loading: Loading | None = None
    may_repeat: Callable[[], bool] = staticmethod(lambda: True)

    def __init__(self, options: Options) -> None:
        self.options = options
        self.model = self.model_for(options)
        self.workers = self.workers_for(options)
        self.batch_size = options.batch_size or self.default_batch_size
        self.remarks: list[str] = []

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model that would be used, None where there is none or none is known yet."""
        return options.model or cls.default_model

    @classmethod
    def workers_for(cls, options: Options) -> int:
        """Return how many calls would be in flight."""
        return options.workers or cls.default_workers

    @classmethod
    def prices(cls, options: Options) -> Prices | None:
        """Return the prices of the model that would be used, None where nothing is billed."""
        return None

    @classmethod
    def picture_for(cls, options: Options) -> PictureSpec:
        """Return the form in which pictures would be wanted, without making the backend."""
        return cls.picture

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture of that size in pixels, None where no rule is known."""
        return None

    @classmethod
    def offers(cls, options: Options) -> list[Offer]:
        """Return the models to choose from, the default first; others may be named, too."""
        return []

    @classmethod
    def notices(cls, options: Options) -> list[str]:
        """Return what the user should know before the first photo, a sentence each."""
        return []

    async def open(self) -> None:
        """Get ready before the first photo.

        Raises:
            SetupError: the captioner cannot work; the message says what mends that.
        """

    async def close(self) -> None:
        """Let go of what `open` took."""

    @property
    def trouble(self) -> str | None:
        """What calls wait for, such as a server that is down; None while all goes well."""
        return None

    def stop_waiting(self) -> None:
        """End every wait for another attempt: the run ends, and nothing more may be sent."""

    @abstractmethod
    def caption(self, photo: PhotoInput) -> Caption | Awaitable[Caption]:
        """Return the caption of one photo. A plain method runs in a thread.

        Raises:
            BackendError: there is no caption; the message says why.
        """

    async def caption_batch(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Return a caption or an error for each photo, in their order."""
        return [await self._caption_one(photo) for photo in photos]

    async def _caption_one(self, photo: PhotoInput) -> Caption | Exception:
        try:
            caption: Callable[[PhotoInput], Caption | Awaitable[Caption]] = self.caption
            from asyncio import to_thread  # a plan needs backends, but no event loop

            waits = inspect.iscoroutinefunction(self.caption)
            answer = caption(photo) if waits else await to_thread(caption, photo)
            return await answer if isinstance(answer, Awaitable) else answer
        except Exception as error:
            return error  # it must not cost the captions of the photos beside this one

    def cost_bound(self) -> float | None:
        """Return the most that one photo can cost in US dollars, None where no price is known."""
        return 0.0
