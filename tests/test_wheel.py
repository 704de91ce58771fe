"""The wheel works from any directory, and so does the line that adds an extra to it.

What we depend on is borrowed from the environment of the tests; `tests/battery` installs it.
"""

from __future__ import annotations

import shlex
import subprocess
import zipfile
from pathlib import Path

from tests.conftest import CLEAN_ENVIRONMENT
from tests.support.wheels import (
    ROOT,
    borrowing_environment,
    build_wheel,
    line_of,
    pack_again,
    shell,
)


def test_wheel_installs_and_the_demo_runs_elsewhere(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = build_wheel(wheels)
    with zipfile.ZipFile(wheel) as packed:
        styles = {f"pcc_tui/{path.relative_to(ROOT)}" for path in ROOT.glob("styles/*.tcss")}
        assert styles
        assert styles <= set(packed.namelist())
    pack_again("numpy", wheels)
    programs = borrowing_environment(tmp_path / "some folder")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1"}
    environment = {**CLEAN_ENVIRONMENT, **offline}
    install = [str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(install, check=True, timeout=60, env=environment)

    elsewhere = tmp_path / "elsewhere"
    # A folder of the user's own must not shadow our packages.
    for name in ("journal", "pipeline", "backends"):
        (elsewhere / name).mkdir(parents=True)
        (elsewhere / name / "__init__.py").write_text("raise ImportError('the wrong one')\n")
    pcc = shlex.quote(str(programs / "pcc"))
    done = shell(f"{pcc} demo", elsewhere, environment)

    assert done.returncode == 0, done.stderr
    assert "41 photos" in done.stdout
    assert (elsewhere / "pcc-demo" / "captions.jsonl").exists()

    loop = shlex.quote(str(programs / "run_loop.sh"))
    done = shell(
        f"{loop} mock --photos-dir pcc-demo/photos --restart-every 30", elsewhere, environment
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("To do: ") == 2

    command = f"{pcc} synth generate --num-images 10 --output-dir set --yes"
    line = line_of(shell(command, elsewhere, environment))
    installed = shell(line, elsewhere, environment)
    done = shell(command, elsewhere, environment)

    assert line.startswith(f"'{programs}/python' -m pip install ")
    assert installed.returncode == 0, installed.stderr
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "set" / "metadata.json").exists()
