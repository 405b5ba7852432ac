"""How the tax office in a box judges a declaration: by a law of its own, written apart from the gateway's.

It recomputes every sum and refund from the lines as they stand, and remembers which exports it has approved.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from message_specs.document import Document
from message_specs.opening import open_message

Texts = Mapping[str, str]
TAKEN, DOUBTS, APPROVED, REFUSED = "1", "2", "3", "4"
_FEN = Decimal("0.01")
_ANSWERS = {
    "TAX101": ("TaxRefundReturnMessage", "RefundReturn"),
    "TAX201": ("TaxExemptReturnMessage", "ExemptionReturn"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A declaration with its verdict: what it is called, what is wrong with it, and which exports it names."""

    spec: str
    key: tuple[str, str, str]
    troubles: tuple[str, ...]
    exports: tuple[str, ...] = ()
    refund: str = ""

    @property
    def answer(self) -> tuple[str, str]:
        """The root and the unit of its verdict."""
        return _ANSWERS[self.spec]


@dataclass(frozen=True, slots=True)
class Law:
    """What the office knows by itself: rates by code, and the exports that customs has told it of, where it was."""

    rates: Mapping[str, str] = field(default_factory=dict)
    exports: frozenset[str] = frozenset()


def judge(body: bytes, law: Law, approved: Mapping[str, tuple[str, str, str]]) -> Judged | None:
    """The verdict on a file; None where nobody can tell whose declaration it is."""
    opened = open_message(body)
    if opened.spec is None or opened.spec.code not in _ANSWERS or not opened.documents:
        return None
    document = opened.documents[0]
    names = ("taxpayerNo", "sbny", "sbpc")
    key = tuple(document.head.get(name, "") for name in names)
    if not all(key):
        return None
    mine = (key[0], key[1], key[2])
    if opened.findings or len(opened.documents) > 1:
        said = [one.zh for one in opened.findings] or ["一个文件只能有一份申报"]
        return Judged(opened.spec.code, mine, tuple(said))
    read = _refund if opened.spec.code == "TAX101" else _exemption
    exports = tuple(_exports(opened.spec.code, document))
    troubles = [*read(document, law), *_known(exports, law, approved, mine)]
    return Judged(opened.spec.code, mine, tuple(troubles), exports, document.head.get("refundTotal", ""))


def _exports(spec: str, document: Document) -> Iterator[str]:
    for line in document.lines:
        if spec == "TAX201":
            yield f"{line.get('invtNo', '')}{int(_figure(line, 'gnum')):03d}"
        elif "ckrq" in line:
            yield line.get("ckhwbgdh") or line.get("dlzm", "")


def _known(
    exports: Iterable[str], law: Law, approved: Mapping[str, tuple[str, str, str]], mine: tuple[str, str, str]
) -> Iterator[str]:
    seen: set[str] = set()
    for one in exports:
        if one in seen:
            yield f"{one} 在本批重复"
        seen.add(one)
        if law.exports and one not in law.exports:
            yield f"{one} 没有海关出口信息"
        if approved.get(one, mine) != mine:
            yield f"{one} 已在 {'-'.join(approved[one])} 申报"


def _refund(document: Document, law: Law) -> Iterator[str]:
    sold: dict[tuple[str, str, str], Decimal] = {}
    bought: dict[tuple[str, str, str], Decimal] = {}
    base = refund = Decimal(0)
    count = [0, 0]
    for line in document.lines:
        place = (line.get("glh", ""), line.get("ckspdm", ""), line.get("jldw", ""))
        if "ckrq" in line:
            count[0] += 1
            sold[place] = sold.get(place, Decimal(0)) + _figure(line, "cksl")
            if not line.get("glh", "").startswith(document.head["sbny"] + document.head["sbpc"]):
                yield f"关联号 {line.get('glh')} 不属于本批"
            continue
        count[1] += 1
        if line.get("sz") != "C":
            bought[place] = bought.get(place, Decimal(0)) + _figure(line, "sl")
        base, refund = base + _figure(line, "jsje"), refund + _figure(line, "ktse")
        yield from _purchase(line, law)
    if sold != bought:
        differ = {one[0] for one in {*sold, *bought} if sold.get(one) != bought.get(one)}
        yield f"关联号 {'、'.join(sorted(differ))} 出口与进货数量不等"
    made = (Decimal(count[0]), Decimal(count[1]), base, refund)
    if made != tuple(
        _figure(document.head, name) for name in ("exportCount", "purchaseCount", "baseTotal", "refundTotal")
    ):
        yield "表头合计与明细不符"


def _purchase(line: Texts, law: Law) -> Iterator[str]:
    voucher, rate = line.get("jhpzh", ""), _figure(line, "tsl")
    if (_figure(line, "jsje") * rate / 100).quantize(_FEN, ROUND_HALF_UP) != _figure(line, "ktse"):
        yield f"{voucher} 可退税额计算错误"
    if rate > _figure(line, "zsl"):
        yield f"{voucher} 退税率高于征税率"
    known = law.rates.get(line.get("ckspdm", "")) if line.get("sz") != "C" else None
    if known is not None and rate != min(Decimal(known), _figure(line, "zsl")):
        yield f"{voucher} 退税率应为 {known}"


def _exemption(document: Document, law: Law) -> Iterator[str]:  # noqa: ARG001  the shape of both readings
    total, count = Decimal(0), 0
    for line in document.lines:
        count, total = count + 1, total + _figure(line, "je")
        if abs((_figure(line, "sl") * _figure(line, "dj")).quantize(_FEN, ROUND_HALF_UP) - _figure(line, "je")) > _FEN:
            yield f"{line.get('invtNo')} 第 {line.get('gnum')} 项金额不等于数量乘单价"
    if (Decimal(count), total) != (_figure(document.head, "recordCount"), _figure(document.head, "amountTotal")):
        yield "表头合计与记录不符"


def _figure(texts: Texts, name: str) -> Decimal:
    try:
        return Decimal(texts.get(name) or 0)
    except InvalidOperation:
        return Decimal(0)
