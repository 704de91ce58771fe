"""`pcc run` against a server: keys, budgets, retries, and what is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Pcc
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import OPENAI
from tests.support.protocols.openai import completion
from tests.support.runs import (
    records,
)

CANARY_KEY = "canary-3f9a1c77-do-not-print"
"""A key that must not turn up anywhere."""


FAILURES: dict[str, Reply] = {
    "good": OPENAI.good(),
    "echoed in a caption": OPENAI.good(f"a note that says {CANARY_KEY}"),
    "echoed in an error": OPENAI.error(400, f"bad request with Bearer {CANARY_KEY}"),
    "wrong key": OPENAI.error(401, f"Incorrect API key provided: {CANARY_KEY}"),
    "spent": OPENAI.error(429, f"no credit for {CANARY_KEY}", code="insufficient_quota"),
    "redirect": Reply(307, headers={"location": f"http://127.0.0.1:9/?key={CANARY_KEY}"}),
    "no JSON": Reply(body=f"<{CANARY_KEY}>"),
    "reset": Reply(raw=b""),
}


@pytest.mark.parametrize("reply", FAILURES.values(), ids=FAILURES)
def test_key_is_in_no_file_and_no_output(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer, reply: Reply
) -> None:
    server.script = lambda request: reply if request.number != 1 else OPENAI.good()
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(2)),
        *("--max-workers", "1"),
        environment={"OPENAI_API_KEY": CANARY_KEY},
    )

    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY_KEY}"
    assert CANARY_KEY not in done.stdout + done.stderr
    for path in workspace.iterdir():
        assert CANARY_KEY.encode() not in path.read_bytes()


def test_wrong_key_stops_at_once_with_the_mending_line(
    photos: Callable[..., Path], pcc: Pcc, server: ApiServer
) -> None:
    server.script = lambda request: OPENAI.error(401, "Incorrect API key provided")
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(20)),
        *("--max-workers", "2"),
        environment={"OPENAI_API_KEY": "sk-wrong-0123456789"},
    )

    assert done.returncode == 1
    assert "refuses the key" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(server.captions) <= 4


def test_budget_holds_across_restarts(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    server.script = lambda request: OPENAI.good(tokens=(1000, 100))
    (workspace / "prices.toml").write_text("tiny = [100.0, 1000.0]  # $0.20 a photo\n")
    common = ["run", "--backend", "openai", "--base-url", server.url, "--model", "tiny"]
    common += ["--photos-dir", str(photos(30)), "--run-id", "r1", "--budget", "4.00"]
    codes = [pcc(*common, "--restart-every", "5").returncode for _ in range(4)]
    spent = sum(record.cost_usd or 0 for record in records(workspace))

    assert codes[:2] == [2, 2]
    assert codes[-1] == 3
    assert 2.0 <= spent <= 4.0
    assert len(server.captions) == len(records(workspace))


def test_budget_counts_answers_that_tell_no_cost_across_restarts(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    silent = {name: part for name, part in completion().items() if name != "usage"}
    server.script = lambda request: Reply(body=silent)
    common = ["run", "--backend", "openai", "--base-url", server.url, "--model", "gpt-4o-mini"]
    common += ["--photos-dir", str(photos(30)), "--run-id", "r1", "--budget", "0.005"]
    assert pcc(*common).returncode == 3
    admitted = len(server.captions)
    assert pcc(*common).returncode == 3

    assert 0 < admitted < 30
    assert len(server.captions) == admitted


@pytest.mark.parametrize("price", ["-1000.0", "nan", "inf"])
def test_a_price_that_is_none_is_refused(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, price: str
) -> None:
    (workspace / "prices.toml").write_text(f"tiny = [{price}, 1.0]\n")
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(1))

    assert done.returncode == 64
    assert "prices.toml" in done.stderr


def test_a_password_in_an_address_is_refused_and_not_shown(
    photos: Callable[..., Path], pcc: Pcc
) -> None:
    done = pcc(
        *("run", "--backend", "openai", "--base-url", "http://bob:s3cret-word@127.0.0.1:9/v1"),
        *("--photos-dir", photos(1)),
    )

    assert done.returncode == 64
    assert "s3cret-word" not in done.stderr + done.stdout


def test_budget_without_a_price_is_refused(
    photos: Callable[..., Path], pcc: Pcc, server: ApiServer
) -> None:
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--model", "unheard-of"),
        *("--photos-dir", photos(2), "--budget", "1"),
    )

    assert done.returncode == 64
    assert "prices.toml" in done.stderr
    assert server.captions == []


def test_what_the_server_gets_is_upright_and_holds_no_metadata(
    pcc: Pcc, tmp_path: Path, server: ApiServer
) -> None:
    from io import BytesIO

    from PIL import Image

    from tests.pipeline.test_images import CANARY, STORED, corners, quarters, with_metadata

    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "meta.jpg").write_bytes(with_metadata("JPEG"))
    for orientation, turn in STORED.items():
        stored = quarters((160, 120)) if turn is None else quarters((160, 120)).transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010E] = CANARY
        stored.save(folder / f"secret-name-{orientation}.jpg", exif=exif, comment=CANARY)
    done = pcc("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", folder)

    assert done.returncode == 0, done.stderr
    assert len(server.captions) == 9
    for request in server.captions:
        assert CANARY.encode() not in request.body + OPENAI.picture(request)
        assert b"secret-name" not in request.body
        with Image.open(BytesIO(OPENAI.picture(request))) as image:
            assert corners(image.convert("RGB")) == ["red", "green", "blue", "white"]


def test_retry_status_redoes_exactly_the_failed(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    common = ["run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(6)]
    server.script = lambda request: OPENAI.error(400, "no") if request.number % 2 else OPENAI.good()
    pcc(*common, "--max-workers", "1")
    failed = {record.rel_path for record in records(workspace) if record.status == "error_api"}
    before = len(server.captions)
    server.script = lambda request: OPENAI.good()
    again = pcc(*common, "--retry-status", "error_api,error_model")

    assert again.returncode == 0
    assert len(failed) == len(server.captions) - before == 3
    assert {record.rel_path for record in records(workspace)[6:]} == failed


def test_missing_key_is_a_usage_error_before_any_photo(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    done = pcc("run", "--backend", "openai", "--photos-dir", photos(2))

    assert done.returncode == 64
    assert "OPENAI_API_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr
    assert records(workspace) == []


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (0, "6 photos captioned"),
        (2, "4 photos captioned, 2 failed"),
        (6, "Nothing was captioned, all 6 failed (6 error_api)"),
    ],
)
def test_the_summary_says_what_came_of_the_run(
    photos: Callable[..., Path], pcc: Pcc, server: ApiServer, failing: int, words: str
) -> None:
    server.script = lambda asked: (
        OPENAI.error(400, "no") if asked.number < failing else OPENAI.good()
    )
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--max-workers", "1"),
        *("--model", "m", "--photos-dir", photos(6)),
    )

    assert words in done.stdout.splitlines()
