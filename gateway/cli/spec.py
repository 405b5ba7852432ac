"""`kouan spec`: which messages there are, what stands in them, and their XSD."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.options import json_option
from gateway.cli.talk import NOT_FOUND, Stop, give, present, show

if TYPE_CHECKING:
    from message_specs.spec import Spec
    from message_specs.tables import Node

revision_option = click.option(
    "--revision", type=click.Choice(["2018", "202205"]), default="202205", show_default=True, help="Of the fields."
)


@click.group()
def spec() -> None:
    """List and show the message specs; print their XSD."""


@spec.command("list")
@json_option
def list_specs(as_json: bool) -> None:
    """List every spec: what it is, who may send it, which receipt answers it."""
    from message_specs.catalog import catalog

    rows = [_row(one) for one in sorted(catalog().specs.values(), key=lambda one: one.code)]
    present(as_json, ("code", "title", "english", "document", "senders", "receipt", "signature"), rows)


@spec.command("show")
@click.argument("code")
@revision_option
@json_option
def show_spec(code: str, revision: str, as_json: bool) -> None:
    """Show one spec: its key, its rules, and every field in order."""
    found = _found(code)
    rules = [{"use": rule.use, "says": rule.says} | dict(rule.arguments) for rule in found.rules]
    fields = [_field(node) for node in _nodes(_table(found.code, revision))]
    if as_json:
        give(_row(found) | {"revision": revision, "rules": rules, "fields": fields})
        return
    for name, value in _row(found).items():
        click.echo(f"{name}: {' '.join(value) if isinstance(value, list) else '' if value is None else value}")
    show(
        ("field", "zh", "occurs", "type", "length"),
        [[field[name] for name in ("path", "zh", "occurs", "type", "length")] for field in fields],
    )
    show(
        ("says", "use", "about"),
        [(rule["says"], rule["use"], _about(rule)) for rule in rules],
        "No rules beyond the fields.",
    )


@spec.command()
@click.argument("code")
@revision_option
def xsd(code: str, revision: str) -> None:
    """Print the XSD compiled from the field table of one spec."""
    from message_specs.schema import xsd_text

    found = _found(code)
    _table(found.code, revision)
    click.echo(xsd_text(found.root, revision))


def _found(code: str) -> "Spec":
    from gateway.config import near
    from message_specs.catalog import catalog

    specs = catalog().specs
    found = specs.get(code.upper().removesuffix("MESSAGE"))
    if found is None:
        raise Stop(f'There is no spec "{code}". {near(code.upper(), tuple(specs))}', NOT_FOUND)
    return found


def _table(code: str, revision: str) -> "Node":
    from message_specs.tables import NoTable, table

    try:
        return table(_found(code).root, revision)
    except NoTable:
        raise Stop(f"{code} has no fields in revision {revision}. Try the other --revision.", NOT_FOUND) from None


def _row(one: "Spec") -> dict[str, Any]:
    return {
        "code": one.code,
        "family": one.family,
        "title": one.title,
        "english": one.english,
        "root": one.root,
        "document": one.document,
        "key": list(one.key),
        "senders": list(one.senders),
        "receipt": one.receipt,
        "answers": one.answers,
        "signature": one.signature,
        "since": one.since.isoformat() if one.since else None,
    }


def _nodes(node: "Node") -> Iterator["Node"]:
    yield from node.attributes
    for child in node.children:
        yield child
        yield from _nodes(child)


def _field(node: "Node") -> dict[str, Any]:
    lengths = [node.min_length, node.max_length]
    length = str(node.length) if node.length else "..".join("" if one is None else str(one) for one in lengths)
    if node.total_digits:
        length = f"{node.total_digits},{node.fraction_digits or 0}"
    most = "*" if node.maximum is None else str(node.maximum)
    occurs = most if str(node.minimum) == most else f"{node.minimum}..{most}"
    return {
        "path": node.path,
        "zh": node.zh,
        "occurs": occurs,
        "type": node.base,
        "length": length.strip(".") if length == ".." else length,
        "fixed": node.fixed,
        "default": node.default,
    }


def _about(rule: dict[str, Any]) -> str:
    return "; ".join(f"{word} = {value}" for word, value in rule.items() if word not in {"use", "says"})
