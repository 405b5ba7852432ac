"""What the fuzzer found once is never found again, and it goes on looking for a short while in every run.

Finds lie in `finds/TARGET`; each ended the process, filled the memory or went on for ever before it was mended.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import FINDS, TARGETS

SECONDS = 2
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("find", sorted(FINDS.glob("*/*")), ids=lambda find: f"{find.parent.name}-{find.stem}")
def test_what_was_found_is_mended(find: Path) -> None:
    TARGETS[find.parent.name].take(find.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_look_finds_nothing_new(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        reason = "atheris is not installed, so nobody looks for new bytes (it has wheels for Linux on x86-64)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.fuzz.drive", name, str(SECONDS)]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=False)
    assert (done.returncode, list(tmp_path.iterdir())) == (0, []), done.stderr[-3000:]
