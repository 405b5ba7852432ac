"""Homes in which customs may ask for payment data: a trade in the ledger, raw data filed, an address to upload to."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests import samples
from tests.adapters.simulators.payment_box import TOKEN

LINK = "https://shop.example/item/{itemNo}?order={orderNo}"


def asked_home(home: Path, url: str, *, port: int | None = None, **more: str) -> Path:
    """Whoever shows the token may ask in this home, and uploads go to this address."""
    text = (home / "kouan.toml").read_text("utf-8")
    head, section, rest = text.partition("[payment_data]")
    digest = sha256(TOKEN.encode()).hexdigest()
    values = {
        "upload_to": f'"{url}"',
        "token_sha256": f'"{digest}"',
        "first_seconds": "0.2",
        "most_seconds": "1.0",
        **more,
    }
    for key, value in values.items():
        rest = re.sub(rf"(?m)^{key} = .*", f"{key} = {value}", rest, count=1)
    if port is not None:
        door, http, after = head.partition("[http]")
        head = door + http + re.sub(r'(?m)^listen = ".*"', f'listen = "127.0.0.1:{port}"', after, count=1)
    (home / "kouan.toml").write_text(head + section + rest, "utf-8")
    shop = home / "partners/shop.toml"
    payee = f'\n[payment_data]\nitem_link = "{LINK}"\nrecp_account = "OSA571000000000001"\n'
    payee += f'recp_code = "{samples.SHOP.code}"\nrecp_name = "{samples.SHOP.title}"\n'
    shop.write_text(shop.read_text("utf-8") + payee, "utf-8")
    return home


def raw(number: int, **more: Any) -> dict[str, Any]:
    """What the payment firm files of trade `number`."""
    return {
        "payCode": samples.PAY.code,
        "payTransactionId": samples.trade(number)["payNo"],
        "initalRequest": '<xml><![CDATA[{"out_trade_no":"' + samples.trade(number)["orderNo"] + '","中":"/"}]]></xml>',
        "initalResponse": '{"code":"SUCCESS","body":"a\\\\b"}',
        "verDept": "3",
        "payType": "1",
        **more,
    }


def raws(*numbers: int) -> bytes:
    """The body of a filing of several trades."""
    return json.dumps([raw(number) for number in numbers], ensure_ascii=False).encode()
