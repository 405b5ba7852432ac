"""The tables of the documents that follow from the code.

`python -m tests.drift.documents` writes them, and tests compare them.

A document holds each table between two marks, `<!-- generated: NAME -->` and `<!-- end: NAME -->`.
What stands between them is nobody's text; what stands around them is never touched.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from tests.drift import trade_tables

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)
MANUALS = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("decisions/*.md")))
KEY = re.compile(r"(?:# )?(?P<key>\w+) = (?P<value>.*)")
SECTION = re.compile(r"(?:# )?\[\[?(?P<name>[\w.]+)\]\]?$")
PHRASES = {
    "received": ("已接收", "已落盘存证"),
    "checked": ("已校验", "属已知规范，且内容合格"),
    "filed": ("已归卷", "已入卷宗，等待同一交易的其他单证，有期限"),
    "ready": ("待发", "已装入报文并签名，列入待发"),
    "sent": ("已报", "监管方已收下报文"),
    "closed": ("办结", "最终回执已交伙伴"),
    "refused": ("退回", "须由伙伴改正；问题已一次全部告知"),
    "held": ("扣留", "须由运维人员决定；原因已签注"),
}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, `kouan partner new` too."""
    from gateway.cli import menu

    yield from _below("kouan", menu)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _below(f"{name} {each}", found)
    else:
        yield name, command


