"""Where a field of a paper stands in its message: a paper knows its fields by their last step only."""

from collections.abc import Mapping
from functools import cache

from message_specs.catalog import catalog
from message_specs.tables import revisions_of
from message_specs.tables import table as field_table


@cache
def fields(spec: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The fields of the head and of a line of that spec, in any revision: name and the group it stands in.

    >>> head, lines = fields("CEB311")
    >>> head["orderNo"], lines["qty"], fields("CEB505")[0]["logisticsNo"]
    ('OrderHead', 'OrderList', '')
    """
    one = catalog().specs[spec]
    head: dict[str, str] = {}
    lines: dict[str, str] = {}
    for revision in revisions_of(one.root):
        unit = next(child for child in field_table(one.root, revision).children if child.name == one.document)
        for child in unit.children:
            if not child.is_group:
                head[child.name] = ""
            for leaf in child.children:
                (lines if "List" in child.name else head)[leaf.name] = child.name
    return head, lines


def path_of(spec: str, name: str, key: str, line: int | None = None) -> str:
    """The path of a field in its message, the document named by its key; `line` counts from 1.

    >>> path_of("CEB311", "qty", "A1", 2)
    "/CEB311Message/Order[orderNo='A1']/OrderList[2]/qty"
    >>> path_of("CEB505", "logisticsNo", "")
    '/CEB505Message/Logistics/logisticsNo'
    """
    one = catalog().specs[spec]
    head, lines = fields(spec)
    unit = f"/{one.root}/{one.document}" + (f"[{one.key_name}='{key}']" if key and "'" not in key else "")
    if line is not None:
        return f"{unit}/{lines.get(name, 'List')}[{line}]/{name}"
    group = head.get(name, "")
    return f"{unit}/{group}/{name}" if group else f"{unit}/{name}"
