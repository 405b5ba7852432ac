"""How a story is told: everything that lies in the partners' folders, a line a document and a line a finding.

Nothing that a partner can see is left out but the English words and the hints, which follow from the code and the same
values (tests/message_specs hold both), and numbers and times that differ from run to run.
"""

import json
from collections.abc import Mapping
from typing import Any

from lxml import etree

_QUIET = ("guid", "returnTime", "customsCode", "ebpCode", "ebcCode", "agentCode", "payCode", "logisticsCode",
          "assureCode")  # fmt: skip


def told(path: str, body: bytes) -> list[str]:
    """Return the lines for one file of the partners' folders, `shop/out/261123….CEB312.xml`."""
    partner, folder, name = path.split("/", 2)
    if folder == "in":
        return [f"  {partner}/in keeps {name}"]
    head = f"  {partner}/{folder}"
    if name.endswith(".ack.json"):
        return _acknowledged(head, json.loads(body))
    if name.endswith(".notice.json"):
        return _noticed(head, json.loads(body))
    if name.endswith(".xml"):
        return [f"{head} {line}" for line in units(body)]
    return [f"{head} {name}", *(f"    {line}" for line in body.decode().splitlines() if line)]


def units(body: bytes) -> list[str]:
    """Return the units of a message of customs: `CEB312 orderNo=YX1 returnStatus=120 returnInfo=…`."""
    root = etree.fromstring(body)
    name = etree.QName(root).localname.removesuffix("Message")
    return [f"{name} {_leaves(unit)}" for unit in root if len(unit)]


def _leaves(unit: etree._Element) -> str:
    said = []
    for one in unit:
        if len(one):
            said.append(f"[{_leaves(one)}]")
        elif (name := etree.QName(one).localname) not in _QUIET:
            said.append(f"{name}={one.text or ''}")
    return " ".join(said)


def _acknowledged(head: str, body: Mapping[str, Any]) -> list[str]:
    rest = {name: value for name, value in body.items() if name not in _SHOWN and value is not None}
    documents = [f"{one['spec']} {one['key']} {one['state']}" for one in body["documents"]]
    more = f" {json.dumps(rest, ensure_ascii=False)}" if rest else ""
    return [f"{head} ack {body['file']}: {'; '.join(documents) or '-'}{more}", *_found(body["findings"])]


_SHOWN = ("number", "file", "documents", "findings", "received_at", "sha256", "partner", "door", "size")


def _noticed(head: str, body: Mapping[str, Any]) -> list[str]:
    return [f"{head} notice {body['spec']} {body['key']}", *_found(body["findings"])]


def _found(findings: list[dict[str, Any]]) -> list[str]:
    return [
        f"    {one['code']} {one['severity']} {one.get('path') or '-'} {one['zh']}{_values(one)}" for one in findings
    ]


def _values(finding: Mapping[str, Any]) -> str:
    pairs = [f"{name}={finding[name]}" for name in ("found", "expected") if finding.get(name) not in (None, "")]
    return f" ({' '.join(pairs)})" if pairs else ""


def trade(facts: Mapping[str, Any]) -> list[str]:
    """Return a dossier as the operator sees it, a line a document and a line for whatever else is to be told."""
    key = f"{facts['platform']}|{facts['order']}"
    lines = [f"dossier {key} {facts['mode'] or '-'} {facts['phase']} {facts['why'] or '-'}"]
    if said := facts["customs"]:
        allowed = [name for name in ("may_correct", "may_cancel", "may_refund") if said[name]]
        lines.append(f"  {said['zh']} {said['invt_no'] or '-'} {' '.join(allowed) or 'nothing may follow'}")
    for one in facts["documents"]:
        status = f"{one['status'] or '-'} {one['status_zh'] or '-'}"
        why = f" ({one['why']})" if one["why"] else ""
        lines.append(f"  {one['kind']} {one['spec']} {one['key']} v{one['version'] or '-'} of {one['partner']}: "
                     f"{one['state']} {status}{why}")  # fmt: skip
        lines.append(f"    {'; '.join(_stamp(stamp) for stamp in one['stamps'])}")
    if gathered := facts["aggregation"]:
        lines.append(f"  aggregation: {gathered['state']} {gathered['verdict'] or '-'}")
    for name in ("lacking", "silences", "findings", "tax", "returns", "windows"):
        if facts[name]:
            lines.append(f"  {name}: {_short(facts[name])}")
    return lines


def _short(facts: Any) -> str:
    """Return the facts without what follows from them: English words, hints, empty things."""
    if isinstance(facts, Mapping):
        kept = {name: value for name, value in facts.items() if name not in ("en", "hint") and value not in (None, [])}
        return "{" + ", ".join(f"{name}: {_short(value)}" for name, value in kept.items()) + "}"
    if isinstance(facts, list | tuple):
        return "[" + ", ".join(_short(one) for one in facts) + "]"
    return str(facts)


def _stamp(one: Mapping[str, Any]) -> str:
    reason = f" ({one['reason']})" if one["reason"] and not one["reason"].startswith("customs ") else ""
    after = "" if one["from"] == one["to"] else f" {one['to']}"
    return f"{one['desk']}{after}{reason}"


def booked(line: Mapping[str, Any]) -> str:
    """Return a trade as customs' own book has it."""
    tax = line["tax"]
    taxes = ("customsTax", "valueAddedTax", "consumptionTax")
    levied = f"{'/'.join(tax[name] for name in taxes)} status {tax['status']}" if tax else "-"
    back = "; ".join(f"{one['copNo']} {json.dumps(one['lines'])}" for one in line["refunds"]) or "-"
    return (f"customs {line['order']}: {line['state']} {line['invtNo'] or '-'} "
            f"inventory {line['inventory'] or '-'} tax {levied} back {back}")  # fmt: skip
