"""Once: an export stands in one declaration, and of a purchase no more is declared than there is.

Held against each other are a declaration and all others that name the same exports or invoices and were not refused.
How much an invoice line holds is known where it was loaded; where it is not, one declaration alone may name it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from message_specs.amounts import amount, number
from message_specs.findings import Finding, finding

Texts = Mapping[str, str]
Place = tuple[str, int]


def uses(lines: Iterable[Texts]) -> dict[Place, Decimal]:
    """How much of which line of which invoice these lines use.

    >>> uses([{"jhpzh": "V", "pzhh": "1", "sl": "2"}, {"jhpzh": "V", "pzhh": "1", "sl": "3"}, {"ckrq": "20261121"}])
    {('V', 1): Decimal('5')}
    """
    found: dict[Place, Decimal] = {}
    for one in lines:
        if one.get("jhpzh"):
            place = _place(one)
            found[place] = found.get(place, Decimal(0)) + amount(one.get("sl"))
    return found


def exported(line: Texts) -> str:
    """Under which number an export stands in a declaration, "" for a line of another kind.

    >>> exported({"ckhwbgdh": "290120260000012345001"}), exported({"invtNo": "29102026E000000001", "gnum": "2"})
    ('290120260000012345001', '29102026E000000001002')
    """
    if line.get("invtNo"):
        return f"{line['invtNo'].strip()}{int(amount(line.get('gnum'))):03d}"
    return line.get("ckhwbgdh", "").strip() or line.get("dlzm", "").strip()


def used_before(
    mine: Sequence[Texts], others: Iterable[Sequence[Texts]], wholes: Mapping[Place, Decimal]
) -> Iterator[Finding]:
    """Yield what another declaration has declared already; `wholes` is how much of an invoice line there is."""
    theirs = [line for lines in others for line in lines]
    exports = {exported(line) for line in theirs} - {""}
    for row, line in enumerate([line for line in mine if exported(line)], 1):
        if exported(line) in exports:
            there = f"ExemptionList[{row}]/invtNo" if line.get("invtNo") else f"ExportList[{row}]/ckhwbgdh"
            yield finding("X107", path=there, value=exported(line), names=exported(line))
    used = uses(theirs)
    rows: dict[Place, int] = {}
    for row, line in enumerate([line for line in mine if line.get("jhpzh")], 1):
        rows.setdefault(_place(line), row)
    for place, asked in uses(mine).items():
        before, whole = used.get(place, Decimal(0)), wholes.get(place)
        names, where = f"{place[0]}/{place[1]}", f"PurchaseList[{rows[place]}]/jhpzh"
        if whole is not None and before + asked > whole:
            found, most = number(before + asked), number(whole)
            yield finding("X141", path=where, value=place[0], names=names, found=found, expected=most)
        elif whole is None and before:
            yield finding("X107", path=where, value=place[0], names=names)


def _place(line: Texts) -> Place:
    return line["jhpzh"].strip(), int(amount(line.get("pzhh")))
