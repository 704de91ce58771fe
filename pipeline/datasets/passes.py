"""The passes: what each makes of a photo, and when that is missing."""

from __future__ import annotations

import msgspec

from pipeline.datasets.errors import UnknownPass
from pipeline.datasets.records import Record, is_empty


class Pass(msgspec.Struct, frozen=True):
    """What a pass declares. The engine does the rest.

    Attributes:
        name: What `--pass-filter` calls it.
        fields: Fields of the record that it makes.
        fills_empty: Whether a field that is null or empty counts as missing, too.
        fills_null: Whether a field that is null counts as missing, too.
        needs: Passes whose fields must be there first.
        makes_patches: Whether it makes a patch file.
        about: What it makes, in a few words.
    """

    name: str
    fields: tuple[str, ...]
    about: str
    fills_empty: bool = False
    fills_null: bool = False
    needs: tuple[str, ...] = ()
    makes_patches: bool = False

    @property
    def remade(self) -> frozenset[str]:
        """The fields that are made again when asked for; an id stays, files are named by it."""
        return frozenset(self.fields) - {"image_id"}

    def lacking(self, record: Record) -> tuple[str, ...]:
        """Return the fields of this pass that a record lacks."""
        return tuple(name for name in self.fields if self._is_missing(getattr(record, name)))

    def _is_missing(self, value: msgspec.Raw) -> bool:
        if not value:
            return True
        if self.fills_empty:
            return is_empty(value)
        return self.fills_null and bytes(value) == b"null"


MIGRATE = Pass("migrate", ("aspect_bucket", "image_id"), "bucket and id")
DIMENSIONS = Pass("dimensions", ("height", "width"), "height and width, from the header alone")
EMBEDDING = Pass("embedding", ("dinov3_embedding",), "the pooled feature of DINO", fills_empty=True)
CAPTION = Pass("caption", ("caption",), "a caption, by any backend", fills_empty=True)
T5 = Pass("t5", ("t5_attention_mask",), "attention mask of the caption", fills_null=True)
PATCHES = Pass(
    "patches", (), "a file of DINO's patch features", needs=("migrate",), makes_patches=True
)

PASSES = {each.name: each for each in (MIGRATE, DIMENSIONS, EMBEDDING, CAPTION, T5, PATCHES)}
"""In the order in which they run."""

DEFAULT_PASSES = ("migrate", "dimensions", "embedding", "caption", "t5")

TOGETHER = {"dinov3": ("embedding", "patches")}
"""Names that stand for several passes, made by one forward pass."""


def choose_passes(names: str | None) -> tuple[Pass, ...]:
    """Return the passes that a list of names stands for, those they need among them.

    Args:
        names: Separated by commas; None for those that run unless asked otherwise.

    Raises:
        UnknownPass: there is none of that name.
    """
    if names is None:
        return tuple(PASSES[name] for name in DEFAULT_PASSES)
    wanted = set[str]()
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in PASSES and name not in TOGETHER:
            raise UnknownPass(name, (*PASSES, *TOGETHER))
        for member in TOGETHER.get(name, (name,)):
            wanted |= {member, *PASSES[member].needs}
    if not wanted:
        raise UnknownPass(names, (*PASSES, *TOGETHER))
    return tuple(each for each in PASSES.values() if each.name in wanted)
