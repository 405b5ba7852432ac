"""`kouan partner`: who has a mailbox here.

A running daemon notices a changed file by itself; nothing is restarted.
"""

from pathlib import Path
from typing import Any

import click

from gateway.cli.options import home_option, json_option
from gateway.cli.talk import give, present, say
from gateway.config_names import ROLES


@click.group()
def partner() -> None:
    """Add, list, suspend partners."""


@partner.command("new")
@click.argument("name")
@click.option("--title", help="The registered Chinese name (copName).")
@click.option("--code", help="Customs registration code (10) or credit code (18).")
@click.option("--dxp-id", help="The identity at the exchange platform, as DXPENT0000030001.")
@click.option("--role", "roles", multiple=True, help=f"One of {', '.join(ROLES)}.")
@click.option(
    "--spec",
    "specs",
    multiple=True,
    help="What it may send, as CEB311; else whatever its roles may send by themselves.",
)
@click.option("--ssh-key", type=click.File("r", encoding="utf-8"), help="Its public key, a .pub file of OpenSSH.")
@click.option(
    "--maps", "is_mapped", is_flag=True, help="It may drop tables: each spec with our map, where there is one."
)
@json_option
@home_option
def new_partner(
    *,
    name: str,
    title: str | None,
    code: str | None,
    dxp_id: str | None,
    roles: tuple[str, ...],
    specs: tuple[str, ...],
    ssh_key: Any,
    is_mapped: bool,
    as_json: bool,
    home: Path,
) -> None:
    """Add a partner: one TOML in partners/, one mailbox, one token for HTTP, which is shown once.

    Without --code and --dxp-id it stands suspended until both are filled in.

    A payment firm reports foreign exchange (BOPA, JSHD and the like) only where --spec names it: that takes a
    registration of its own with the exchange office (汇发〔2019〕13号).
    """
    from gateway.config import load_house
    from gateway.home import add_partner, maps_of, new_token

    load_house(home)
    token, digest = new_token()
    known = bool(code and dxp_id)
    roles = roles or ("platform", "merchant")
    values: dict[str, object] = {
        "title": title or name,
        "code": code or "",
        "dxp_id": dxp_id or "",
        "roles": list(roles),
        "specs": list(specs or _specs_of(roles)),
        "ssh_keys": [line.strip() for line in ssh_key if line.strip()] if ssh_key else [],
        "token_sha256": [digest],
        "suspended": not known,
    }
    if is_mapped:
        values["maps"] = maps_of(specs or _specs_of(roles))
    file = add_partner(home, name, values)
    try:
        load_house(home)
    except Exception:
        file.unlink()
        raise
    if as_json:
        give({"name": name, "file": str(file), "mailbox": str(home / "spool/partners" / name), "token": token})
    else:
        say("The token, shown this once (the file keeps only its SHA-256):")
        click.echo(token)
    say(f"{file} stands; the mailbox is {home}/spool/partners/{name}.")
    if not known:
        say(f"Suspended: fill in code, dxp_id and title in {file}, then write suspended = false.")


def _specs_of(roles: tuple[str, ...]) -> list[str]:
    from message_specs.catalog import catalog

    specs = catalog().specs.values()
    licensed = frozenset(spec.code for spec in specs if spec.family == "fx") if "bank" not in roles else frozenset()
    return sorted(spec.code for spec in specs if set(spec.senders) & set(roles) and spec.code not in licensed)


@partner.command("list")
@json_option
@home_option
def list_partners(as_json: bool, home: Path) -> None:
    """List every partner: who it is, what it may send, which doors it can open."""
    from gateway.config import load_house

    rows = []
    for one in load_house(home).partners.values():
        doors = ["folder", *(["sftp"] if one.ssh_keys else []), *(["http"] if one.tokens else [])]
        rows.append(
            {
                "name": one.name,
                "title": one.title,
                "code": one.code,
                "dxp_id": one.dxp_id,
                "roles": list(one.roles),
                "specs": list(one.specs),
                "doors": doors,
                "keys": [use.name for use in one.keys],
                "suspended": one.suspended,
            }
        )
    present(
        as_json,
        ("name", "title", "code", "dxp_id", "roles", "specs", "doors", "keys", "suspended"),
        rows,
        "No partners yet. Add one:  kouan partner new NAME",
    )


@partner.command()
@click.argument("name")
@click.option("--resume", is_flag=True, help="Open the doors to it again.")
@home_option
def suspend(name: str, resume: bool, home: Path) -> None:
    """Shut every door to a partner; what was taken in before goes on."""
    from gateway.config import load_house
    from gateway.home import change_partner

    load_house(home).partner(name)
    change_partner(home, name, {"suspended": not resume})
    load_house(home)
    say(f"{name} is {'no longer ' if resume else ''}suspended.")
