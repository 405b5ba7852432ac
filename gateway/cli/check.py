"""`kouan check`: a dry check that touches no ledger.

The home is asked for its severities, limits and revision where there is one;
without a home the defaults hold.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from gateway.cli.options import home_option, input_argument, json_option, read_input
from gateway.cli.talk import FAILED, USAGE, Stop, give, say, show

SHOWN = 200


@click.command()
@input_argument("files", many=True)
@click.option("--spec", help="The spec the files must be of, as CEB311; else what their root says.")
@click.option("--revision", type=click.Choice(["2018", "202205"]), help="Else that of the home, else 202205.")
@json_option
@home_option
def check(files: tuple[str, ...], spec: str | None, revision: str | None, as_json: bool, home: Path) -> int:
    """Check each FILE (- is stdin) and say everything that is wrong with it, in Chinese and English.

    With --json one object a file, each on its line. Ends with 1 when a finding is an error.
    """
    law = _law(home, spec, revision)
    valid = True
    for file in files:
        answer = _checked(file, law)
        valid = valid and answer["valid"]
        if as_json:
            give(answer)
        else:
            _tell(answer)
    return 0 if valid else FAILED


def _law(home: Path, spec: str | None, revision: str | None) -> dict[str, Any]:
    """Return what the files are held against."""
    from gateway.config import Kouan, load_house, near
    from message_specs.catalog import catalog

    if spec is not None and spec not in catalog().specs:
        raise Stop(f'There is no spec "{spec}". {near(spec, tuple(catalog().specs))}', USAGE)
    kouan = load_house(home).kouan if (home / "kouan.toml").is_file() else Kouan()
    return {"kouan": kouan, "spec": spec, "revision": revision or kouan.revision}


def _checked(file: str, law: dict[str, Any]) -> dict[str, Any]:
    from message_specs.check import check as findings_of
    from message_specs.dxp.envelope import unwrap
    from message_specs.findings import Severity
    from message_specs.opening import open_message

    kouan, data = law["kouan"], read_input(file)
    limits = kouan.limits.of_messages()
    envelope = unwrap(data, limits)
    if envelope and envelope.data:
        say(f"{file}: an envelope for {' '.join(envelope.receivers)}; what is told is of the message in it.")
        data = envelope.data
    opened = open_message(data, revision=law["revision"], limits=limits, spec=law["spec"])
    severities = {code: Severity(severity) for code, severity in kouan.severity.items()}
    findings = findings_of(opened, severities=severities, today=datetime.now(ZoneInfo("Asia/Shanghai")).date())
    return {
        "file": file,
        "spec": opened.spec.code if opened.spec else None,
        "revision": opened.revision,
        "documents": len(opened.documents),
        "valid": not any(finding.severity is Severity.ERROR for finding in findings),
        "findings": [finding.as_dict() for finding in findings],
    }


def _tell(answer: dict[str, Any]) -> None:
    findings = answer["findings"]
    counted = Counter(finding["severity"] for finding in findings)
    words = ", ".join(f"{counted[severity]} {severity}s" for severity in ("error", "warning") if counted[severity])
    what = f"{answer['spec'] or 'unknown spec'} {answer['revision']}, {answer['documents']} documents"
    say(f"{answer['file']}: {what}: {'good' if answer['valid'] else 'bad'}{f' ({words})' if words else ''}")
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
