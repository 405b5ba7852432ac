"""`kouan check`: a dry check that touches no ledger.

The home is asked for its severities, limits and revision where there is one;
without a home the defaults hold.  A receipt is read as settling reads it, unless
it is to be held to the published structure.
"""

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, USAGE, Stop, give, say, show

if TYPE_CHECKING:
    from message_specs.limits import Limits
    from message_specs.opening import Opened

SHOWN = 200


@click.command()
@input_argument("files", many=True)
@click.option("--spec", help="The spec the files must be of, as CEB311; else what their root says.")
@click.option("--revision", type=click.Choice(["2018", "202205"]), help="Else that which the home means on the day.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day on which it came; else today.")
@click.option("--strict", is_flag=True, help="Hold a receipt to the published structure, as what we write is.")
@json_option
@home_option
def check(
    files: tuple[str, ...],
    spec: str | None,
    revision: str | None,
    day: datetime | None,
    strict: bool,
    as_json: bool,
    home: Path,
) -> int:
    """Check each FILE (- is stdin) and say everything that is wrong with it, in Chinese and English.

    What customs may write otherwise than it published is a warning in a receipt. With --json one object a file, each
    on its line. Ends with 1 when a finding is an error.
    """
    law = _law(home, spec, revision, day.date() if day else None) | {"strict": strict}
    valid = True
    for file in files:
        answer = _checked(file, law)
        valid = valid and answer["valid"]
        if as_json:
            give(answer)
        else:
            _tell(answer)
    return 0 if valid else FAILED


def _law(home: Path, spec: str | None, revision: str | None, day: date | None) -> dict[str, Any]:
    """Return what the files are held against."""
    from gateway.config import Kouan, load_house, near, revision_of
    from message_specs.catalog import catalog, revision_on

    asked = catalog().called(spec) if spec is not None else None
    if spec is not None and asked is None:
        raise Stop(f'There is no spec "{spec}". {near(spec, tuple(catalog().specs))}', USAGE)
    day = day or datetime.now(ZoneInfo("Asia/Shanghai")).date()
    house = load_house(home) if (home / "kouan.toml").is_file() else None
    kouan = house.kouan if house else Kouan()

    def meant(of: str) -> str:
        if revision or house is None:
            return revision or revision_of(kouan.revision, day) or revision_on(day)
        return house.revision(of, day)

    return {"kouan": kouan, "spec": asked.code if asked else None, "revision_of": meant, "day": day}


def _checked(file: str, law: dict[str, Any]) -> dict[str, Any]:
    from message_specs.check import check as findings_of
    from message_specs.dxp.envelope import unwrap
    from message_specs.findings import Severity

    kouan, data = law["kouan"], read_input(file)
    limits = kouan.limits.of_messages()
    envelope = unwrap(data, limits)
    if envelope and envelope.data:
        say(f"{file}: an envelope for {' '.join(envelope.receivers)}; what is told is of the message in it.")
        data = envelope.data
    opened, strict = _opened(data, law, limits)
    severities = {code: Severity(severity) for code, severity in kouan.severity.items()}
    findings = findings_of(opened, severities=severities, today=law["day"])
    return {
        "file": file,
        "spec": opened.spec.code if opened.spec else None,
        "revision": opened.revision,
        "strict": strict,
        "documents": len(opened.documents),
        "valid": not any(finding.severity is Severity.ERROR for finding in findings),
        "findings": [finding.as_dict() for finding in findings],
    }


def _opened(data: bytes, law: dict[str, Any], limits: "Limits") -> "tuple[Opened, bool]":
    """Return the message opened, and whether it was held to the published structure."""
    from message_specs.opening import open_message
    from message_specs.tolerance import is_receipt, open_tolerantly

    meant, wanted = law["revision_of"], law["spec"]
    if is_receipt(data) and not law["strict"]:
        opened = open_tolerantly(data, revision=meant(""), limits=limits)
        if opened.spec is not None and wanted in (None, opened.spec.code):
            return opened, False
    return open_message(data, revision=meant(""), revision_of=meant, limits=limits, spec=wanted), True


def _tell(answer: dict[str, Any]) -> None:
    findings = answer["findings"]
    counted = Counter(finding["severity"] for finding in findings)
    words = ", ".join(f"{counted[severity]} {severity}s" for severity in ("error", "warning") if counted[severity])
    what = f"{answer['spec'] or 'unknown spec'} {answer['revision']}, {answer['documents']} documents"
    say(f"{answer['file']}: {what}: {'good' if answer['valid'] else 'bad'}{f' ({words})' if words else ''}")
    if not answer["strict"] and counted["warning"]:
        say("A receipt, read as settling reads it: the warnings were passed over; --strict makes them errors.")
    if not findings:
        return
    rows = []
    for finding in findings[:SHOWN]:
        said = "\n".join(part for part in (finding["zh"], finding["en"], f"→ {finding['hint']}") if part)
        place = ":".join(str(part) for part in (finding["line"], finding["column"]) if part is not None)
        rows.append((finding["code"], finding["severity"], place, finding["path"], said))
    show(("code", "severity", "line", "path", "what is wrong and what to do"), rows)
    if len(findings) > SHOWN:
        say(f"… and {len(findings) - SHOWN} more; --json gives all.")
