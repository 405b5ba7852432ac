"""Taxpayers: who declares to the tax office, for which scheme and from which day, as the table enterprises files him.

Which scheme holds for an export is told by the day of that export, not by the day on which it is declared: a firm that
changed from exempt exports to refunds in July is refunded nothing of June.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from message_specs.tax.laws import Row, holds
from spool.errors import ForOperator


class NotATaxpayer(ForOperator):
    """No row of the tax table enterprises names this taxpayer for this scheme on this day"""


@dataclass(frozen=True, slots=True)
class Taxpayer:
    """Who declares: number and name at the tax office, by which codes customs knows him, his rows of the table."""

    number: str
    name: str
    codes: frozenset[str]
    rows: tuple[Row, ...] = ()

    def is_filed(self, on: date) -> bool:
        """Whether the scheme was his on that day."""
        return any(holds(row, on) for row in self.rows)

    def zone(self, on: date) -> str:
        """The pilot zone in which he was filed on that day, "" where in none."""
        return next((row["zone"] for row in self.rows if holds(row, on)), "")

    def districts(self, on: date) -> frozenset[str]:
        """The customs of his zone on that day."""
        return frozenset(word for row in self.rows if holds(row, on) for word in row["customs"].split())


def taxpayer_of(rows: Sequence[Row], taxpayer: str, scheme: str, until: date) -> Taxpayer:
    """Return the taxpayer as he is filed for a scheme until a day; NotATaxpayer where he never was."""
    ours = [row for row in rows if row["taxpayer"] == taxpayer and row["scheme"] == scheme]
    mine = sorted((row for row in ours if row["since"] <= until.isoformat()), key=lambda row: row["since"])
    if not mine:
        raise NotATaxpayer(f"{taxpayer} {scheme} {until}")
    codes = frozenset({taxpayer, *(row["code"] for row in mine)})
    return Taxpayer(taxpayer, mine[-1]["name"], codes, tuple(mine))
