"""Foreign programs that judge our work: skipped aloud where they are missing, and failed on the build machine."""

import os
import shutil
import subprocess

import pytest


def needs(program: str) -> str:
    """The path of a program; without it the test is skipped, or fails where the variable CI is set."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not installed, so nothing foreign judges this (apt install {program})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a foreign program answered, whatever its exit code."""
    command = [needs(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
