"""A verification service in a box, started for real in a folder of its own."""

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests import samples

HOME = Path(__file__).parents[3]
TOKEN = "invented-token"
NAME = "苏知夏"
ENDINGS = {"MATCH": "18", "MISMATCH": "91", "NO_RECORD": "92", "BAD_INPUT": "93", "SERVICE_ERROR": "94", "LIMIT": "95"}


def number_for(verdict: str) -> str:
    """A citizen number of which the box says this."""
    return samples.citizen(200 + int(ENDINGS[verdict]))


class IdentityBox:
    """One process, and its book."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(
        self, *behaviours: str, dialect: str = "generic", verdicts: dict[str, str] | None = None
    ) -> "IdentityBox":
        table = "".join(f'"{number}" = "{verdict}"\n' for number, verdict in (verdicts or {}).items())
        text = f'state = "state"\ntoken = "{TOKEN}"\nlisten = "127.0.0.1:0"\ndialect = "{dialect}"\n[verdicts]\n{table}'
        (self.place / "identity.toml").write_text(text, "utf-8")
        asked = [part for name in behaviours for part in ("--behaviour", name)]
        self.process = subprocess.Popen(
            self.command(*asked), cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.url = json.loads(line)["http"]
        return self

    def command(self, *arguments: str) -> list[str]:
        module = "adapters.simulators.identity"
        return [sys.executable, "-m", module, "--config", str(self.place / "identity.toml"), *arguments]

    def end(self) -> int | None:
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
        return process.returncode

    def book(self) -> list[dict[str, Any]]:
        done = subprocess.run(self.command("--book", "--json"), cwd=HOME, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def post(
        self, told: object, *, token: str = TOKEN, path: str = "", kind: str = "application/json"
    ) -> tuple[int, Any]:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
