"""`kouan doctor`: look for what is wrong with this machine and this home."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, give, say, show


@click.command()
@json_option
@home_option
def doctor(as_json: bool, home: Path) -> int:
    """Look at versions, SM2, clock, disk, keys, limits of the system, configuration, ledger, brokers,
    authorities for which nothing leaves (paused, in maintenance, broken), receipts that do not come, guarantees that
    are used up and tax that is due; change nothing.

    Ends with 1 when something must be mended. With --json one object {"healthy": …, "symptoms": […],
    "authorities": […]}, each authority as in kouan authority list.
    """
    from gateway.cli import fx_symptoms, payment_symptoms, symptoms, tax_symptoms, turnstile_symptoms
    from gateway.cli.broker_symptoms import brokers
    from gateway.cli.symptoms_of_remotes import remotes

    house, found = symptoms.configuration(home)
    found += [*symptoms.programs(), *symptoms.sm2(), *symptoms.clock()]
    found += symptoms.system(len(house.partners) if house else 0)
    standings = []
    if house is not None:
        now = datetime.now(UTC)
        found += [*symptoms.disk(house), *symptoms.keys(house, now), *symptoms.ledger(house)]
        found += [*symptoms.unanswered(house, now), *symptoms.identity(house), *brokers(house), *remotes(house)]
        found += [*payment_symptoms.payments(house, now), *fx_symptoms.feedback(house, now)]
        found += tax_symptoms.guarantees(house, now)
        standings = turnstile_symptoms.standings(house, now)
        found += turnstile_symptoms.authorities(standings, now)
    bad = any(one.status == symptoms.ERROR for one in found)
    if as_json:
        give({"healthy": not bad, "symptoms": [asdict(one) for one in found], "authorities": standings})
    else:
        show(("status", "name", "seen", "what to do"), [(one.status, one.name, one.seen, one.cure) for one in found])
        say("Something must be mended." if bad else "Nothing must be mended.")
    return FAILED if bad else 0
