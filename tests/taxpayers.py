"""A taxpayer as a test files him: the trading firm of the samples, and his invoices."""

from pathlib import Path

from gateway.tax_files import install

TAXPAYER = "91330100MA2B1C3D4E"
SELLER = "91330200MA2C5E6F70"
SHIRT, BAG = "6109100021", "4202220000"
HEADINGS = "发票号码,开票日期,销方识别号,购方识别号,行号,商品代码,商品名称,单位,数量,计税金额,税率,税额\n"


def with_tax(home: Path, *, scheme: str = "refund") -> Path:
    """The firm of the samples is filed as a taxpayer of the home's tax office."""
    journeys = home / "journeys.csv"
    if "TAX101" not in journeys.read_text("utf-8"):
        journeys.write_text(journeys.read_text("utf-8") + "*,TAX101,check refund,\n", "utf-8")
    row = f"3301961A2B,{TAXPAYER},杭州云栖优选电子商务有限公司,{scheme},杭州,2910 2900,2026-01-01,\n"
    install(home, "enterprises", ("code,taxpayer,name,scheme,zone,customs,since,until\n" + row).encode())
    rates = f"hs,valid_from,valid_to,rate\n{SHIRT},2026-01-01,,13\n{BAG},2026-01-01,,9\n"
    install(home, "rebates", rates.encode())
    return home


def invoice(
    number: int, hs: str = SHIRT, name: str = "纯棉印花T恤", qty: str = "100", base: str = "5000", tax: str = "650"
) -> str:
    """One line of the firm's table of invoices."""
    return f"2633200000001234{number:04d},2026-10-15,{SELLER},{TAXPAYER},1,{hs},{name},件,{qty},{base},13,{tax}\n"


def invoices(file: Path, *lines: str) -> Path:
    """The table stands in the file."""
    file.write_text(HEADINGS + "".join(lines), "utf-8")
    return file
