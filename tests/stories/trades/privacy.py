"""What persons a partner knows, because his own documents name them; of any other he must not read in full."""

from lxml import etree

_PERSONAL = ("buyerName", "buyerIdNumber", "buyerTelephone", "payerName", "payerIdNumber", "telephone", "consignee",
             "consigneeTelephone", "consigneeAddress")  # fmt: skip


class Persons:
    """Who has named whom."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {}

    def sent(self, partner: str, body: bytes) -> None:
        """The partner has named the persons of this document."""
        root = etree.fromstring(body)
        texts = {str(one.text) for name in _PERSONAL for one in root.iter(f"{{*}}{name}") if one.text}
        self._known.setdefault(partner, set()).update(texts)

    def shown(self, partner: str, body: bytes) -> list[str]:
        """Return what stands in these bytes for the partner and was named by others alone."""
        mine = self._known.get(partner, set())
        others = set().union(*self._known.values()) - mine
        text = body.decode("utf-8", "replace")
        return sorted(one for one in others if one in text and not any(one in known for known in mine))
