"""`kouan dossier`: one trade on one screen."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.book import open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import NOT_FOUND, Stop, give, say

if TYPE_CHECKING:
    from gateway.config import House

Facts = dict[str, Any]
KINDS = {
    "order": "订单 order", "payment": "支付单 payment", "waybill": "运单 waybill", "inventory": "清单 inventory",
    "cancel": "撤销 cancel", "refund": "退货 return", "waybill_status": "运单状态 waybill status",
    "entry": "入库 entry", "summary": "总分单 summary", "arrival": "运抵 arrival", "departure": "离境 departure",
    "aggregate": "汇总 aggregate", "aggregate_result": "汇总结果 aggregate result", "tally": "理货 tally",
    "tax_bill": "税单 tax bill", "tax_status": "税单状态 tax bill status",
}  # fmt: skip
PHASES = {
    "open": "收单 open", "declared": "已申报 declared", "released": "已放行 released", "closed": "已结 closed",
    "void": "已撤销 void",
}  # fmt: skip
_WINDOWS = {
    "refund_apply": "退货申请 to apply for a return", "refund_back": "退运到区 to bring goods back",
    "gather_by": "汇总申报 to gather",
}  # fmt: skip
_AGGREGATED = {"applied": "已申请汇总 applied for", "aggregated": "已汇总 aggregated"}
"""Words of our own: customs has no status for it."""
_APP_TYPES = {"2": " 变更 change", "3": " 删除 deletion"}
_VERDICTS = {"agrees": "与预计一致 as predicted", "differs": "与预计不同 not as predicted"}
_MAY = {"may_correct": "可改单 correct", "may_cancel": "可撤销 cancel", "may_refund": "可退货 return goods"}
_DRAWN = "T70"
"""What keeps an inventory from being drawn up names the goods, so its sentences are shown too."""
_RECOMPUTED = ("T1", "T2", "T301", "T302", "T303")
"""What is told anew elsewhere on the screen, and not from old stamps."""


@click.command()
@click.argument("what", metavar="KEY")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="By the law of this day; else today in China.")
@utc_option
@json_option
@home_option
def dossier(*, what: str, day: Any, utc: bool, as_json: bool, home: Path) -> None:
    """Show a trade: its documents, what waits for what, what broke and who mends it, receipts, tax, windows.

    KEY is the order's number, PLATFORM|ORDER, the number or key of any of its documents, or its logisticsNo, copNo,
    invtNo or preNo. What disagrees is compared anew. Several trades (one order number on two platforms) are one JSON
    object each. Ends with 4 when there is none.
    """
    from gateway.dossiers import found

    on: date | None = day.date() if day else None
    trades = found(open_book(home), what, house=house_at(home), on=on)
    for count, trade in enumerate(trades):
        if as_json:
            give(trade)
        else:
            click.echo("\n" * (count > 0) + "\n".join(_trade(trade, utc=utc)))
    if not trades:
        raise Stop(f'此处没有这样的交易 No trade here has "{what}".', NOT_FOUND)


def waits_for(why: str) -> str:
    """Return why something waits, with the kinds of documents for which it does by their names.

    >>> waits_for("T203 waybill payment"), waits_for("K103 CEB312 E1|A1")
    ('T203 运单 waybill、支付单 payment', 'K103 CEB312 E1|A1')
    """
    code, *kinds = why.split(" ")
    if kinds and all(kind in KINDS for kind in kinds):
        return f"{code} {'、'.join(KINDS[kind] for kind in kinds)}"
    return why


def house_at(home: Path) -> "House | None":
    """Return the configuration of a home; None, and a word about it, where it cannot be read."""
    from gateway.config import load_house
    from spool.errors import ForOperator

    try:
        return load_house(home)
    except ForOperator as error:
        say(f"Without tax and numbers of customs: {error}. See kouan config check.")
        return None


def _trade(trade: Facts, *, utc: bool) -> Iterator[str]:
    mode = f"  {trade['mode']}" if trade["mode"] else ""
    yield f"卷宗 dossier  {trade['platform']}  {trade['order']}{mode}  {PHASES[trade['phase']]}"
    yield f"  建卷 opened   {shown(trade['opened_at'], utc=utc)}"
    if trade["customs"]:
        yield _customs(trade["customs"])
    for one in trade["lacking"]:
        until = f" 至 until {one['until']}" if one["until"] else ""
        since = f"自 since {one['since']}{until}"
        yield f"  尚缺 waits    {KINDS[one['kind']]}, {since}  [{one['code']}] {one['hint']}"
        if one["code"].startswith(_DRAWN):
            yield from (f"                {one[name]}" for name in ("zh", "en"))
    for silent in trade["silences"]:
        what = f"{KINDS[silent['kind']]} {silent['number']}"
        yield f"  海关沉默 silent since {silent['since']}  {what}  [{silent['code']}] {silent['zh']}"
        yield f"             {silent['en']}"
        yield f"             → {silent['hint']}"
    yield "  单证 documents"
    for one in trade["documents"]:
        yield from _document(one, utc=utc)
    if trade["findings"]:
        yield "  不一致 broken"
    for broken in trade["findings"]:
        yield from _finding(broken)
        if broken["mends"]:
            who = "、".join(f"{one['partner']} ({KINDS[one['kind']]} {one['number']})" for one in broken["mends"])
            yield f"             更正 mends: {who}"
    yield from _tax(trade["tax"])
    if trade["returns"]:
        left = ", ".join(f"{gnum}: {quantity}" for gnum, quantity in trade["returns"]["left"].items())
        yield f"  可退 left to return, line: quantity    {left}"
    yield from _aggregation(trade["aggregation"])
    for window in trade["windows"]:
        stands = "open 期内" if window["open"] else "over 已过期"
        yield f"  期限 window   {_WINDOWS[window['name']]} until {window['until']} ({stands})"
    yield from _receipts(trade["documents"], utc=utc)


def _customs(customs: Facts) -> str:
    number = f"  invtNo {customs['invt_no']}" if customs["invt_no"] else ""
    status = f"{customs['status']} " if customs["status"] else ""
    released = f"  放行 released on {customs['released_on']}" if customs["released_on"] else ""
    may = "、".join(text for name, text in _MAY.items() if customs[name])
    allowed = f"  {may}" if may else ""
    return f"  海关 customs  {status}{customs['zh']} {customs['en']}{number}{released}{allowed}"


def _document(one: Facts, *, utc: bool) -> Iterator[str]:
    status = f"  {one['status']} {one['status_zh']}" if one["status"] else ""
    kind = KINDS.get(one["kind"], one["kind"])
    what = _APP_TYPES.get(one["app_type"], "")
    yield f"    {kind}{what}  {one['number']}  {one['spec']}  {one['partner']}  {one['state']}{status}"
    if one["why"]:
        until = f", 至 until {until}" if (until := shown(one["due_at"], utc=utc)) else ""
        yield f"      等待 waits: {waits_for(one['why'])}{until}"
    # What waited was looked at more than once, and each look says the same of it.
    told = {tuple(_finding(one)): one["code"] for stamp in one["stamps"] for one in stamp["findings"]}
    for lines, code in told.items():
        if not code.startswith(_RECOMPUTED):
            yield from lines


def _finding(told: Facts) -> Iterator[str]:
    yield f"      [{told['code']}] {told['zh']}"
    yield f"             {told['en']}"
    yield f"             → {told['hint']}"


def _aggregation(one: Facts | None) -> Iterator[str]:
    if one is None:
        return
    names = {"declaration": "declSeqNo", "entry": "entryId", "sum_no": "sumNo", "application": "701"}
    numbers = "".join(f"  {label} {one[name]}" for name, label in names.items() if one[name])
    verdict = f"  {_VERDICTS[one['verdict']]}" if one["verdict"] else ""
    yield f"  汇总 gathered  {_AGGREGATED[one['state']]}{numbers}{verdict}"
    for told in one["findings"]:
        yield from _finding(told)


def _tax(tax: Facts | None) -> Iterator[str]:
    if tax is None:
        return
    told = _amounts(tax["predicted"]) if tax["predicted"] else "– (a line cannot be told 有商品无法预估)"
    yield f"  税款 tax      预估 predicted {told}; 完税价格 value {tax['value']}"
    for one in tax["untold"]:
        yield f"      [{one['code']}] {one['zh']} {one['en']}"
    for bill in tax["bills"]:
        amounts = _amounts(bill["taxes"]) if bill["taxes"] else "–"
        yield f"    税单 bill {bill['tax_no']}  {bill['status']} {bill['status_zh']}  {amounts}"
        for one in bill["differences"]:
            yield f"      [{one['code']}] {one['zh']} {one['en']}"


def _amounts(taxes: Facts) -> str:
    names = {"duty": "关税", "consumption": "消费税", "vat": "增值税", "total": "合计"}
    return ", ".join(f"{zh} {name} {taxes[name]}" for name, zh in names.items())


def _receipts(documents: list[Facts], *, utc: bool) -> Iterator[str]:
    told = [said for one in documents for said in one["receipts"]]
    if told:
        yield "  回执 receipts"
    for said in sorted(told, key=lambda one: one["cursor"]):
        when = shown(said["said_at"], utc=utc)
        what = f"{said['spec']} {said['status']} {said['zh']}"
        yield f"    {when}  {what} → {said['number']}  {said['info']}".rstrip()
