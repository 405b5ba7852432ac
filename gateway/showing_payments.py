"""Showing customs' caller of notice 179: raw data is filed, customs asks, the upload is accepted.

The caller is a process of its own, which the daemon knows by its address alone.
"""

import json
import re
import subprocess
import sys
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway import drill
from gateway.payment_reading import sessions
from gateway.showing import Homecoming
from message_specs.opening import open_message
from spool.aside import put
from spool.errors import ForOperator
from spool.ledger import Ledger

_FIRM: Final = "pay"
_PLATFORM: Final = "shop"
_TIMEOUT: Final = 30
_PAYEE: Final = """
[payment_data]
item_link = "https://shop.example/item/{itemNo}?order={orderNo}"
recp_account = "OSA571000000000001"
recp_code = "3301961A2B"
recp_name = "杭州云栖优选电子商务有限公司"
"""


class CallerDidNotStart(ForOperator):
    """Customs' caller in a box did not open; its words stand in payment_data.log of the home"""


class PaymentAct:
    """Customs' caller, the payment firm and the platform that is asked."""

    authority = "payment_data"
    box = "payment_data"

    def __init__(self, home: Path, trades: Sequence[int], post: Callable[[str, str, bytes, str], Any]) -> None:
        """`trades` are asked about, each a number of the drill; `post` hands in at the HTTP door for a partner."""
        self._home = home
        self._trades = trades
        self._post = post
        self._orders = [open_message(drill.message("CEB311", one)).documents[0].head["orderNo"] for one in trades]
        self._caller: subprocess.Popen[str] | None = None
        self._url = ""

    def prepare(self) -> None:
        """The caller listens, and the home says where to upload and who may ask."""
        settings = self._home / "simulators/payment_data.toml"
        self._listen(settings, "127.0.0.1:0")
        command = [sys.executable, "-P", "-m", "adapters.simulators.payment_data", "--config", str(settings)]
        with (self._home / "payment_data.log").open("w") as log:
            self._caller = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._caller.stdout is not None
        line = self._caller.stdout.readline()
        if not line:
            raise CallerDidNotStart(str(self._home))
        self._url = json.loads(line)["http"]
        # The home that is kept has its caller where it was.
        self._listen(settings, urllib.parse.urlsplit(self._url).netloc)
        token = tomllib.loads(settings.read_text("utf-8"))["platforms"][0]["token"]
        self._tell(upload_to=self._url, token_sha256=sha256(token.encode()).hexdigest())
        platform = self._home / f"partners/{_PLATFORM}.toml"
        put(platform, f"{platform.read_text('utf-8')}{_PAYEE}".encode())

    def begin(self) -> Iterator[str]:
        """The payment firm files the raw request and reply of its payments."""
        body = json.dumps([_raw(one) for one in self._trades], ensure_ascii=False).encode()
        self._post(_FIRM, "/v1/payment-data", body, "application/json")
        yield f"raw request and reply of {len(self._trades)} payments: filed by HTTP"

    def go_on(self) -> Iterator[str]:
        """Customs has asked for each payment."""
        for order in self._orders:
            body = urllib.parse.urlencode({"orderNo": order}).encode()
            request = urllib.request.Request(urllib.parse.urljoin(self._url, "/ask"), body)  # noqa: S310  our own box
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                answer.read()
        yield f"customs asks for the payment data of {len(self._orders)} orders (platDataOpen)"

    def told(self, ledger: Ledger) -> Homecoming:
        """Return how the questions stand, with one upload that customs has accepted."""
        asked = list(sessions(ledger))
        accepted = [one for one in asked if one["state"] == "answered"]
        examples = tuple(
            f"{one['order']} → payment {one['payment']} signed {one['suite']}, 10000  session {one['session']}"
            for one in accepted[:1]
        )
        return Homecoming(
            "payment_data", "支付数据 payment data", _FIRM, "http", len(self._orders), len(asked), len(accepted),
            len(accepted), 0, ("ledger.sqlite3: kouan payments list",), examples,
        )  # fmt: skip

    def entry(self, line: dict[str, Any]) -> str:
        """Return the session of an upload that stands in the caller's book as accepted."""
        return str(line["session"]) if line["event"] == "uploaded" and line["code"] == "10000" else ""

    def end(self) -> None:
        """The caller has ended."""
        if self._caller is not None and self._caller.poll() is None:
            self._caller.terminate()
            self._caller.wait(10)
        if self._caller is not None and self._caller.stdout is not None:
            self._caller.stdout.close()

    @staticmethod
    def _listen(settings: Path, address: str) -> None:
        text = re.sub(r"(?m)^listen = .*", f'listen = "{address}"', settings.read_text("utf-8"))
        put(settings, text.encode(), 0o600)

    def _tell(self, **values: str) -> None:
        """The section [payment_data] of kouan.toml has these values."""
        file = self._home / "kouan.toml"
        head, section, rest = file.read_text("utf-8").partition("[payment_data]")
        for key, value in values.items():
            rest = re.sub(rf"(?m)^{key} = .*", f'{key} = "{value}"', rest, count=1)
        put(file, (head + section + rest).encode())


def _raw(trade: int) -> dict[str, str]:
    head = open_message(drill.message("CEB411", trade)).documents[0].head
    return {
        "payCode": head["payCode"], "payTransactionId": head["payTransactionId"],
        "initalRequest": f'<xml><![CDATA[{{"out_trade_no":"{head["orderNo"]}"}}]]></xml>',
        "initalResponse": '{"code":"SUCCESS"}', "verDept": "3", "payType": "1",
    }  # fmt: skip
