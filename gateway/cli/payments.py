"""`kouan payments`: what customs asked of payments (notice 179), and what became of it."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.book import open_book, shown, utc_option
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, SOME_FAILED, Stop, give, harmless, present, say


@click.group()
def payments() -> None:
    """Show what customs asked of payments (notice 179), upload it again, and file raw data."""


@payments.command("list")
@click.option("--open", "only_open", is_flag=True, help="Only what customs has not accepted yet.")
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="At most so many rows.")
@utc_option
@json_option
@home_option
def list_(*, only_open: bool, limit: int, utc: bool, as_json: bool, home: Path) -> None:
    """List the sessions, the newest first: the order asked for, where it stands, why it waits."""
    from gateway.payment_reading import sessions

    rows = sessions(open_book(home), only_open=only_open, limit=limit)
    if not as_json:
        rows = ({**row, "asked": shown(row["asked_at"], utc=utc), "why": _why(row)} for row in rows)
    columns = ("session", "platform", "order", "state", "asked", "attempts", "payment", "why")
    present(as_json, columns, rows, "Customs has asked for no payment data.")


def _why(row: dict[str, Any]) -> str:
    return "; ".join(f"{one['code']} {one['zh']} {one['en']}" for one in [*row["findings"], *row["notes"]])


@payments.command()
@click.argument("name", metavar="SESSION")
@utc_option
@json_option
@home_option
def show(*, name: str, utc: bool, as_json: bool, home: Path) -> None:
    """Show one session whole: calls, the signed text, uploads, answers. Ends with 4 when there is none."""
    from gateway.payment_reading import session

    told = session(open_book(home), name)
    if as_json:
        give(told)
        return
    click.echo(f"会话 session  {told['session']}  {told['state']}  订单 order {told['order']}  {told['platform']}")
    for one in [*told["findings"], *told["notes"]]:
        click.echo(f"  [{one['code']}] {one['zh']}\n         {one['en']}\n         → {one['hint']}")
    for call in told["calls"]:
        click.echo(f"  来问 asked    {shown(call['at'], utc=utc)}  {call['caller']}  {harmless(call['body'])}")
        click.echo(f"    {call['reply']}")
    for upload in told["uploads"]:
        click.echo(f"  上传 upload   {shown(upload['sealed_at'], utc=utc)}  {upload['suite']}  {upload['cert_no']}")
        click.echo(f"    签名原文 signed  {upload['signed']}\n    payExInfoStr  {upload['payExInfoStr']}")
    for one in told["answers"]:
        said = harmless(one["body"] or one["trouble"] or "")
        click.echo(f"  应答 answer   {shown(one['at'], utc=utc)}  {one['status'] or '–'}  {said}")
    if told["kept_until"]:
        click.echo(f"  留存至 kept until {shown(told['kept_until'], utc=utc)}")


@payments.command()
@click.argument("names", metavar="SESSION...", nargs=-1, required=True)
@click.option("--anew", is_flag=True, help="Seal fresh bytes by what is known today; else the same bytes leave again.")
@click.option("--by", help="Who decides; else your login name.")
@json_option
@home_option
def send(*, names: tuple[str, ...], anew: bool, by: str | None, as_json: bool, home: Path) -> int:
    """Let sessions leave again at once, with the same sessionID: what is held, and what waits for its date.

    Ends with 1 when none could be, with 3 when some could not; what customs has accepted is not sent again.
    """
    from gateway.payment_reading import send_again
    from spool.errors import ForOperator
    from spool.ledger import Ledger

    open_book(home).close()
    book = Ledger(home / "ledger.sqlite3")
    failed = 0
    for name in names:
        told: dict[str, Any] = {"session": name, "done": True, "state": None, "note": ""}
        try:
            told["state"] = send_again(book, name, datetime.now(UTC), by or getpass.getuser(), anew=anew)
        except ForOperator as why:
            told |= {"done": False, "note": str(why)}
            failed += 1
        if as_json:
            give(told)
        else:
            say(f"{name}: {told['note'] or 'leaves at once, while the daemon runs'}")
    book.close()
    return 0 if not failed else FAILED if failed == len(names) else SOME_FAILED


@payments.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--partner", "name", required=True, help="Who files: the payment firm or the platform.")
@json_option
@home_option
def file(*, file: Path, name: str, as_json: bool, home: Path) -> int:
    """File raw payment data for a partner, from FILE as POST /v1/payment-data takes it.

    Ends with 1 when none could be filed, with 3 when some could not.
    """
    from gateway.config import load_house
    from gateway.raw_payments import file as filed
    from spool.ledger import Ledger

    house = load_house(home)
    book = Ledger(home / "ledger.sqlite3")
    told = filed(book, house.partner(name), file.read_bytes(), datetime.now(UTC), house.kouan.payment_data.keep_years)
    book.close()
    if told is None:
        raise Stop(f"{file} is no JSON of payments; see docs/authorities/payment-data.md.", FAILED)
    for one in told["payments"]:
        if as_json:
            give({**one, "kept_until": told["kept_until"]})
        else:
            why = "; ".join(f"{each['code']} {each['zh']} {each['en']}" for each in one["findings"])
            say(f"{one['payCode']}|{one['payTransactionId']}: {why or 'filed, kept until ' + told['kept_until']}")
    bad = sum(not one["filed"] for one in told["payments"])
    return 0 if not bad else FAILED if bad == len(told["payments"]) else SOME_FAILED
