"""One group of rows becomes one document in canonical form, with every finding about its cells.

A value that cannot be made stands in the document as it was written, so that the document exists,
has its number, and is refused with every finding at once.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mapping.cells import is_error_value, letters, worded
from mapping.fitting import Unfit
from mapping.plan import Field, Plan
from mapping.reckoning import Draft, Facts
from mapping.rows import Group
from message_specs.document import escaped
from message_specs.findings import Finding, Severity, finding

# What XML cannot carry, what XML must escape, and the mark of a broken conversion.
_SUSPICIOUS: Final = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffd-\uffff\ud800-\udfff]")
_IMPOSSIBLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd-\uffff\ud800-\udfff]")


@dataclass(slots=True)
class Mapped:
    """One document: its ordinal in the file, its canonical text, the rows it was made of, what is wrong with it."""

    ordinal: int
    text: str
    group: Group
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """Whether a finding refuses it."""
        return any(found.severity is Severity.ERROR for found in self.findings)

    @property
    def key(self) -> str:
        """The business key as the rows have it."""
        return " ".join(self.group.key)


class Drafting:
    """Makes documents by one plan; `head_plan` is that of the head sheet where there are two."""

    def __init__(self, plan: Plan, facts: Facts, prefix: str, head_plan: Plan | None = None) -> None:
        self._plan = plan
        self._head_plan = head_plan or plan
        self._facts = facts
        self._head_group = plan.shape.head_group
        self._prefix = prefix
        self._unit = plan.shape.unit
        self._head_tags = self._tags(plan.shape.head)
        self._line_tags = self._tags(plan.shape.lines)
        self._head_cells = [(one.name, one.cell, one) for one in self._head_plan.head_fields if one.cell]
        self._line_cells = [(one.name, one.cell, one) for one in plan.line_fields if one.cell]
        reckoned = {one.path: one for one in (*self._head_plan.reckoned, *plan.reckoned)}
        self._reckoned = [reckoned[one.path] for one in plan.reckoned if one.path in reckoned]
        self._read = _read_columns(plan)
        self._head_read = _read_columns(self._head_plan)

    def _tags(self, names: Iterable[str]) -> list[tuple[str, str, str]]:
        return [(name, f"<{self._prefix}:{name}>", f"</{self._prefix}:{name}>") for name in names]

    def document(self, group: Group, ordinal: int) -> Mapped:
        """The document of this group."""
        made = Mapped(ordinal, "", group)
        rows = group.rows if group.head is None else [group.head[1], *group.rows]
        draft = Draft(self._facts, self._head_group, rows=rows)
        head_row, head_cells = group.head or (group.numbers[0], group.rows[0])
        self._fill(made, draft.head, self._head_cells, head_cells, head_row)
        if self._plan.shape.list_group:
            for number, cells in zip(group.numbers, group.rows, strict=False):
                values: dict[str, str] = {}
                draft.lines.append(values)
                self._fill(made, values, self._line_cells, cells, number)
        for one in self._reckoned:
            self._reckon(made, draft, one, head_cells)
        joined = "\n".join(["\t".join(cells) for cells in rows])
        is_careful = _SUSPICIOUS.search(joined) is not None
        if is_careful:
            self._cleanse(made, draft)
        if "#" in joined:
            self._tell_errors(made)
        made.text = self._written(draft, is_careful=is_careful)
        if group.findings:
            made.findings += group.findings
        return made

    @staticmethod
    def _fill(
        made: Mapped,
        values: dict[str, str],
        fields: Sequence[tuple[str, Callable[[Sequence[str]], str | None] | None, Field]],
        cells: Sequence[str],
        number: int,
    ) -> None:
        for name, step, one in fields:
            try:
                value = step(cells)  # type: ignore[misc]  # fields without a step are left out
            except Unfit as unfit:
                made.findings.append(_said(unfit, one, cells, number))
                value = cells[one.column or 0]
            if value:
                values[name] = value

    def _reckon(self, made: Mapped, draft: Draft, one: Field, head_cells: Sequence[str]) -> None:
        group = made.group
        places = range(len(draft.lines)) if one.is_line else (-1,)
        for line in places:
            cells = group.rows[line] if one.is_line else head_cells
            values = draft.lines[line] if one.is_line else draft.head
            if one.name in values:
                continue
            number = group.numbers[line] if one.is_line else (group.head or (group.numbers[0], None))[0]
            for step in one.steps:
                try:
                    value = step(cells, draft, line)
                except Unfit as unfit:
                    made.findings.append(_said(unfit, one, cells, number))
                    value = cells[one.column] if one.column is not None else None
                if value:
                    values[one.name] = value
                    break

    def _tell_errors(self, made: Mapped) -> None:
        """An error value that stands as a text is told at its cell, and nothing else is said of that cell."""
        group = made.group
        rows = [(number, cells, self._read) for number, cells in zip(group.numbers, group.rows, strict=False)]
        if group.head is not None:
            rows.insert(0, (*group.head, self._head_read))
        found = {
            f"{letters(column)}{number}": (path, number, cells[column])
            for number, cells, read in rows
            for column, path in read.items()
            if is_error_value(cells[column])
        }
        told = {one.cell for one in group.findings if one.code == "M037"}
        made.findings = [one for one in made.findings if one.cell not in found] + [
            finding("M037", path=path, row=number, cell=cell, value=value, name=cell)
            for cell, (path, number, value) in found.items()
            if cell not in told
        ]

    def _cleanse(self, made: Mapped, draft: Draft) -> None:
        """What XML cannot carry is a finding, and a mark in its place."""
        group = made.group
        head_row = group.head[0] if group.head else group.numbers[0]
        places = [(draft.head, head_row, self._head_group)]
        places += [(line, group.numbers[n], self._plan.shape.list_group) for n, line in enumerate(draft.lines)]
        for values, number, place in places:
            for name, value in values.items():
                if (found := _IMPOSSIBLE.search(value)) is None:
                    continue
                values[name] = _IMPOSSIBLE.sub("\ufffd", value)
                path = f"{place}/{name}".lstrip("/")
                column = self._plan.columns.get(path, self._head_plan.columns.get(path))
                node = self._plan.shape.node(path)
                made.findings.append(
                    finding(
                        "M034", path=path, row=number, value=values[name], character=f"U+{ord(found[0]):04X}",
                        name=name, title=node.zh if node else "",
                        cell=None if column is None else f"{letters(column)}{number}",
                    )
                )  # fmt: skip

    def _written(self, draft: Draft, *, is_careful: bool) -> str:
        prefix = self._prefix
        parts = [f"<{prefix}:{self._unit}>"]
        if self._head_group:
            parts.append(f"<{prefix}:{self._head_group}>")
        self._leaves(parts, self._head_tags, draft.head, is_careful=is_careful)
        if self._head_group:
            parts.append(f"</{prefix}:{self._head_group}>")
        group = self._plan.shape.list_group
        # Where a document may be without lines, rows that say nothing of them are not empty lines.
        lines = draft.lines if self._plan.shape.least_lines or any(draft.lines) else []
        for line in lines:
            parts.append(f"<{prefix}:{group}>")
            self._leaves(parts, self._line_tags, line, is_careful=is_careful)
            parts.append(f"</{prefix}:{group}>")
        parts.append(f"</{prefix}:{self._unit}>")
        return "".join(parts)

    @staticmethod
    def _leaves(
        parts: list[str], tags: list[tuple[str, str, str]], values: dict[str, str], *, is_careful: bool
    ) -> None:
        for name, opening, closing in tags:
            if name in values:
                value = values[name]
                parts += (opening, escaped(value) if is_careful else value, closing)


def _read_columns(plan: Plan) -> dict[int, str]:
    """The columns that documents are made of, each with a path that it fills; a key may fill none."""
    read = dict.fromkeys((*plan.key_columns, *plan.head_columns), "")
    read |= {one.column: one.path for one in (*plan.head_fields, *plan.line_fields) if one.column is not None}
    return read


def _said(unfit: Unfit, one: Field, cells: Sequence[str], number: int) -> Finding:
    cell = None if one.column is None else f"{letters(one.column)}{number}"
    value = None if one.column is None else cells[one.column]
    words = unfit.words | {"name": one.name, "title": one.node.zh}
    return worded(unfit.code, words, path=one.path, row=number, cell=cell, value=value)