def options(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of a command that a person may give."""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            yield parameter


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return the rows as a table of Markdown."""
    lines = ["| " + " | ".join(columns) + " |"]
    lines.append("|" + " --- |" * lines[0].count(" | ") + " --- |")
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    text = " ".join(str(value).replace("|", "\\|").split())
    return text if text.startswith("`") else text.replace("&", "&amp;").replace("<", "&lt;")


def command_list() -> str:
    """Every command, its arguments, what it does, and each option with its meaning and default."""
    parts = []
    for name, command in commands():
        context = click.Context(command)
        arguments = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
        said = " ".join((command.help or "").split())
        parts.append(f"### `{' '.join([name, *arguments])}`\n\n{said}\n")
        rows = [(f"`{_names(one)}`", _meaning(one)) for one in options(command)]
        if rows:
            parts.append(table(("option", "meaning"), rows))
    return "\n".join(parts)


def _names(option: click.Option) -> str:
    names = ", ".join(option.opts + option.secondary_opts)
    return names if option.is_flag else f"{names} {option.make_metavar(click.Context(click.Command('kouan')))}"


def _meaning(option: click.Option) -> str:
    more = " Required." if option.required else ""
    more += " May be given several times." if option.multiple else ""
    shown = option.show_default and option.default is not None and not option.is_flag
    return f"{option.help or ''}{more}" + (f" Default: `{option.default}`." if shown else "")


def keys_of(file: str) -> dict[tuple[str, ...], str]:
    """Return every key that a sample file shows, also as a comment, with what the comment above it says."""
    section: tuple[str, ...] = ()
    found: dict[tuple[str, ...], str] = {}
    said: list[str] = []
    for line in (ROOT / "conf" / file).read_text("utf-8").splitlines():
        if heading := SECTION.match(line):
            section = tuple(heading["name"].split("."))
            found[section] = " ".join(said)
            said = []
        elif key := KEY.match(line):
            meaning = " ".join(said) or (list(found.values())[-1] if found else "")
            found[(*section, key["key"])] = meaning
            said = []
        elif line.startswith("#"):
            said.append(line.removeprefix("#").strip())
        else:
            said = []
    return found


def configuration(file: str, shape: type[msgspec.Struct]) -> str:
    """Every key of one kind of file with its meaning and default."""
    from gateway.config import settings

    meanings = keys_of(file)
    rows = []
    for way in settings(shape):
        meaning = meanings.get(way) or meanings.get(way[:1], "")
        rows.append((f"`{'.'.join(way)}`", _default(shape, way), meaning))
    return table(("key", "default", "meaning"), rows)


def _default(shape: type[msgspec.Struct], way: tuple[str, ...]) -> str:
    from gateway.config_shapes import struct_of

    field = next(one for one in msgspec.structs.fields(shape) if one.encode_name == way[0])
    below = struct_of(field.type)
    if below is not None and len(way) > 1:
        return _default(below, way[1:])
    if field.required:
        return "required"
    value: Any = field.default_factory() if field.default is msgspec.NODEFAULT else field.default  # type: ignore[operator]
    value = list(value) if isinstance(value, tuple) else value
    return "none" if value is None else f"`{msgspec.json.encode(value).decode()}`"


def findings() -> str:
    """Every finding with its severity, who mends it, both wordings and the remedy."""
    from message_specs.findings import wordings

    rows = [(f"`{one.code}`", one.severity, one.mender, one.zh, one.en, one.hint) for one in wordings().values()]
    return table(("code", "severity", "mender", "中文", "English", "办法 remedy"), rows)


def states() -> str:
    """Every state, its promise, and which states may follow."""
    from spool.states import MOVES, PROMISES, State

    rows = []
    for state in State:
        zh, promise = PHRASES[state]
        order = [f"`{after}`" for after in State if after in MOVES[state]]
        rows.append((f"`{state}` {zh}", PROMISES[state], promise, " ".join(order) or "–"))
    return table(("state", "what is promised", "承诺", "may become"), rows)


def specs() -> str:
    """Every spec: who may send it, how it is named, which receipt answers it."""
    from message_specs.catalog import catalog

    rows = []
    for one in sorted(catalog().specs.values(), key=lambda one: one.code):
        key = " + ".join(path.rpartition("/")[2] for path in one.key)
        senders = ", ".join(one.senders) or "–"
        rows.append((f"`{one.code}`", one.title, one.english, senders, key, one.receipt or "–", one.signature))
    return table(("spec", "名称", "English", "senders", "business key", "receipt", "signature"), rows)


def statuses() -> str:
    """What each status of a receipt means and whether more is to come."""
    from message_specs import codes

    rows = []
    for line in (Path(codes.__file__).parent / "codes/receipt_status.csv").read_text("utf-8").splitlines()[1:]:
        spec, status, zh, *english, outcome = line.split(",")
        rows.append((spec, f"`{status}`", zh, ",".join(english).strip('"'), outcome))
    return table(("spec", "returnStatus", "含义", "meaning", "outcome"), rows)


def routes() -> str:
    """Every address of the HTTP door."""
    import json

    from adapters.doors.http_api import OPENAPI

    described = json.loads(OPENAPI.read_text("utf-8"))["paths"]
    rows = []
    for path, methods in described.items():
        for method, told in methods.items():
            answers = " ".join(told["responses"])
            token = "no" if told.get("security") == [] else "yes"
            names = ", ".join(one["name"] for one in told.get("parameters", ()))
            rows.append((f"`{method.upper()} {path}`", told["summary"], names or "–", token, answers))
    return table(("route", "what", "parameters", "token", "answers"), rows)


def refusals() -> str:
    """Everything that the HTTP door says instead of doing what was asked."""
    from adapters.doors.http_refusals import REFUSALS

    rows = [
        (f"`{one.code}`", one.status, one.zh, one.en, ", ".join(name for name, _ in one.headers) or "–")
        for one in REFUSALS
    ]
    return table(("code", "status", "中文", "English", "headers"), rows)


def behaviours() -> str:
    """Every misbehaviour that the customs in a box can be asked for."""
    from adapters.simulators.behaviours import NAMES

    rows = [(f"`{name}`", said) for name, said in NAMES.items()]
    return table(("behaviour", "what it does (argument when none is given)"), rows)


def identity_behaviours() -> str:
    """Every misbehaviour that the verification service in a box can be asked for."""
    from adapters.simulators.identity_behaviours import NAMES

    rows = [(f"`{name}`", said) for name, said in NAMES.items()]
    return table(("behaviour", "what it does (argument when none is given)"), rows)


def payment_behaviours() -> str:
    """Every misbehaviour that customs' caller of notice 179 in a box can be asked for."""
    from adapters.simulators.payment_data_behaviours import NAMES

    rows = [(f"`{name}`", said) for name, said in NAMES.items()]
    return table(("behaviour", "what it does (argument when none is given)"), rows)


def identity_answers() -> str:
    """Every code of every verification service, and the verdict it means."""
    from adapters.identity_dialects import answers

    rows = [(f"`{row['dialect']}`", f"`{row['path']}`", f"`{row['code']}`", row["verdict"], row["note"] or "–")
            for row in answers()]  # fmt: skip
    return table(("dialect", "path", "code", "verdict", "note"), rows)


def verbs() -> str:
    """Every verb of maps: whether it takes an argument, and what it gives."""
    from mapping.plan import VERBS
    from mapping.reckoning import DRAFT_VERBS
    from mapping.verbs import CELL_VERBS

    words = {"none": "–", "may": "可有 may", "must": "必填 must"}
    rows = []
    for name in VERBS:
        one = CELL_VERBS.get(name) or DRAFT_VERBS.get(name)
        column = "–" if name not in CELL_VERBS else "必填 must"
        if one is None:
            rows.append((f"`{name}`", "–", "必填 must", "拼接：`{标题}{标题}`", "several cells put together"))
        else:
            rows.append((f"`{name}`", column, words[one.argument], one.zh, one.en))
    return table(("verb", "column", "argument", "含义", "meaning"), rows)


def shipped_maps() -> str:
    """Every map that comes with Kouan."""
    from mapping.map_check import load_map
    from mapping.table import fetch_shipped, shipped

    rows = []
    for name in shipped():
        used, _ = load_map(name, fetch_shipped(name) or "")
        assert used is not None
        rows.append((f"`{name}`", f"`{used.spec.code}`", used.title))
    return table(("map", "spec", "名称"), rows)


def _of_law(name: str) -> str:
    return table(*trade_tables.columns_and_rows(name))


def _shapes() -> dict[str, Callable[[], str]]:
    from gateway.config import Authority, Kouan, Partner

    return {
        "configuration-kouan": lambda: configuration("kouan.toml", Kouan),
        "configuration-partner": lambda: configuration("partners/shop.toml", Partner),
        "configuration-authority": lambda: configuration("authorities/customs.toml", Authority),
    }


def blocks() -> dict[str, Callable[[], str]]:
    """Return every table by its name."""
    return {
        "behaviours": behaviours,
        "commands": command_list,
        "findings": findings,
        "identity-answers": identity_answers,
        "identity-behaviours": identity_behaviours,
        "payment-behaviours": payment_behaviours,
        "maps": shipped_maps,
        "refusals": refusals,
        "routes": routes,
        "specs": specs,
        "states": states,
        "statuses": statuses,
        "verbs": verbs,
        **{name: partial(_of_law, name) for name in trade_tables.NAMES},
        **_shapes(),
    }


def rewritten(text: str) -> str:
    """Return a document with each of its tables as the code has it at this moment."""
    known = blocks()
    return BLOCK.sub(lambda found: f"{found[1]}\n{known[found['name']]()}\n{found[3]}", text)


def main() -> None:
    """Every document holds its tables as the code has them; the names of changed files stand on stdout."""
    from tests.drift.spec_pages import FOLDER, pages

    FOLDER.mkdir(exist_ok=True)
    for page in sorted(set(FOLDER.glob("*.md")) - set(pages())):
        page.unlink()
    for file, fresh in [(file, rewritten(file.read_text("utf-8"))) for file in MANUALS] + list(pages().items()):
        if not file.exists() or fresh != file.read_text("utf-8"):
            file.write_text(fresh, "utf-8")
            sys.stdout.write(f"{file.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
