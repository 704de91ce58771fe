"""The wheel, installed into an empty environment, works from any directory."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_wheel_installs_and_the_demo_runs_elsewhere(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    build += ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, timeout=120)
    [wheel] = tmp_path.glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python, pcc = (tmp_path / "venv" / "bin" / name for name in ("python", "pcc"))
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
    subprocess.run([*map(str, install), str(wheel)], check=True, timeout=300)

    elsewhere = tmp_path / "elsewhere"
    # A folder of the user's own must not shadow our packages.
    for name in ("journal", "pipeline", "backends"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    done = subprocess.run(
        [str(pcc), "demo"], cwd=elsewhere, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "41 photos" in done.stdout
    assert (elsewhere / "pcc-demo" / "captions.jsonl").exists()

    missing = subprocess.run(
        [str(pcc), "run", "--backend", "openai", "--photos-dir", "pcc-demo/photos"],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert missing.returncode == 64
    assert "pip install 'pcc[api]'" in missing.stderr
    assert missing.stderr.count("\n") == 1
