"""An exchange office in a box ends when it is told to, whatever it does at that moment."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_an_office_that_never_rests_ends_at_once(tmp_path: Path, told: signal.Signals) -> None:
    settings = tmp_path / "safe.toml"
    settings.write_text('state = "state"\n[folder]\ninbox = "send"\nanswers = "receive"\nscan_seconds = 0.0\n', "utf-8")
    command = [sys.executable, "-m", "adapters.simulators.fx", "--config", str(settings)]
    for _ in range(12):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                assert json.loads(process.stdout.readline())["event"] == "ready"
                process.send_signal(told)
                assert process.wait(10) == 0
            finally:
                process.kill()
