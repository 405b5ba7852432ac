"""`kouan tax refund` and `kouan tax exempt`: declarations to the tax office, drawn up from the ledger."""

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.book import open_book
from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, Stop, give, plain, present, say, show

if TYPE_CHECKING:
    from gateway.refunds import Declared
    from message_specs.findings import Finding

DAY = click.DateTime(["%Y-%m-%d"])
DECLARED = ("key", "partner", "drawn_at", "number", "state", "status", "undone_at")
_SHOWN = 200
partner_option = click.option("--partner", required=True, help="Whose declaration it is: a partner of this home.")
taxpayer_option = click.option(
    "--taxpayer", required=True, help="The taxpayer's number, as the table enterprises has it."
)
month_option = click.option("--month", required=True, metavar="YYYYMM", help="The month of the declaration (申报年月).")
until_option = click.option("--until", type=DAY, help="What was exported until this day; else until today in China.")
dry_option = click.option("--dry-run", is_flag=True, help="Show what would be declared; book and send nothing.")


@click.group("refund")
def refund() -> None:
    """Declare export refund: load invoices and declarations, draw up both details, send, see the verdicts."""


@refund.command("load")
@click.argument("kind", type=click.Choice(["purchases", "exports"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@partner_option
@taxpayer_option
@click.option("--map", "map_name", default="", help="Else ours: invoices-tax111 or declarations-tax121.")
@json_option
@home_option
def load(*, kind: str, file: Path, partner: str, taxpayer: str, map_name: str, as_json: bool, home: Path) -> int:
    """Load purchase invoices or general export declarations (报关单) from a table; all of FILE or nothing of it."""
    from gateway.clerk import clerk_at
    from gateway.config import load_house
    from gateway.purchases import load as loaded
    from spool.ledger import Ledger

    house = load_house(home)
    ledger = Ledger(clerk_at(home))
    told = loaded(ledger, home, kind, file, map_name, house.partner(partner), taxpayer, datetime.now(UTC))
    ledger.close()
    _tell(told.findings, as_json=as_json)
    say(f"{file}: {told.lines} lines, {told.fresh} new.{' Nothing was written.' if told.is_refused else ''}")
    return FAILED if told.is_refused else 0


@refund.command("declare")
@partner_option
@taxpayer_option
@month_option
@until_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Both import templates, and the index of documents, go here.",
)
@dry_option
@json_option
@home_option
def declare(
    *, partner: str, taxpayer: str, month: str, until: datetime | None, output: Path | None, dry_run: bool,
    as_json: bool, home: Path,
) -> int:  # fmt: skip
    """Draw up the next batch of a month, book what it uses, and hand it into the hall for the tax office.

    Ends with 1 when nothing can be declared or it was refused. With --json the findings, then one object about it.
    """
    from gateway.refunds import book, draw, free_refused, send_open, uses_of
    from gateway.settling import iso
    from gateway.submitting import Counter
    from gateway.tax_forms import write_templates

    now = datetime.now(UTC)
    with Counter(home) as counter:
        whose = counter.house.partner(partner)
        free_refused(counter.ledger, iso(now))
        drawn = draw(counter.ledger, home, whose, taxpayer, _month(month), now, _day(until))
        _tell(drawn.forms.findings, as_json=as_json)
        if not drawn.forms.exports:
            return _nothing(taxpayer, as_json=as_json)
        answers: list[dict[str, Any]] = []
        if not dry_run:
            with _used_elsewhere():
                book(counter.ledger, drawn, whose.name, "refund", uses_of(drawn.forms))
            answers = send_open(counter, now)
    files = write_templates(output, drawn.head, drawn.forms) if output is not None else []
    cost = {"costTotal": f"{drawn.forms.cost:.2f}"}
    return _declared(drawn, cost, answers, [str(file) for file in files], as_json=as_json)


@refund.command("send")
@json_option
@home_option
def send(*, as_json: bool, home: Path) -> None:
    """Hand in every declaration that was booked and never handed in, as after a crash."""
    from gateway.refunds import send_open
    from gateway.submitting import Counter

    with Counter(home) as counter:
        answers = send_open(counter, datetime.now(UTC))
    rows = [{"key": one["key"], "number": one["number"], "states": _states(one)} for one in answers]
    present(as_json, ("key", "number", "states"), rows, "Nothing waited to be handed in.")


@refund.command("list")
@json_option
@home_option
def list_refunds(*, as_json: bool, home: Path) -> None:
    """List the refund declarations with where they stand at the tax office."""
    _list("refund", as_json=as_json, home=home)


@refund.command("check")
@taxpayer_option
@click.option("--on", "day", type=DAY, help="As it stands on this day; else today in China.")
@json_option
@home_option
def check(*, taxpayer: str, day: datetime | None, as_json: bool, home: Path) -> int:
    """Tell what became of what was declared: goods that came back, foreign exchange that did not, what was approved.

    Ends with 1 when a refund is to be given back.
    """
    from gateway.declared_since import since

    found = since(open_book(home), home, taxpayer, _day(day))
    _tell(tuple(found), as_json=as_json)
    return FAILED if any(one.severity == "error" for one in found) else 0


@click.group("exempt")
def exempt() -> None:
    """Register exports without a purchase invoice (无票免税), and report the base of assessed income (核定征收)."""


@exempt.command("declare")
@partner_option
@taxpayer_option
@month_option
@until_option
@dry_option
@json_option
@home_option
def register(
    *, partner: str, taxpayer: str, month: str, until: datetime | None, dry_run: bool, as_json: bool, home: Path
) -> int:
    """Register what was exported and is in no other declaration: the next batch of a month goes into the hall.

    Ends with 1 when nothing can be registered or it was refused. With --json the findings, then one object about it.
    """
    from gateway.exemptions import draw, uses_of
    from gateway.refunds import book, free_refused, send_open
    from gateway.settling import iso
    from gateway.submitting import Counter

    now = datetime.now(UTC)
    with Counter(home) as counter:
        whose = counter.house.partner(partner)
        free_refused(counter.ledger, iso(now))
        drawn = draw(counter.ledger, home, whose, taxpayer, _month(month), now, _day(until))
        _tell(drawn.findings, as_json=as_json)
        if not drawn.records:
            return _nothing(taxpayer, as_json=as_json)
        answers: list[dict[str, Any]] = []
        if not dry_run:
            with _used_elsewhere():
                book(counter.ledger, drawn.declared, whose.name, "exempt", uses_of(drawn.records))
            answers = send_open(counter, now)
    return _declared(drawn.declared, {}, answers, [], as_json=as_json)


@exempt.command("report")
@taxpayer_option
@click.option("--since", type=DAY, required=True, help="The first day of the period.")
@click.option("--until", type=DAY, required=True, help="The last day of the period.")
@json_option
@home_option
def report(*, taxpayer: str, since: datetime, until: datetime, as_json: bool, home: Path) -> None:
    """Report what a firm exported in a period, its receipts, and the income and tax assessed on them."""
    from gateway.exemptions import report as told_of

    if until < since:
        raise click.BadParameter("the period ends before it begins", param_hint="--until")
    told = told_of(open_book(home), home, taxpayer, since.date(), until.date())
    if as_json:
        give(told)
        return
    show(("", ""), [(name, plain(value)) for name, value in told.items() if name != "findings"])
    for one in told["findings"]:
        say(f"[{one['code']}] {one['zh']} {one['en']}")


@exempt.command("list")
@json_option
@home_option
def list_exemptions(*, as_json: bool, home: Path) -> None:
    """List the registrations with where they stand at the tax office."""
    _list("exempt", as_json=as_json, home=home)


def _list(kind: str, *, as_json: bool, home: Path) -> None:
    rows = [dict(row) for row in open_book(home).all("drawn_all", kind)]
    present(as_json, DECLARED, rows, "Nothing was declared.")


def _month(text: str) -> str:
    try:
        datetime.strptime(text, "%Y%m")  # noqa: DTZ007  a month has no zone
    except ValueError:
        raise click.BadParameter("a month is YYYYMM", param_hint="--month") from None
    return text


def _day(day: datetime | None) -> date:
    return (day or datetime.now(ZoneInfo("Asia/Shanghai"))).date()


class _used_elsewhere:  # noqa: N801  it reads as a sentence
    """Another command that booked the same in this moment is a sentence and not a traceback."""

    def __enter__(self) -> None:
        """Nothing is needed before."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            raise Stop("Another command declared some of it in this moment. Run it again.") from error


def _nothing(taxpayer: str, *, as_json: bool) -> int:
    from gateway.refunds import nothing_found

    _tell((nothing_found(taxpayer),), as_json=as_json)
    return FAILED


def _declared(
    drawn: "Declared", more: dict[str, str], answers: list[dict[str, Any]], files: list[str], *, as_json: bool
) -> int:
    mine = next((one for one in answers if one["key"] == drawn.key), None)
    told = {
        "key": drawn.key,
        **drawn.head,
        **more,
        "number": mine["number"] if mine else None,
        "states": _states(mine) if mine else [],
        "findings": mine["findings"] if mine else [],
        "files": files,
    }
    if as_json:
        give(told)
    else:
        show(("", ""), [(name, plain(value)) for name, value in told.items() if name != "findings"])
        for one in told["findings"]:
            say(f"[{one['code']}] {one['zh']} {one['en']}\n→ {one['hint']}")
    return FAILED if mine is not None and told["states"] != ["ready"] else 0


def _states(answer: dict[str, Any]) -> list[str]:
    return [one["state"] for one in answer["documents"]]


def _tell(found: "tuple[Finding, ...]", *, as_json: bool) -> None:
    if as_json:
        for one in found:
            give(one.as_dict())
    elif found:
        rows = [(one.code, one.path, f"{one.zh}\n{one.en}\n→ {one.hint}") for one in found[:_SHOWN]]
        show(("code", "place", "what is wrong and what to do"), rows)
        if len(found) > _SHOWN:
            say(f"… and {len(found) - _SHOWN} more; --json gives all.")
