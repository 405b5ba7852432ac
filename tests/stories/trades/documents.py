"""The documents of a story: what a partner drops, from a word, the number of a trade and what is changed in it.

`order 1 amount=2` is the order of trade 1 of tests.samples; with `of=CEB303_warehouse` it is that good sample of
message_specs/ceb/samples with its own number put in.  `name=value` changes the first element of that name, `name#2`
the second, `name*` every one; `name=-` takes it out and `+name=value` adds it at
the end of the head.  `lines=1:2,3:1` are the lines of a return, gnum and quantity;
`only=1,2` keeps those lines of each document alone; `copies=5` are the documents of five trades in one message;
`by=ship` puts that partner into BaseTransfer, and `as=FILE` names the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from lxml import etree

from tests import samples

IMPORTS = {"order": "CEB311", "payment": "CEB411", "waybill": "CEB511", "inventory": "CEB621"}
GIVEN_BACK = {"cancel": "CEB623", "refund": "CEB625"}
EXPORTS = {"order": "CEB303", "payment": "CEB403", "waybill": "CEB505", "inventory": "CEB603"}
PARTIES = {"shop": samples.SHOP, "pay": samples.PAY, "ship": samples.SHIP, "agent": samples.AGENT}
_CEB = "{http://www.chinaport.gov.cn/ceb}"
_EXPORT_NUMBER = b"7001"
_ASKED = ("of", "by", "as", "lines", "only", "mode", "copies")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a line of a story asks for: `agent refund 1 lines=1:2 copNo=KT2`."""

    partner: str
    word: str
    number: int
    values: Mapping[str, str]

    @property
    def told(self) -> str:
        """The name of the file, without its ending."""
        return self.values.get("as", f"{self.word}-{self.number}")


def asked(words: Sequence[str]) -> Asked:
    """Return what these words of a line ask for."""
    partner, word, *rest = words
    number = int(rest.pop(0)) if rest and rest[0].isdigit() else 1
    return Asked(partner, word, number, dict(one.split("=", 1) for one in rest))


def made(one: Asked) -> bytes:
    """Return the message that a line of a story asks for."""
    root = etree.fromstring(_whole(one))
    if lines := one.values.get("lines"):
        _give_back(root, one.number, lines)
    if only := one.values.get("only"):
        for document in {_parent(line) for line in _lines(root)}:
            for place, line in enumerate(_lines(document), 1):
                if str(place) not in only.split(","):
                    document.remove(line)
    if by := one.values.get("by"):
        party = PARTIES[by]
        _change(root, "BaseTransfer/copCode", party.code)
        _change(root, "BaseTransfer/copName", party.title)
        _change(root, "BaseTransfer/dxpId", party.dxp_id)
    for name, value in one.values.items():
        if name.startswith("+"):
            [head] = root.findall(f".//{_CEB}appType/..")
            etree.SubElement(head, f"{_CEB}{name[1:]}").text = value
        elif name not in _ASKED:
            _change(root, name, value)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _whole(one: Asked) -> bytes:
    if sample := one.values.get("of"):
        return _of_number(_sample(sample), one.number)
    if one.word in GIVEN_BACK:
        return _given_back(GIVEN_BACK[one.word], one.number)
    return samples.message(
        IMPORTS[one.word], int(one.values.get("copies", "1")), one.number, mode=one.values.get("mode", "9610")
    )


def _sample(name: str) -> bytes:
    return files("message_specs").joinpath("ceb", "samples", "good", f"{name}.xml").read_bytes()


def _of_number(body: bytes, number: int) -> bytes:
    """Return a sample of an export as that of another trade: 7001 becomes 7000 and the number."""
    return body.replace(_EXPORT_NUMBER, b"%d" % (7000 + number)) if number else body


def _given_back(spec: str, number: int) -> bytes:
    """Return a cancel or a return of the inventory of a trade."""
    values = samples.trade(number)
    root = etree.fromstring(_sample(spec))
    for name, value in (
        ("orderNo", values["orderNo"]), ("logisticsNo", values["logisticsNo"]), ("buyerIdNumber", values["id"]),
        ("buyerName", values["buyer"]), ("buyerTelephone", values["phone"]),
        ("copNo", f"K{'C' if spec == 'CEB623' else 'T'}26{number:014d}"), ("guid", samples.guid(spec[3:], number)),
    ):  # fmt: skip
        _change(root, name, value)
    return etree.tostring(root)


def _give_back(root: etree._Element, number: int, lines: str) -> None:
    values = samples.trade(number)
    first, *rest = _lines(root)
    parent = _parent(first)
    for one in (first, *rest):
        parent.remove(one)
    for line in lines.split(","):
        gnum, qty = line.split(":")
        step = int(gnum) - 1
        told = etree.SubElement(parent, f"{_CEB}InvtRefundList")
        goods = step if f"gcode{step}" in values else 0
        leaves = {"gnum": gnum, "gcode": values[f"gcode{goods}"], "gname": values[f"name{goods}"],
                  "qty": qty, "unit": values[f"unit{goods}"]}  # fmt: skip
        for name, value in leaves.items():
            etree.SubElement(told, f"{_CEB}{name}").text = value


def _lines(root: etree._Element) -> list[etree._Element]:
    return [one for one in root.iter() if isinstance(one.tag, str) and one.tag.endswith("List")]


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _change(root: etree._Element, name: str, value: str) -> None:
    told, _, place = name.rstrip("*").partition("#")
    found = root.findall(".//" + "/".join(_CEB + step for step in told.split("/")))
    assert found, f"{name} is not there"
    for element in found if name.endswith("*") else [found[int(place or 1) - 1]]:
        if value == "-":
            _parent(element).remove(element)
        else:
            element.text = value
