"""`pcc compare`: the same photos through several backends, side by side."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from backends.registry import backend_class
from journal import (
    atomic_rewrite,
    data_kind,
    make_directory,
    require_own_place,
    text_kind,
    what_failed,
)
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.named_photos import photo_at
from pcc_tui.cli.options import CaptioningOptions, SiteOptions
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.cli.run_request import admits_server
from pcc_tui.words.commands import operands
from pipeline.reports.plain import markdown_text

if TYPE_CHECKING:
    from pipeline.captions.compare import Column
    from pipeline.captions.trial import Trial

TITLE = "# Captions side by side"
PAGE = text_kind("a page of captions side by side", TITLE)
JPEG = data_kind("a JPEG", b"\xff\xd8\xff")

PICTURE_EDGE = 480
"""Longest side of the pictures on a page, in pixels."""


@takes_groups
def compare(
    site: SiteOptions,
    contestants: Annotated[
        list[str],
        typer.Option("--with", metavar="BACKEND[/MODEL]", help="Whom to ask. May be given again."),
    ],
    photos: Annotated[
        Optional[list[str]],
        typer.Argument(help="Paths of photos.", metavar="[PHOTO]...", show_default=False),
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="Five kinds of drawn photos instead of yours.")
    ] = False,
    prompt: Annotated[Optional[str], typer.Option(help="Instruction sent with each photo.")] = None,
    page: Annotated[
        Optional[Path], typer.Option(help="Write a Markdown page, its pictures beside it.")
    ] = None,
) -> int:
    """Caption a few photos by several backends and models, and show what each says."""
    import asyncio
    from tempfile import TemporaryDirectory

    from pipeline.captions.compare import Contestant, compare, small_pictures

    asked = [Contestant.named(name) for name in contestants]
    for one in asked:
        backend_class(one.backend)  # a wrong name is a usage error before anything is asked
    settings = site.settings()
    if page is not None:
        _make_room(page)
    told = {one.backend: settings.options(one.backend, prompt=prompt) for one in asked}
    for name, options in told.items():
        stream = narration(site.json)
        if not admits_server(name, options, CaptioningOptions(), yes=site.yes, stream=stream):
            return ExitCode.OK
    with TemporaryDirectory(prefix="pcc-samples-") as drawn:
        directory, paths = _choose(site, photos, Path(drawn) if samples else None)
        entries = asyncio.run(compare(directory, paths, asked, told))
        if page is not None:
            pictures = asyncio.run(small_pictures(directory, paths, PICTURE_EDGE))
            shown = dict(zip(paths, pictures, strict=True))
            command = _again(paths, contestants, page, samples=samples, prompt=prompt)
            _write_page(page, command, told[asked[0].backend].prompt, shown, entries)
    if site.json:
        print_json(entries)
    elif page is None:
        _tell(paths, entries)
    else:
        say(f"Written: {page}")
    answered = any(trial.caption for entry in entries for trial in entry.trials)
    return ExitCode.OK if answered else ExitCode.FAILED


def _again(
    paths: list[str], contestants: list[str], page: Path, *, samples: bool, prompt: str | None
) -> str:
    """Return the command that made a page."""
    words = ["compare", *(part for name in contestants for part in ("--with", name))]
    words += [] if prompt is None else ["--prompt", prompt]
    words += ["--page", str(page), *(["--samples"] if samples else operands(*paths))]
    return origin().command_line(*words)


def _choose(
    site: SiteOptions, photos: list[str] | None, drawn: Path | None
) -> tuple[Path, list[str]]:
    """Return the directory of the photos to compare, and their paths in it."""
    if drawn is not None:
        from pipeline.samples.library import make_kinds

        return drawn, make_kinds(drawn)
    directory = site.photos(site.settings())
    if not photos:
        fail("name some photos, or give --samples", ExitCode.USAGE)
    return directory, list(dict.fromkeys(photo_at(directory, named) for named in photos))


def _make_room(page: Path) -> None:
    """Make the directory of a page's pictures; end with a usage error where it must not be."""
    beside = page.with_suffix("")
    require_own_place(page, PAGE)
    if page.is_dir() or beside == page:
        fail(f"--page {page} is no file name such as samples.md", ExitCode.USAGE)
    if not page.exists() and beside.is_dir() and any(beside.iterdir()):
        fail(f"{beside} would hold the pictures, and is not empty", ExitCode.USAGE)
    try:
        make_directory(beside)
    except OSError as error:
        fail(f"--page {page} cannot be written: {what_failed(error)}", ExitCode.USAGE)


def _tell(paths: list[str], entries: list[Column]) -> None:
    for place, path in enumerate(paths):
        say(path)
        for entry in entries:
            say(f"  {_name(entry)}: {_words(entry, place)}")


def _name(entry: Column) -> str:
    return f"{entry.backend} / {entry.model}" if entry.model else entry.backend


def _words(entry: Column, place: int) -> str:
    if entry.not_run is not None:
        return f"not run: {entry.not_run}"
    return _said(entry.trials[place])


def _said(trial: Trial) -> str:
    return trial.caption or f"no caption: {trial.error}"


def _write_page(
    page: Path, command: str, prompt: str, pictures: dict[str, bytes | None], entries: list[Column]
) -> None:
    """Write a Markdown page, and its pictures into a directory named like the page."""
    beside = page.with_suffix("")
    lines = [
        TITLE,
        "",
        f"Made on {date.today()} by: {markdown_text(command)}",
        "The same command asks again.",
        "",
        f"Prompt: {markdown_text(prompt)}",
    ]
    absent = [entry for entry in entries if entry.not_run is not None]
    if absent:
        lines += ["", "Not run, and why:", ""]
        lines += [
            f"- {markdown_text(_name(entry))}: {markdown_text(entry.not_run or '')}"
            for entry in absent
        ]
    for place, (path, picture) in enumerate(pictures.items()):
        lines += ["", f"## {markdown_text(path)}", ""]
        if picture is not None:
            name = f"{place + 1}.jpg"
            with atomic_rewrite(beside / name, len(picture), JPEG) as file:
                file.write(picture)
            lines += [f"![{markdown_text(path)}]({beside.name}/{name})", ""]
        lines += ["| backend | caption | seconds | US dollars |", "| --- | --- | --- | --- |"]
        lines += [_row(entry, entry.trials[place]) for entry in entries if entry.trials]
    data = ("\n".join(lines) + "\n").encode("utf-8", "replace")
    with atomic_rewrite(page, len(data), PAGE) as file:
        file.write(data)


def _row(entry: Column, trial: Trial) -> str:
    seconds = "" if trial.seconds is None else f"{trial.seconds:.2f}"
    cost = "" if trial.cost_usd is None else f"{trial.cost_usd:.6f}"
    return f"| {markdown_text(_name(entry))} | {markdown_text(_said(trial))} | {seconds} | {cost} |"
