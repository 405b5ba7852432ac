"""`python -m tests.fuzz.drive TARGET SECONDS [FOLDER]`: atheris looks for bytes that break a promise of TARGET.

It begins with the good bytes of the target and with what was found before. FOLDER keeps the bytes that
reached something new, so that the next run goes on from there. Whatever breaks the promise is written
to the present folder as `crash-…`; put it under tests/fuzz/finds/TARGET with a name that says what it is.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mapping", "message_specs", "csv", "zipfile"]):
    from tests.fuzz.targets import FINDS, TARGETS


def main(name: str, seconds: str, folder: str | None = None) -> None:
    """The target driven for so many seconds; the process ends with another code than 0 when it found something."""
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as begun:
        for number, seed in enumerate(target.seeds()):
            Path(begun, f"seed-{number}").write_bytes(seed)
        known = [str(place) for place in (FINDS / name,) if place.is_dir()]
        limits = ["-max_len=30000", "-timeout=20", "-rss_limit_mb=2500", "-print_final_stats=1"]
        folders = [folder or begun, *([begun] if folder else []), *known]
        atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", *limits, *folders], target.take)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
