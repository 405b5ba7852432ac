"""The pages under docs/specs/: one for each spec and one that lists them, whole files that follow from the tables.

`python -m tests.drift.documents` writes them with everything else that is generated; a test compares them.
"""

from collections.abc import Iterator
from pathlib import Path

from message_specs.catalog import REVISIONS, catalog
from message_specs.findings import wordings
from message_specs.sheets import changes, sheet
from message_specs.spec import Rule, Spec
from message_specs.tables import revisions_of
from tests.drift.documents import DOCS, ROOT, table

FOLDER = DOCS / "specs"
NOTE = "<!-- This page is generated from message_specs/: python -m tests.drift.documents -->\n"
ABOUT = """\
Every message that Kouan knows: what stands in it, who may send it, what answers it, which rules it is held to.
本目录列出全部报文：字段、发送方、回执与校验规则。

*occurs* is how often a field stands at its place, *length* the characters of a text (a Chinese character is one) or
the digits of a number and how many of them may follow the point. The same tables: `kouan spec show CEB311`,
`kouan spec diff CEB311`, `kouan spec xsd CEB311`.
"""


def pages() -> dict[Path, str]:
    """Return every page by its file."""
    specs = sorted(catalog().specs.values(), key=lambda one: one.code)
    found = {FOLDER / f"{one.code}.md": _page(one) for one in specs}
    rows = [
        (f"[{one.code}]({one.code}.md)", one.title, one.english, _senders(one), _answer(one), " ".join(_published(one)))
        for one in specs
    ]
    columns = ("spec", "名称", "English", "senders", "answered by", "revisions")
    return {FOLDER / "README.md": f"{NOTE}\n# Specs 报文规范\n\n{ABOUT}\n{table(columns, rows)}"} | found


def _published(spec: Spec) -> tuple[str, ...]:
    return revisions_of(spec.root)


def _senders(spec: Spec) -> str:
    return ", ".join(spec.senders) or "–"


def _answer(spec: Spec) -> str:
    return f"[{spec.receipt}]({spec.receipt}.md)" if spec.receipt else "–"


def _page(spec: Spec) -> str:
    parts = [f"{NOTE}\n# {spec.code} {spec.title} {spec.english}\n", "\n".join(_facts(spec)) + "\n"]
    parts += [f"## Fields 字段\n\nRevision {_published(spec)[-1]}.\n", _fields(spec)]
    if _published(spec) == REVISIONS:
        parts += ["## Revisions 版本差异\n", _changes(spec)]
    if spec.rules:
        parts += ["## Rules 校验规则\n", _rules(spec)]
    parts += ["## Samples 样例\n", "\n".join(_samples(spec)) + "\n"]
    return "\n".join(parts)


def _facts(spec: Spec) -> Iterator[str]:
    yield f"- root element `{spec.root}`, one document is one `{spec.document}`"
    yield f"- revisions {', '.join(_published(spec))}; since when each holds is for the configuration to say"
    yield f"- business key: {' + '.join(f'`{path}`' for path in spec.key)}"
    if spec.lines_instead:
        yield f"- where the first of these is left out, the `{spec.lines_instead}` of its lines tell it from others"
    if spec.receipt:
        yield f"- sent by {_senders(spec)}; signature {spec.signature}"
        echoed = " + ".join(f"`{path}`" for path in spec.reply_key)
        yield f"- answered by {_answer(spec)}, which finds it by {echoed}"
    if spec.answers:
        yield f"- answers [{spec.answers}]({spec.answers}.md), found by {' + '.join(f'`{path}`' for path in spec.echo)}"
    if spec.follows:
        told = " + ".join(f"`{path}`" for path in spec.echo)
        yield f"- sent by customs unasked; {told} is the number that [{spec.follows}]({spec.follows}.md) gave"
    if spec.gives:
        yield f"- may give its document {', '.join(f'`{name}`' for name in spec.gives)}, by which others may name it"
    for name in spec.fill:
        yield f"- `{name}` is filled by Kouan where it is left out and the message is not signed"
    for spelling, name in spec.also.items():
        yield f"- `{spelling}` is read as `{name}`"


def _fields(spec: Spec) -> str:
    lines = sheet(spec.root, _published(spec)[-1])
    rows = [(f"`{one.path}`", one.zh, one.en, one.occurs, one.type, one.length, one.value) for one in lines]
    return table(("field", "名称", "English", "occurs", "type", "length", "value"), rows)


def _changes(spec: Spec) -> str:
    rows = [(f"`{one.path}`", one.zh, one.before or "–", one.after or "–") for one in changes(spec.root, *REVISIONS)]
    return table(("field", "名称", *REVISIONS), rows) if rows else "The same in both 两版相同。\n"


def _rules(spec: Spec) -> str:
    rows = []
    for rule in spec.rules:
        told = wordings()[rule.says]
        rows.append((rule.says, told.severity, rule.use, _about(rule), told.hint))
    return table(("finding", "severity", "verb", "about", "办法 remedy"), rows)


def _about(rule: Rule) -> str:
    told = []
    for word, value in rule.arguments.items():
        text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        told.append(text if word == "that" else f"{word} {text}")
    return "; ".join(told)


def _samples(spec: Spec) -> Iterator[str]:
    for kind in ("good", "bad"):
        files = sorted((ROOT / "message_specs" / spec.family / "samples" / kind).glob(f"{spec.code}*.xml"))
        named = [file for file in files if file.stem.partition("_")[0] == spec.code]
        links = ", ".join(f"[{file.stem}](../../{file.relative_to(ROOT)})" for file in named)
        yield f"- {kind}: {links}"
