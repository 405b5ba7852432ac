"""bin/kouan is quick and silent when .venv is ready, and says what to do when it cannot be made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("constraints.txt", "setup.cfg", "pyproject.toml", "bin/kouan", "bin/venv.sh")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in a folder with a blank in its name, without .venv."""
    root = tmp_path / "a checkout"
    for file in FILES:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


def call(program: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, env=environment, cwd="/", check=False, timeout=60
    )


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def ready(checkout: Path) -> None:
    """The checkout has a .venv that says what it was called with."""
    python = program(checkout / ".venv/bin/python", 'echo "$@"')
    script = f'. "{checkout}/bin/venv.sh"; venv_key "{checkout}"'
    key = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    (checkout / ".venv/stamp-sm").write_text(key)
    assert str(python) in key


def test_a_ready_venv_is_handed_over_to_without_a_word(checkout: Path) -> None:
    ready(checkout)
    answer = call(checkout / "bin/kouan", "check", "a file", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == "-P -m gateway.cli check a file --json\n"


def test_it_works_through_a_link_from_anywhere_without_a_home(checkout: Path, tmp_path: Path) -> None:
    ready(checkout)
    link = tmp_path / "kouan"
    link.symlink_to(checkout / "bin/kouan")
    assert call(link, "--help").stdout == "-P -m gateway.cli --help\n"


@pytest.mark.parametrize("change", ["constraints.txt", "setup.cfg"])
def test_a_changed_file_makes_it_look_again(checkout: Path, change: str) -> None:
    ready(checkout)
    with (checkout / change).open("a") as file:
        file.write("\n# changed\n")
    assert "bringing .venv up to constraints.txt" in call(checkout / "bin/kouan").stderr
    assert call(checkout / "bin/kouan").stderr == ""


def test_a_half_made_venv_is_not_used(checkout: Path) -> None:
    ready(checkout)
    (checkout / ".venv/unfinished").touch()
    assert call(checkout / "bin/kouan", KOUAN_PYTHON="/nowhere/python").returncode == 1
    assert not (checkout / ".venv").exists()


def test_without_python_it_says_what_to_install(checkout: Path) -> None:
    answer = call(checkout / "bin/kouan", KOUAN_PYTHON="/nowhere/python")
    assert answer.returncode == 1
    assert "apt-get install python3 python3-venv" in answer.stderr


def test_without_the_venv_module_it_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    python = program(tmp_path / "python", 'case "$2" in *ensurepip*) exit 1;; esac')
    answer = call(checkout / "bin/kouan", KOUAN_PYTHON=str(python))
    assert answer.returncode == 1
    assert "apt-get install python3-venv" in answer.stderr


def test_a_failed_installation_says_how_to_go_on_and_is_begun_again(checkout: Path, tmp_path: Path) -> None:
    # This Python makes a venv whose pip fails as it does without a network.
    script = """case "$*" in
  -V) echo "Python 3.11.0";;
  "-m venv "*) cp "$0" "$3/python"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python";;
  *"pip install"*) echo "ERROR: No matching distribution found for twisted"; exit 1;;
esac"""
    python = program(tmp_path / "python", script)
    answer = call(checkout / "bin/kouan", KOUAN_PYTHON=str(python))
    assert answer.returncode == 1
    for words in ("No matching distribution", "PIP_INDEX_URL", "PIP_FIND_LINKS", "venv.log"):
        assert words in answer.stderr
    assert (checkout / ".venv/unfinished").exists()
    assert "making .venv" in call(checkout / "bin/kouan", KOUAN_PYTHON=str(python)).stderr
