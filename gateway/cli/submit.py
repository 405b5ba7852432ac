"""`kouan submit`: a file handed in as a partner, with or without a daemon."""

import os
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import home_option, input_argument, read_input
from gateway.cli.talk import FAILED, Stop, give, say


@click.command()
@input_argument("files", many=True)
@click.option("--partner", required=True, help="As whom it is handed in.")
@click.option("--json", "as_json", is_flag=True, help="Accepted as everywhere; the acknowledgement is always JSON.")
@home_option
def submit(files: tuple[str, ...], partner: str, as_json: bool, home: Path) -> int:  # noqa: ARG001  always JSON
    """Hand each FILE (- is stdin) in as PARTNER; its acknowledgement stands on stdout, one line of JSON.

    Receipts go to the partner's out/ as always. Ends with 1 when not everything went on.
    """
    from gateway.submitting import Counter
    from spool.interchange import Claim

    went_on = True
    with Counter(home) as counter:
        counter.house.partner(partner)
        for file in files:
            name = "" if file == "-" else os.fsencode(Path(file).name).decode("utf-8", "replace")
            (told,) = counter.hand_in([Claim(0, partner, "submit", name, body=_read(file))])
            give(told)
            went_on = _tell(told) and went_on
    return 0 if went_on else FAILED


def _read(file: str) -> bytes:
    data = read_input(file)
    if not data and file == "-":
        raise Stop("Nothing came on stdin, so nothing was handed in.")
    return data


def _tell(told: dict[str, Any]) -> bool:
    """What became of the file is said to a person; return whether all of it went on."""
    states = [one["state"] for one in told["documents"]]
    errors = [found for found in told["findings"] if found["severity"] == "error"]
    differing = [found for found in told["findings"] if found["code"] == "P302"]
    for found in [*errors, *differing][:20]:
        say(f"  [{found['code']}] {found['zh']} {found['en']}")
    refused = states.count("refused")
    if differing:
        what = f"not declared: {len(differing)} documents have keys that stand already with other content"
    elif told["duplicate_of"]:
        what = f"the same as {told['duplicate_of']}, which stands; nothing is declared twice"
    elif not states:
        what = "refused as a whole"
    else:
        counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
        what = f"{len(states)} documents: {counted}"
    say(f"{told['file']} is {told['number']}: {what}.")
    whole = not states and not told["duplicate_of"]
    return not (refused or whole or differing)
