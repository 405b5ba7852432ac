"""Customs' caller in a box, started for real in a folder of its own."""

import json
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests import samples

HOME = Path(__file__).parents[3]
TOKEN = "invented-token"


class PaymentBox:
    """One process, and its book."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self, *behaviours: str, url: str = "", certificate: Path | None = None) -> "PaymentBox":
        """It is open; `url` is where it asks, which may be told it later (`asks`)."""
        self.asks(url, certificate)
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

    def asks(self, url: str, certificate: Path | None = None) -> None:
        """The file says where to ask and whose certificate is believed."""
        files = json.dumps([str(certificate)] if certificate else [])
        text = (
            f'state = "state"\nlisten = "127.0.0.1:0"\n[[platforms]]\ncode = "{samples.SHOP.code}"\n'
            f'url = "{url}"\ntoken = "{TOKEN}"\ncertificates = {files}\n'
        )
        (self.place / "payment_data.toml").write_text(text, "utf-8")

    def command(self, *arguments: str) -> list[str]:
        module = "adapters.simulators.payment_data"
        return [sys.executable, "-m", module, "--config", str(self.place / "payment_data.toml"), *arguments]

    def end(self) -> int | None:
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
        return process.returncode

    def book(self, event: str = "uploaded") -> list[dict[str, Any]]:
        done = subprocess.run(self.command("--book", "--json"), cwd=HOME, capture_output=True, text=True, check=True)
        return [line for line in map(json.loads, done.stdout.splitlines()) if line["event"] == event]

    def ask(self, order: str) -> list[dict[str, Any]]:
        """Customs asks about an order; what the platform said to each question."""
        place = urllib.parse.urljoin(self.url, "/ask")
        body = urllib.parse.urlencode({"orderNo": order}).encode()
        with urllib.request.urlopen(urllib.request.Request(place, body), timeout=20) as answer:
            told: list[dict[str, Any]] = json.load(answer)
        return told

    def post(self, body: bytes) -> dict[str, Any]:
        """What customs says of an upload."""
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/x-www-form-urlencoded"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            told: dict[str, Any] = json.load(answer)
        return told
