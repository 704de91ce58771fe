"""When the photos were taken: a row for each year, a cell for each month."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.widgets import Static

SHADES = " ░▒▓█"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
CELLS = 4


class MonthStrip(Static):
    """Draws photos by month: the more photos, the darker the cell."""

    def show(self, months: Mapping[str | None, int]) -> None:
        """Show how many photos were taken in each month, `2024-08`, or at an unknown time, None."""
        known = {month: count for month, count in months.items() if month and len(month) == 7}
        if not known:
            self.update(Content.styled("No capture dates yet.", "dim"))
            return
        most = max(known.values())
        heads = "".join(f"{name:<{CELLS}}" for name in MONTHS)
        lines = [Content.styled(f"{'':6}{heads}", "dim")]
        for year in sorted({month[:4] for month in known}, reverse=True):
            counts = [known.get(f"{year}-{month:02d}", 0) for month in range(1, 13)]
            cells = [(_cell(count, most), "$primary") for count in counts]
            total = (f" {sum(counts):,}", "dim")
            lines.append(Content.assemble(f"{year}  ", *cells, total))
        undated = sum(months.values()) - sum(known.values())
        if undated:
            lines.append(Content.styled(f"{undated:,} without a date", "dim"))
        self.update(Content("\n").join(lines))


def _cell(count: int, most: int) -> str:
    shade = 0 if not count else max(1, round(count / most * (len(SHADES) - 1)))
    return SHADES[shade] * (CELLS - 1) + " "
