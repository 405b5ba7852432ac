"""`kouan key`: the keys with which we sign, each in keys/NAME of the home."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import FAILED, Stop, present, say


@click.group()
def key() -> None:
    """Make and list signing keys."""


@key.command("new")
@click.argument("name")
@click.option("--suite", type=click.Choice(["rsa", "sm2"]), required=True, help="RSA-2048, or SM2 with SM3.")
@click.option("--digest", type=click.Choice(["sha256", "sha1"]), default="sha256", show_default=True, help="Of rsa.")
@click.option("--subject", help="Whose key it is, in the certificate; else the partner's title, else the name.")
@click.option("--days", type=click.IntRange(1, 36500), default=1095, show_default=True, help="How long it holds.")
@click.option("--partner", help="Entrust it to this partner: his unsigned messages are signed with it.")
@home_option
def new_key(
    *, name: str, suite: str, digest: str, subject: str | None, days: int, partner: str | None, home: Path
) -> None:
    """Make a key and a self-signed certificate, readable by us alone, in keys/NAME."""
    from gateway.config import load_house
    from gateway.config_names import NAME
    from gateway.home import NotAName, with_key
    from gateway.signing import keys
    from spool.aside import put

    house = load_house(home)
    if not NAME.fullmatch(name) or name == "partners":
        raise NotAName(name)
    owner = house.partner(partner) if partner else house.partners.get(name)
    subject = subject or (owner.title if owner else name)
    keys.new_key(home / "keys", name, suite, subject, days=days, now=datetime.now(UTC), digest=digest)
    say(f"The key {name} stands in {home}/keys/{name}; give cert.pem to whoever must trust it.")
    if partner:
        file = home / f"partners/{partner}.toml"
        put(file, with_key(file.read_text("utf-8"), name).encode())
        load_house(home)
        say(f"Entrusted to {partner}.")
    else:
        say(f'To use it, add to a partner\'s TOML:\n\n[[keys]]\nname = "{name}"')


@key.command("list")
@json_option
@home_option
def list_keys(as_json: bool, home: Path) -> int:
    """List every key: suite, serial number, until when, who entrusted it; ends with 1 when one cannot sign."""
    from gateway.config import load_house
    from gateway.signing import keys

    users: dict[str, list[str]] = {}
    for one in load_house(home).partners.values():
        for use in one.keys:
            users.setdefault(use.name, []).append(one.name)
    if not (home / "keys").is_dir():
        raise Stop(f"There is no folder keys in {home}. Make it, or name another --home.")
    found = keys.list_keys(home / "keys")
    rows = [
        {
            "name": one.name,
            "suite": one.suite,
            "serial": one.serial,
            "subject": one.subject,
            "not_before": one.not_before.isoformat() if one.not_before else None,
            "not_after": one.not_after.isoformat() if one.not_after else None,
            "days_left": one.days_left,
            "partners": users.get(one.name, []),
            "trouble": one.trouble,
        }
        for one in found
    ]
    columns = ("name", "suite", "serial", "subject", "not_after", "days_left", "partners", "trouble")
    present(as_json, columns, rows, "No keys yet. Make one:  kouan key new NAME --suite rsa")
    return FAILED if any(one.trouble for one in found) else 0
