"""Every command that is printed for somebody to paste is made here, whole and quoted.

A command is whole when it does, pasted into the same directory, what the sentence around it
says: on the same workspace, photos and journal, and with the same backend, model, server and
prompt. Whoever writes the sentence writes the short command in backquotes, such as `pcc cluster`;
what prints the sentence knows where and with what the work was done, and completes the command.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

Given = Mapping[str, tuple[str, ...]]
"""Values by option; several for an option given again, none for a flag."""

SITE = ("--workspace", "--photos-dir", "--captions-jsonl")
"""Options of every command that works on a workspace."""

MAKER = ("--backend", "--model", "--base-url", "--prompt")

CAPTIONING = {"run", "plan", "estimate", "try"}

NO_SITE = {"synth", "demo"}

_PHOTOS = {"--photos-dir": "photos", "--input-dir": "images"}
"""Options that name a directory, and what the directory holds."""

NO_SERVER, NO_QUEUE = "URL", "redis://…"
"""What stands for an address that is not known, or that holds a password."""

_BLANKS = {NO_SERVER: "the address of the server", NO_QUEUE: "the address of the queue"}

NEEDS_PHOTOS = {
    **dict.fromkeys((*CAPTIONING, "compare", "ingest run"), "--photos-dir"),
    "dataset enrich": "--input-dir",
}
"""Commands that do nothing without photos, and the option that names their directory."""

_PACE = (
    *("--max-workers", "--batch-size", "--max-edge", "--max-tokens", "--detail"),
    *("--quantize", "--dtype", "--device", "--revision", "--trust-remote-code"),
)
_LOOKING = (
    *("--stages", "--vocabulary", "--vocabulary-file", "--proposals", "--threshold"),
    *("--detector", "--detector-revision", "--labeller", "--labeller-revision"),
    *("--ocr-engine", "--ocr-model", "--device", "--batch-size", "--workers"),
)
_SEEN = ("--include", "--exclude", *_LOOKING)
_ENCODERS = ("--dino-model", "--dino-revision", "--t5-model", "--backup", "--budget")

CACHE = ("--cache", "--queue")

INGESTION = (*SITE, *_SEEN)
"""Options that a cache keeps of the last ingestion."""

MODELS = {"--detector", "--labeller"}
"""Options whose value is an id or a directory."""

PATHS = {"--captions-jsonl", "--vocabulary-file", "--ocr-model", *MODELS}
"""Options of an ingestion that may name a path."""

FAMILIES: tuple[tuple[set[str], tuple[str, ...]], ...] = (
    (CAPTIONING | {"dataset enrich"}, MAKER),
    ({"run", "estimate", "try", "dataset enrich"}, _PACE),
    (CAPTIONING, ("--include", "--exclude", "--retry-list")),
    ({"run"}, ("--budget",)),
    ({"embed", "cluster", "labels bootstrap"}, ("--embedder",)),
    ({"ingest run", "ingest status", "ingest pause", "ingest resume"}, CACHE),
    ({"ingest run", "labels bootstrap", "ingest import"}, ("--cache",)),
    ({"ingest run"}, _SEEN),
    ({"dataset enrich", "dataset verify", "dataset shards"}, ("--input-dir", "--patches-dir")),
    ({"dataset enrich", "dataset verify", "dataset shards"}, ("--output-jsonl",)),
    ({"dataset enrich", "dataset verify"}, ("--t5-model",)),
    ({"dataset enrich"}, _ENCODERS),
)
"""Options that one command hands on to another: both are in a family that lists them.

Left out is what says how far to go, what to redo and how to answer: a printed command says
that itself. `--mock-error-rate` and `--mock-latency` play a fault, which nobody wants again.
"""

_IN_BACKQUOTES = re.compile(r"""`(pcc (?:[^`'"]|'[^']*'|"[^"]*")+)`""")
"""A command in a sentence; a back quote inside quotes is part of a name."""

_QUOTED = re.compile(r"""\$'((?:[^'\\]|\\.)*)'|'[^']*'|"[^"]*\"""")
_ESCAPE = re.compile(rb"\\x([0-9a-f]{2})")


