"""A customs in a box, started for real in a folder of its own, and a small enterprise that talks to it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from lxml import etree

from adapters.customs import wrap
from gateway.signing import keys
from gateway.signing.seal import DECLARATION, seal
from message_specs.dxp import envelope
from tests import samples

T = TypeVar("T")
HOME = Path(__file__).parents[3]
CUSTOMS = "DXPEDCCEB0000002"
CEB = "{http://www.chinaport.gov.cn/ceb}"


def soon(wanted: Callable[[], T], seconds: float = 15) -> T:
    """What `wanted` gives as soon as it is true, looked at again and again until the deadline."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = wanted()
        if found:
            return found
        time.sleep(0.01)  # between two looks only
    raise AssertionError("nothing came before the deadline")


class Box:
    """One customs process with its folders, and everything needed to declare to it."""

    def __init__(self, place: Path, suite: str = "rsa") -> None:
        self.place, self.inbox, self.answers = place, place / "out", place / "in"
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        keys.new_key(place / "keys", "all", suite, "CN=test", 30, now=datetime.now(UTC))
        self.signer = keys.load_signer(place / "keys", "all")

    def configure(
        self, *parties: samples.Party, listen: str = "", answer_url: str = "", top: str = "", delay: float = 0
    ) -> None:
        told = "".join(
            f'[[enterprises]]\ncode = "{party.code}"\ndxp_id = "{party.dxp_id}"\ncertificates = ["keys/all/cert.pem"]\n'
            for party in parties or samples.SENDERS.values()
        )
        text = (
            f'state = "state"\nseed = "7"\n{top}\n[folder]\ninbox = "out"\nanswers = "in"\nscan_seconds = 0.02\n'
            f'[http]\nlisten = "{listen}"\nanswer_url = "{answer_url}"\nanswer_token = "secret"\n'
            f"[delays]\n2 = 0\n120 = {delay}\n399 = {delay}\n800 = {delay}\n{told}"
        )
        aside = self.place / ".customs.toml"
        aside.write_text(text, encoding="utf-8")
        aside.rename(self.place / "customs.toml")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "adapters.simulators.customs", "--config", str(self.place / "customs.toml"),
                *arguments]  # fmt: skip

    def start(self, *behaviours: str, trades: bool = False) -> "Box":
        """It is open; every document is answered by itself unless `trades` are asked for."""
        if not (self.place / "customs.toml").exists():
            self.configure()
        asked = [part for name in (*behaviours, *(() if trades else ("prompt",))) for part in ("--behaviour", name)]
        self.process = subprocess.Popen(
            self.command(*asked), cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.url = json.loads(line)["http"] or ""
        return self

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(how)
        process.communicate(timeout=15)
        return process.returncode

    def sealed(self, spec: str, count: int = 1, start: int = 1, **other: object) -> bytes:
        plain = samples.message(spec, count, start, **other)  # type: ignore[arg-type]
        return seal(plain[len(DECLARATION) :], self.signer)

    def enveloped(self, sealed: bytes, spec: str, *, message_id: str = "", form: str = "DxpMsg",
                  sender: samples.Party | None = None) -> bytes:  # fmt: skip
        return wrap(
            sealed,
            form=form,  # type: ignore[arg-type]
            message_id=message_id or f"M{time.monotonic_ns()}",
            sender=(sender or samples.SENDERS[spec]).dxp_id,
            receiver=CUSTOMS,
            message_type=f"{spec}Message",
            created=datetime.now(UTC),
        )

    def drop(self, data: bytes, name: str = "") -> Path:
        self.inbox.mkdir(exist_ok=True)
        path = self.inbox / (name or f"{time.monotonic_ns()}.xml")
        aside = path.with_name(f".{path.name}")
        aside.write_bytes(data)
        aside.rename(path)
        return path

    def tell(self, spec: str, count: int = 1, start: int = 1, **other: object) -> bytes:
        sealed = self.sealed(spec, count, start, **other)
        self.drop(self.enveloped(sealed, spec))
        return sealed

    def post(self, data: bytes) -> tuple[int, bytes]:
        request = urllib.request.Request(self.url, data, {"Content-Type": "application/xml"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def book(self) -> list[dict[str, object]]:
        done = subprocess.run(self.command("--book", "--json"), cwd=HOME, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 4), done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def files(self) -> list[Path]:
        """The answers that stand whole in the folder."""
        if not self.answers.is_dir():
            return []
        found = [self.answers / name for name in os.listdir(self.answers) if not name.startswith(".")]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def receipts(self) -> list[tuple[str, str, str]]:
        """Of every unit answered: the root, the number that names it, the status, in the order of arrival."""
        found = []
        for path in self.files():
            root = unwrapped(path.read_bytes())
            name = etree.QName(root).localname.removesuffix("Message")
            found += [(name, number_of(unit), unit.findtext(f"{CEB}returnStatus") or "") for unit in root]
        return found

    def first_files(self, count: int) -> list[Path]:
        """The answers as soon as `count` of them stand in the folder."""
        return soon(lambda: found if len(found := self.files()) >= count else [])

    def answered(self, count: int) -> list[tuple[str, str, str]]:
        """The receipts as soon as there are `count` of them."""
        return soon(lambda: found if len(found := self.receipts()) >= count else [])


def unwrapped(data: bytes) -> etree._Element:
    opened = envelope.unwrap(data)
    assert opened is not None, data[:200]
    return etree.fromstring(opened.data)


def number_of(unit: etree._Element) -> str:
    names = ("orderNo", "payTransactionId", "logisticsNo", "copNo", "oriCopMsgId")
    return next(text for name in names if (text := unit.findtext(f"{CEB}{name}")))
