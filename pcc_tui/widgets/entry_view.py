"""The caption of a photo, and what else the journal says of the photo."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from journal import CaptionRecord, Seal
from pcc_tui.widgets.text import safe, safe_lines
from pipeline.captions.catalogue import CatalogueEntry


class EntryView(Static):
    """Shows the caption, the machine's caption under an edit, the error, and facts."""

    def show(self, entry: CatalogueEntry | None) -> None:
        """Show a photo, None for nothing."""
        if entry is None:
            self.update(Content.styled("No captions here yet.", "dim"))
            return
        record = entry.record
        parts: list[Content] = []
        if entry.edit is not None:
            machine = safe_lines(record.caption or "none")
            parts.append(safe_lines(entry.edit, "bold"))
            parts.append(Content.assemble(("the machine's: ", "dim"), machine))
        elif record.caption is not None:
            parts.append(safe_lines(record.caption, "bold"))
        if record.error is not None:
            parts.append(safe_lines(record.error, "$error"))
        parts.append(safe(record.rel_path, "dim"))
        parts.append(safe(facts(record), "dim"))
        if entry.seal is Seal.BROKEN:
            parts.append(Content.styled("The line was changed since it was written.", "$warning"))
        elif entry.seal is Seal.ABSENT:
            parts.append(Content.styled("The line has no checksum.", "dim"))
        self.update(Content("\n").join(parts))


def facts(record: CaptionRecord) -> str:
    """Return what a record tells beside the caption, on one line."""
    maker = "/".join(filter(None, (record.backend, record.model)))
    parts = [record.status, maker]
    if record.taken:
        parts.append(f"taken {record.taken.replace('T', ' ')}")
    if record.copied_from:
        parts.append(f"same file as {record.copied_from}")
    if record.seconds is not None:
        parts.append(f"{record.seconds:.2f} s")
    if record.tokens_in:
        parts.append(f"{record.tokens_in:,} + {record.tokens_out or 0:,} tokens")
    if record.cost_usd:
        parts.append(f"${record.cost_usd:.6f}")
    return " · ".join(filter(None, parts))