class Origin(msgspec.Struct, frozen=True):
    """Where a sentence comes from, which tells what its commands need to be whole.

    Attributes:
        command: The command that prints, such as `dataset enrich`; empty for the app.
        given: What that command was told and no setting says.
        maker: Backend, model and server of the workspace, where no setting names them; for
            commands that caption, if what prints was told of no backend.
        ingestion: What the last ingestion into the cache was told, for commands that go on with
            it; what prints was told goes over it.
        has_photos: Whether the photos directory is known and there.
    """

    command: str = ""
    given: Given = {}
    maker: Given = {}
    ingestion: Given = {}
    has_photos: bool = True

    def asked(self, workspace: Path, photos_dir: Path) -> dict[str, tuple[str, ...]]:
        """Return what an ingestion was told, for commands printed elsewhere that go on with it.

        Args:
            workspace: Where it works.
            photos_dir: Where the photos are, told or configured.
        """
        told = _only(INGESTION, self.given)
        for name in PATHS & told.keys():
            path = Path(told[name][0]).expanduser()
            if name not in MODELS or path.is_dir():
                told[name] = (str(path.absolute()),)
        site = {"--workspace": workspace, "--photos-dir": photos_dir}
        return {**told, **{name: (str(path.resolve()),) for name, path in site.items()}}

    def command_line(self, *words: str) -> str:
        """Return a whole command, to be pasted, and what to fill in where something is not known.

        Args:
            words: What follows `pcc`. What they say themselves is not said again.
        """
        return ", ".join(filter(None, self._line(words)))

    def same_line(self, *names: str) -> str:
        """Return the line of the running command, with who captioned last if it named nobody.

        Args:
            names: The arguments on the line that belong to no option.
        """
        told = {name: values for name, values in self.given.items() if name not in SITE}
        maker = {name: values for name, values in self.maker.items() if values != (NO_SERVER,)}
        vendor = msgspec.structs.replace(self, maker=maker)
        return vendor.command_line(*self.command.split(), *_flat(told), *operands(*names))

    def complete(self, text: str) -> str:
        """Return a text in which every command in backquotes is whole.

        A command with something to fill in cannot be pasted, and stands without backquotes.
        """
        return _IN_BACKQUOTES.sub(self._completed, text)

    def _completed(self, found: re.Match[str]) -> str:
        try:
            words = shell_split(found[1])[1:]
        except ValueError:
            return found[0]  # no command of ours
        if not words or not words[0].isalpha() or "--help" in words:
            return found[0]
        whole, blanks = self._line(tuple(words))
        return f"{whole}, {blanks}," if blanks else f"`{whole}`"

    def _line(self, words: tuple[str, ...]) -> tuple[str, str]:
        """Return a whole command, and what is to be filled in; nothing where all is known."""
        end = words.index("--") if "--" in words else len(words)
        words, names = words[:end], words[end:]
        line = [*words, *self._more(words)]
        blanks = [f"{blank} is {what}" for blank, what in _BLANKS.items() if blank in line]
        option = NEEDS_PHOTOS.get(_name_of(words))
        if option is not None and not (self.has_photos or {*_PHOTOS} & {*line}):
            line += [option, "DIR"]
            blanks.append(f"DIR holds the {_PHOTOS[option]}")
        told = f"where {' and '.join(blanks)}" if blanks else ""
        return shell_words(["pcc", *line, *names]), told

    def _more(self, words: tuple[str, ...]) -> list[str]:
        """Return the options that a command needs besides its words."""
        target = _name_of(words)
        said = {word.partition("=")[0] for word in words if word.startswith("--")}
        options = self._site(target)
        if target == self.command and "--run-id" in said:  # goes on, told what the run was told
            options |= self.given
        for commands, names in FAMILIES:
            if target in commands and self.command in commands:
                options |= {name: self.given[name] for name in names if name in self.given}
        if target == "ingest run" and self.command != target:
            options = {**_only(INGESTION, self.ingestion), **options}
        if target in CAPTIONING and "--backend" not in {*said, *options}:
            options = {**self.maker, **options}
        return _flat({name: values for name, values in options.items() if name not in said})

    def _site(self, target: str) -> dict[str, tuple[str, ...]]:
        if target.partition(" ")[0] in NO_SITE:
            return {}
        return {name: self.given[name] for name in SITE if name in self.given}


def shortened(text: str, most: int) -> str:
    """Return the beginning of a text; a command that does not fit is left out, not cut."""
    if len(text) <= most:
        return text
    ends = [found.start() for found in _IN_BACKQUOTES.finditer(text) if found.end() >= most]
    return f"{text[: min([most - 1, *ends])]}…"


def shell_words(words: Iterable[str]) -> str:
    """Return words as a shell reads them, on one line whatever is in them."""
    return " ".join(map(_quoted, words))


def shell_split(line: str) -> list[str]:
    """Return the words of a line that `shell_words` or `shlex` has made.

    Raises:
        ValueError: a quotation has no end.
    """
    return shlex.split(_QUOTED.sub(_plainly_quoted, line))


def operands(*names: str) -> tuple[str, ...]:
    """Return arguments that belong to no option, such that none is taken for an option."""
    return ("--", *names) if any(name.startswith("-") for name in names) else names


def _quoted(word: str) -> str:
    if word.isprintable() and "`" not in word:
        return shlex.quote(word)
    # A line break would be a command of its own, a byte that is no text would be shown as
    # something else, and a back quote ends the command in a sentence: bash, zsh and ksh read all
    # of them from escapes.
    data = os.fsencode(word)
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b"'\\`" else f"\\x{byte:02x}" for byte in data
    )
    return f"$'{escaped}'"


def _plainly_quoted(found: re.Match[str]) -> str:
    """Return a quotation with escapes as one without, and any other as it is."""
    if found[1] is None:
        return found[0]
    data = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), found[1].encode())
    return shlex.quote(os.fsdecode(data))


def _name_of(words: tuple[str, ...]) -> str:
    """Return the name of a command: one word, or two where the first is a group."""
    grouped = words[:1] and words[0] in ("dataset", "ingest", "labels", "journal", "synth")
    return " ".join(words[: 2 if grouped else 1])


def _only(names: Iterable[str], options: Given) -> dict[str, tuple[str, ...]]:
    return {name: options[name] for name in names if name in options}


def _flat(options: Given) -> list[str]:
    words = []
    for name, values in options.items():
        words += [name] if not values else [part for value in values for part in (name, value)]
    return words
