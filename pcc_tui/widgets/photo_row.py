"""What a row of the Review list shows of a photo."""

from __future__ import annotations

from pcc_tui.widgets.photo_list import ListRow
from pipeline.captions.catalogue import readable_path
from pipeline.captions.plan import Made


def photo_row(key: str, made: Made | None, *, marked: bool, edited: bool) -> ListRow:
    """Return the row of a photo: signs, then the path.

    Args:
        key: Key of the photo.
        made: How its captioning ended, None where that is not known.
        marked: Whether the user marked the photo.
        edited: Whether its caption was edited by hand.
    """
    good = made is not None and made.status == "success"
    sign = f"{'●' if marked else ' '}{'✓' if good else '✗'}{'✎' if edited else ' '}"
    return ListRow(sign, "marked" if marked else "good" if good else "bad", readable_path(key))
