"""The client carrier: parcels lie in the OutBox of an authority's own client, and are watched until it has spoken.

A parcel is carried when its file lies in SentBox.  In FailBox the client could
not send it: that is told for good, and an operator lets it be given again.
Until one of the two, the carrier says `given` at each look and nothing is
repeated: the client may stand still for hours, as its operators say it does.

**Known limits**: see adapters.carriers.client_boxes; a file that we dropped in
the instant before a crash, and that the client took away and showed nowhere
before we looked again, is dropped a second time under the same name.
"""

import errno
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.threads import deferToThread

from adapters.carriers.carrier import Carried, Parcel
from adapters.carriers.client_boxes import Boxes, Rules

_WORDS = {
    errno.ENOENT: "a box of the client is not there: {trouble}",
    errno.EACCES: "this process may not use a box of the client: {trouble}",
    errno.ENOSPC: "no space is left for the client's OutBox",
}


class ClientCarrier:
    """Carries through the boxes of one client, one group at a time."""

    together = 64
    side_by_side = 1

    def __init__(self, folder: Path, rules: Rules, now: Callable[[], datetime]) -> None:
        """Carry through the boxes below this folder; they may still be missing."""
        self._boxes = Boxes(folder, rules, now)
        self._one_group = DeferredLock()

    def carry(self, parcels: Sequence[Parcel]) -> Deferred[list[Carried]]:
        """Fire with where each parcel stands once all that were given are synced in OutBox."""
        return self._one_group.run(deferToThread, self._carry, tuple(parcels))

    def _carry(self, parcels: tuple[Parcel, ...]) -> list[Carried]:
        try:
            return self._boxes.carry(parcels)
        except Exception as trouble:  # noqa: BLE001  the outermost call: whatever it is, the parcels stay ours
            code = trouble.errno if isinstance(trouble, OSError) else None
            words = _WORDS.get(code or 0, "the client's boxes cannot be used: {trouble}").format(trouble=trouble)
            return [Carried(parcel.number, ok=False, trouble=words) for parcel in parcels]
