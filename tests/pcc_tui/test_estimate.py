"""`pcc estimate`: rule, measurement and pilot; prices, dates and what is not known."""

from __future__ import annotations

import json
import signal
import subprocess
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from backends.base import Options
from backends.retirements import RETIREMENTS, retirement_notice
from journal import CaptionRecord
from pcc_tui.cli.estimate import _tell
from pcc_tui.words.figures import about, dollars
from pipeline.captions.estimate import estimate_run, spread
from pipeline.captions.measured import mean_interval
from pipeline.captions.request import RunRequest, plan_run
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.api_server import ApiServer
from tests.support.apps import write_records
from tests.support.protocols import GEMINI, OPENAI
from tests.support.runs import ROOT, records, start, wait_for_records


def estimate(pcc: Pcc, *arguments: str | Path) -> dict[str, Any]:
    done = pcc("estimate", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measured_record(number: int, tokens_in: int, tokens_out: int, seconds: float) -> CaptionRecord:
    return CaptionRecord(
        rel_path=f"old/{number}.jpg",
        caption="a dog",
        status="success",
        backend="openai",
        model="gpt-4o-mini",
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        seconds=seconds,
        cost_usd=0.001,
    )


@pytest.mark.parametrize("backend", ["openai", "anthropic", "gemini", "xai"])
def test_an_estimate_needs_no_extra(
    photos: Callable[..., Path], workspace: Path, backend: str
) -> None:
    """In a process of its own, where nothing of the extra `api` was imported before."""
    hidden = ("anthropic", "google.genai", "openai", "tenacity")
    script = (
        f"import sys\nsys.modules.update(dict.fromkeys({hidden!r}))\n"
        "from pcc_tui.cli.main import main\nmain()\n"
    )
    arguments = ["estimate", "--json", "--backend", backend, "--photos-dir", str(photos(2))]
    done = subprocess.run(
        [PCC[0], "-c", script, *arguments],
        cwd=workspace,
        env={**CLEAN_ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tokens_in"] > 0
    assert found["cost_usd"] > 0


def test_what_an_estimate_imports_is_of_no_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(line.startswith("genai-prices") for line in project["dependencies"])


async def test_the_example_of_the_specification_to_the_cent(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """43,100 of 44,583 photos, 61,110,000 tokens in and 3,577,300 out, gpt-4o-mini, 8 workers."""
    photos = tmp_path / "photos"
    photos.mkdir()
    request = RunRequest(
        photos_dir=photos,
        workspace=workspace,
        journal=workspace / "captions.jsonl",
        backend="openai",
        options=Options(
            model="gpt-4o-mini",
            workers=8,
            prices={"gpt-4o-mini": (0.15, 0.60)},
            prices_as_of="2026-11-20",
        ),
    )
    plan, _ = plan_run(request)
    plan.photos = 44_583
    plan.to_do = [f"{number}.jpg" for number in range(43_100)]
    # Records hold whole tokens: 13 of 100 take 1,417 and the others 1,418.
    tokens = [1_417] * 13 + [1_418] * 87
    write_records(
        workspace,
        *(measured_record(number, each, 83, 0.2673) for number, each in enumerate(tokens)),
    )
    found = await estimate_run(request, plan)

    assert found.basis == "measured"
    assert found.tokens_out == 3_577_300
    assert found.tokens_in == pytest.approx(61_110_000, abs=300)
    assert (found.cost_usd_in, found.cost_usd_out, found.cost_usd) == (9.17, 2.15, 11.32)
    _tell(found, [])
    told = capsys.readouterr().out
    assert "Photos remaining:  43,100 / 44,583 (1,483 already done)" in told
    assert "Backend:           openai / gpt-4o-mini" in told
    assert "(avg 1,418 an image), 3,577,300 out" in told
    assert "$9.17 in + $2.15 out = $11.32   (prices as of 2026-11-20, prices.toml)" in told
    assert "Estimated time:    24 min at 8 workers" in told


def test_rule_is_applied_to_the_sizes_of_the_photos_and_nothing_is_called(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    with ApiServer(OPENAI) as server:
        found = estimate(
            pcc,
            *("--backend", "openai", "--base-url", server.url, "--model", "gpt-4o"),
            *("--detail", "high", "--photos-dir", photos(5)),
        )

        assert server.requests == []
    assert not (workspace / "captions.jsonl").exists()
    assert found["photos_total"] == found["photos_remaining"] == 5
    assert found["basis"] == "rule"
    assert found["tokens_in"] % 5 == 0
    assert found["tokens_in"] / 5 > 85 + 170
    assert found["cost_usd"] == pytest.approx(found["cost_usd_in"] + found["cost_usd_out"])
    assert date.fromisoformat(found["prices_as_of"]) <= date.today()
    assert found["workers"] == 8
    assert found["seconds"] > 0


def test_measured_figures_take_over(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    with ApiServer(GEMINI) as server:
        server.script = lambda request: GEMINI.good(tokens=(777, 33))
        common = ["--backend", "gemini", "--base-url", server.url, "--photos-dir", str(photos(10))]
        assert pcc("run", *common, "--limit", "4").returncode == 0
        found = estimate(pcc, *common)

    assert found["basis"] == "measured"
    assert (found["tokens_in"], found["tokens_out"]) == (6 * 777, 6 * 33)
    assert found["captions_measured"] == 4
    assert found["model"] == "gemini-2.5-flash-lite"


def test_pilot_captions_photos_all_over_and_tells_an_interval(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    with ApiServer(OPENAI) as server:

        def script(request: Any) -> Any:
            return OPENAI.good(tokens=(400 + 100 * (request.number % 5), 30))

        server.script = script
        common = ["--backend", "openai", "--base-url", server.url, "--model", "gpt-4o-mini"]
        common += ["--photos-dir", str(photos(60))]
        found = estimate(pcc, *common, "--pilot", "20")

        assert len(server.captions) == 20
    kept = [record.rel_path for record in records(workspace)]
    assert len(kept) == 20
    assert max(kept) > min(kept)
    assert found["basis"] == "pilot"
    assert found["photos_remaining"] == 40, "what the pilot captioned is done"
    low, high = found["cost_usd_interval"]
    assert low < found["cost_usd"] < high
    low, high = found["seconds_interval"]
    assert low - 0.001 <= found["seconds"] <= high + 0.001


def test_a_pilot_without_a_caption_says_so(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    with ApiServer(OPENAI, lambda request: OPENAI.empty()) as server:
        done = pcc(
            *("estimate", "--backend", "openai", "--base-url", server.url, "--model", "gpt-4o"),
            *("--photos-dir", photos(4), "--pilot", "2"),
        )

    assert done.returncode == 1
    assert "brought no caption" in done.stderr


def test_what_is_not_known_is_not_made_up(photos: Callable[..., Path], pcc: Pcc) -> None:
    with ApiServer(OPENAI) as server:
        found = estimate(
            pcc,
            *("--backend", "openai", "--base-url", server.url, "--model", "tiny-of-mine"),
            *("--photos-dir", photos(3)),
        )

    assert found["cost_usd"] is None
    assert found["prices_as_of"] is None
    assert any("--pilot 20" in notice for notice in found["notices"])


def test_an_interrupted_pilot_ends_with_the_signals_code(
    photos: Callable[..., Path], workspace: Path
) -> None:
    with ApiServer(OPENAI, latency=0.2) as server:
        running = start(
            workspace,
            *("estimate", "--backend", "openai", "--base-url", server.url, "--model", "gpt-4o"),
            *("--photos-dir", photos(30), "--pilot", "20", "--max-workers", "1"),
        )
        wait_for_records(workspace, 3)
        running.send_signal(signal.SIGINT)
        output, complaint = running.communicate()

    assert running.returncode == 130, complaint
    assert "Estimated cost" in output, "what it learnt until then is told"


def test_nothing_to_do_costs_nothing_and_flies_no_pilot(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    library = photos(2)
    assert pcc("run", "--backend", "mock", "--photos-dir", library).returncode == 0
    for more in ([], ["--pilot", "5"]):
        done = pcc("estimate", "--backend", "xai", "--photos-dir", library, *more)
        assert done.returncode == 0
        assert "Photos remaining:  0 / 2" in done.stdout
        assert "$0.00 in + $0.00 out = $0.00" in done.stdout
        assert "Estimated time:    none" in done.stdout


def test_nothing_is_billed_for_a_model_in_this_machine(
    photos: Callable[..., Path], pcc: Pcc
) -> None:
    done = pcc("estimate", "--backend", "local", "--max-workers", "4", "--photos-dir", photos(3))

    assert "Estimated cost:    nothing" in done.stdout
    assert "at 1 worker" in done.stdout
    assert "1 worker, whatever --max-workers says" in done.stderr


def test_a_model_that_ends_soon_is_said_to() -> None:
    assert "in 10 days" in (retirement_notice("gpt-5-nano", date(2026, 12, 1)) or "")
    assert "was switched off on 2026-10-23" in (
        retirement_notice("gpt-4.1-nano", date(2026, 11, 21)) or ""
    )
    assert retirement_notice("gpt-6-luna") is None
    assert all(one.source and one.instead not in RETIREMENTS for one in RETIREMENTS.values())


def test_pilot_photos_are_spread_evenly() -> None:
    paths = [f"{number:03d}" for number in range(100)]

    assert spread(paths, 4) == ["012", "037", "062", "087"]
    assert spread(paths, 1000) == paths
    assert spread([], 5) == []


def test_interval_holds_the_mean_and_narrows() -> None:
    few = mean_interval([1.0, 2.0, 3.0, 10.0])
    many = mean_interval([1.0, 2.0, 3.0, 10.0] * 25)

    assert few[0] < 4.0 < few[1]
    assert few[0] < many[0] < 4.0 < many[1] < few[1]
    assert mean_interval([5.0] * 20) == (5.0, 5.0)


def test_words_for_times_and_sums() -> None:
    assert [about(seconds) for seconds in (0, 40, 1440, 12_000, 180_000)] == [
        "1 s",
        "40 s",
        "24 min",
        "3 h 20 min",
        "2 d 2 h",
    ]
    assert [dollars(sum_) for sum_ in (0, 11.32, 0.004956, 1234.5)] == [
        "$0.00",
        "$11.32",
        "$0.004956",
        "$1,234.50",
    ]
