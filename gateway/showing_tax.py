"""Showing a tax office: a refund drawn up from invoices and declarations, and two declarations that a firm made itself.

The office approves two of the three.  It knows another rate of refund than we do for the goods of the third, so it
refuses that one, with its reason.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.home import filled
from gateway.purchases import load
from gateway.refunds import book, draw, send_open, uses_of
from gateway.showing import Homecoming, answered, counts
from gateway.submitting import Counter
from gateway.tax_files import install
from gateway.tax_forms import write_templates
from spool.aside import put
from spool.errors import ForOperator
from spool.ledger import Ledger

TAXPAYER: Final = "91330100MA2B1C3D4E"
_FIRM: Final = "shop"
_SELLER: Final = "91330200MA2C5E6F70"
_ENTRY: Final = "290120260000054321"
_SHIRT: Final = "6109100021"
_BAG: Final = "4202220000"
_YOGHURT: Final = "0403100000"
_OWN_BATCH: Final = b"101"
_INVOICES: Final = f"""\
发票号码,开票日期,销方识别号,购方识别号,行号,商品代码,商品名称,单位,数量,计税金额,税率,税额
26332000000012340001,{{bought}},{_SELLER},{TAXPAYER},1,{_SHIRT},纯棉印花T恤,件,120,6000,13,780
26332000000012340002,{{bought}},{_SELLER},{TAXPAYER},1,{_BAG},帆布手提包,件,40,2000,13,260
"""
_DECLARED: Final = f"""\
报关单号,出口日期,境内发货人代码,发票号,成交方式,币制,运费,保费,状态,项号,商品编号,商品名称,数量,单位,法定数量,法定单位,总价
{_ENTRY},{{exported}},3301961A2B,CK-1,FOB,502,0,0,结关,1,{_SHIRT},纯棉印花T恤,120,件,20,千克,1020
{_ENTRY},{{exported}},3301961A2B,CK-1,FOB,502,0,0,结关,2,{_BAG},帆布手提包,40,件,16,千克,480
"""


class NothingDeclared(ForOperator):
    """The demonstration could not draw up its refund"""


class TaxAct:
    """The tax office and what is declared to it."""

    authority = "tax"
    box = "tax"

    def __init__(self, home: Path, clock: Callable[[], datetime]) -> None:
        """Everything was exported last month and is declared in this one."""
        self._home = home
        self._clock = clock
        today = clock().astimezone(ZoneInfo("Asia/Shanghai")).date()
        self._month = f"{today:%Y%m}"
        last = today.replace(day=1) - timedelta(days=1)
        self._exported, self._bought = last.replace(day=15), last.replace(day=5)
        self._handed_in = 0

    def prepare(self) -> None:
        """The firm is filed with its rates; the office plays in a box and knows a rate of its own."""
        since = date(self._exported.year, 1, 1).isoformat()
        firm = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司,refund,杭州,2910 2900,{since},\n"
        install(self._home, "enterprises", f"code,taxpayer,name,scheme,zone,customs,since,until\n{firm}".encode())
        rates = "".join(f"{hs},{since},,{rate}\n" for hs, rate in ((_SHIRT, 13), (_BAG, 9)))
        install(self._home, "rebates", f"hs,valid_from,valid_to,rate\n{rates}".encode())
        office = self._home / "authorities/tax.toml"
        put(office, filled(office.read_text("utf-8"), {"simulate": True}).encode())
        box = self._home / "simulators/tax.toml"
        put(box, f'{box.read_text("utf-8")}\n[rates]\n"{_YOGHURT}" = "9"\n'.encode())

    def begin(self) -> Iterator[str]:
        """A refund is drawn up from two tables, and two declarations are dropped as files."""
        total = self._declare()
        yield f"two tables of invoices and declarations: a refund of {total} yuan is drawn up for the tax office"
        for spec in ("TAX101", "TAX201"):
            put(self._home / f"spool/partners/{_FIRM}/in/{spec}-own.xml", self._own(spec))
            self._handed_in += 1
        yield "a refund and a registration of exempt exports that the firm made itself: by folder"

    def go_on(self) -> Iterator[str]:
        """Nothing rests on released trades."""
        yield from ()

    def end(self) -> None:
        """The daemon ends the office."""

    def told(self, ledger: Ledger) -> Homecoming:
        """Return how the declarations stand, each with its verdict."""
        documents = answered(ledger, self._home, "tax")
        out = f"spool/partners/{_FIRM}/out"
        where = (f"{out}/*.TAX102.xml", f"{out}/*.TAX202.xml", "forms/*.xlsx")
        return Homecoming(
            "tax", "税务 tax office", _FIRM, "folder", self._handed_in, *counts(documents), where,
            tuple(map(str, sorted(documents, key=lambda one: one.key))),
        )  # fmt: skip

    def entry(self, line: dict[str, Any]) -> str:
        """Return the declaration that a line of the office's book is about."""
        return f"{line['spec']}|{'|'.join(line['key'])}"

    def _declare(self) -> str:
        now = self._clock()
        with Counter(self._home, self._clock) as counter:
            partner = counter.house.partner(_FIRM)
            for kind, text in (("purchases", _INVOICES), ("exports", _DECLARED)):
                file = self._table(kind, text)
                loaded = load(counter.ledger, self._home, kind, file, "", partner, TAXPAYER, now)
                if loaded.is_refused:
                    raise NothingDeclared(f"{kind}: {loaded.findings[0].en}")
            drawn = draw(counter.ledger, self._home, partner, TAXPAYER, self._month, now, self._exported)
            if not drawn.forms.exports:
                raise NothingDeclared("; ".join(one.en for one in drawn.forms.findings))
            book(counter.ledger, drawn, partner.name, "refund", uses_of(drawn.forms))
            send_open(counter, now)
        write_templates(self._home / "forms", drawn.head, drawn.forms)
        self._handed_in += 1
        return drawn.head["refundTotal"]

    def _table(self, name: str, text: str) -> Path:
        file = self._home / f"forms/{name}.csv"
        file.parent.mkdir(exist_ok=True)
        put(file, text.format(bought=self._bought.isoformat(), exported=self._exported.isoformat()).encode())
        return file

    def _own(self, spec: str) -> bytes:
        """The sample of a spec, of our month, under a batch of its own."""
        body = files("message_specs").joinpath("tax", "samples", "good", f"{spec}.xml").read_bytes()
        month = self._month.encode()
        body = body.replace(b">202612001", b">" + month + _OWN_BATCH).replace(b">001<", b">" + _OWN_BATCH + b"<")
        body = body.replace(b">202612<", b">" + month + b"<")
        for name, day in ((b"ckrq", self._exported), (b"kprq", self._bought)):
            body = re.sub(rb"(<tax:%s>)\d{8}<" % name, rb"\g<1>%s<" % f"{day:%Y%m%d}".encode(), body)
        stamp = f"{self._clock().astimezone(ZoneInfo('Asia/Shanghai')):%Y%m%d%H%M%S}".encode()
        return re.sub(rb"(<tax:appTime>)\d{14}<", rb"\g<1>%s<" % stamp, body)
