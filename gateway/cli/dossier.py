"""`kouan dossier`: one trade on one screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gateway.cli.book import open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import NOT_FOUND, Stop, give

_KINDS = {
    "order": "订单 order", "payment": "支付单 payment", "waybill": "运单 waybill", "inventory": "清单 inventory",
    "cancel": "撤销 cancel", "refund": "退货 refund", "waybill_status": "运单状态 waybill status",
    "entry": "入库 entry", "summary": "总分单 summary", "arrival": "运抵 arrival", "departure": "离境 departure",
    "aggregate": "汇总 aggregate", "tally": "理货 tally",
}  # fmt: skip
_PHASES = {
    "open": "收单 open", "declared": "已申报 declared", "released": "已放行 released", "closed": "已结 closed",
    "void": "已撤销 void",
}  # fmt: skip
_MUST = ("order", "payment", "waybill", "inventory")


@click.command()
@click.argument("what", metavar="KEY")
@utc_option
@json_option
@home_option
def dossier(*, what: str, utc: bool, as_json: bool, home: Path) -> None:
    """Show a trade: its documents, what waits for what, what broke and who mends it, its receipts.

    KEY is the order's number, PLATFORM|ORDER, or the number or key of any of its documents. Several trades (one
    order number on two platforms) are one JSON object each. Ends with 4 when there is none.
    """
    from gateway.dossiers import found

    trades = found(open_book(home), what)
    for count, trade in enumerate(trades):
        if as_json:
            give(trade)
        else:
            click.echo("\n" * (count > 0) + "\n".join(_trade(trade, utc=utc)))
    if not trades:
        raise Stop(f'No trade here has "{what}".', NOT_FOUND)


def _trade(trade: dict[str, Any], *, utc: bool) -> Iterator[str]:
    mode = f"  {trade['mode']}" if trade["mode"] else ""
    yield f"卷宗 dossier  {trade['platform']}  {trade['order']}{mode}  {_PHASES[trade['phase']]}"
    yield f"  opened    {shown(trade['opened_at'], utc=utc)}"
    kinds = {one["kind"] for one in trade["documents"] if one["state"] != "refused"}
    if lacking := [_KINDS[kind] for kind in _MUST if kind not in kinds]:
        yield f"  未到 not here yet: {'、'.join(lacking)}"
    for one in trade["documents"]:
        status = f" {one['status']} {one['status_zh']}" if one["status"] else ""
        kind = _KINDS.get(one["kind"], one["kind"])
        yield f"  {kind}  {one['number']}  {one['partner']}  {one['state']}{status}"
        if one["why"]:
            until = f", until {shown(one['due_at'], utc=utc)}" if one["due_at"] else ""
            yield f"    waits: {one['why']}{until}"
        for stamp in one["stamps"]:
            for told in stamp["findings"]:
                yield f"    [{told['code']}] {told['zh']}"
                yield f"        {told['en']}"
                yield f"        {told['hint']}"
        for said in one["receipts"]:
            when = shown(said["said_at"], utc=utc)
            yield f"    回执 {said['spec']} {said['status']} {said['zh']}  {when}  {said['info']}".rstrip()
