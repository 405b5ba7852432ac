"""`kouan spec`: which messages there are, what stands in them, their XSD, and what a revision changed."""

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
    """List and show the message specs; print their XSD and what a revision changed."""


@spec.command("list")
@json_option
def list_specs(as_json: bool) -> None:
    """List every spec: what it is, who may send it, which receipt answers it."""
    from message_specs.catalog import catalog

    rows = [_row(one) for one in sorted(catalog().specs.values(), key=lambda one: one.code)]
    present(as_json, ("code", "title", "english", "document", "senders", "receipt", "signature", "revisions"), rows)


@spec.command("show")
@click.argument("code")
@revision_option
@json_option
def show_spec(code: str, revision: str, as_json: bool) -> None:
    """Show one spec: its key, its rules, and every field in order."""
    from message_specs.sheets import sheet

    found = _found(code)
    rules = [{"use": rule.use, "says": rule.says} | dict(rule.arguments) for rule in found.rules]
    fields = [_field(node) for node in _nodes(_table(found.code, revision))]
    if as_json:
        give(_row(found) | {"revision": revision, "rules": rules, "fields": fields})
        return
    for name, value in _row(found).items():
        click.echo(f"{name}: {' '.join(value) if isinstance(value, list) else '' if value is None else value}")
    click.echo()
    show(
        ("field", "名称", "English", "occurs", "type", "length", "value"),
        [
            (one.path, one.zh, one.en, one.occurs, one.type, one.length, one.value)
            for one in sheet(found.root, revision)
        ],
    )
    click.echo()
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


@spec.command()
@click.argument("code")
@json_option
def diff(code: str, as_json: bool) -> None:
    """Show every field that the two revisions of one spec have differently."""
    from message_specs.catalog import REVISIONS
    from message_specs.sheets import changes
    from message_specs.tables import revisions_of

    found = _found(code)
    before, after = REVISIONS
    known = revisions_of(found.root)
    if known != REVISIONS:
        raise Stop(f"{found.code} was published in revision {known[0]} only: there is nothing to compare.", NOT_FOUND)
    rows = [
        {"path": one.path, "zh": one.zh, "en": one.en, before: one.before or None, after: one.after or None}
        for one in changes(found.root, before, after)
    ]
    present(as_json, ("path", "zh", "en", before, after), rows, f"{found.code} is the same in both revisions.")


def _found(code: str) -> "Spec":
    from gateway.config import near
    from message_specs.catalog import catalog

    found = catalog().called(code)
    if found is None:
        raise Stop(f'There is no spec "{code}". {near(code.upper(), tuple(catalog().specs))}', NOT_FOUND)
    return found


def _table(code: str, revision: str) -> "Node":
    from message_specs.tables import NoTable, table

    try:
        return table(_found(code).root, revision)
    except NoTable:
        raise Stop(f"{code} has no fields in revision {revision}. Try the other --revision.", NOT_FOUND) from None


def _row(one: "Spec") -> dict[str, Any]:
    from message_specs.tables import revisions_of

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
        "follows": one.follows,
        "gives": list(one.gives),
        "revisions": list(revisions_of(one.root)),
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
    told = {word: value for word, value in rule.items() if word not in {"use", "says"}}
    return "; ".join(
        f"{word} = {' '.join(map(str, value)) if isinstance(value, list) else value}" for word, value in told.items()
    )
