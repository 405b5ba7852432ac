"""The SFTP carrier: parcels appear in a folder of the authority's server, each whole or not at all.

Every parcel is written under a name aside, synced where the server can, and renamed into place.  One that stands
there already with the same bytes has been carried: that is what a cut line or a crash leaves behind.  Parcels of
one group share a connection; where that hangs for a few seconds or is cut, the rest of them are asked for again,
each alone, so that the one to blame is found and holds nobody up but itself.

Known limits: whoever empties the folder must ignore dot files; a parcel that was taken away before we heard that
it had arrived appears a second time under the same name; a server without fsync@openssh.com promises nothing
about a power cut of its own.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.threads import deferToThreadPool

from adapters.carriers.carrier import Carried, Fault, Parcel
from adapters.remote_connection import Daemons, Lines
from adapters.remote_talk import Talk, Wanted
from adapters.remote_wire import NO_SUCH_FILE, OK, Facts, Status
from spool.errors import Told

_SHARE: Final = 16
"""So many parcels are worth a connection of their own."""
_IDLE_SECONDS: Final = 61.0
_HASTE_SECONDS: Final = 5.0
"""So long a group waits for a word of the server; a parcel alone, as long as the configuration says."""


class SftpCarrier:
    """Carries into one folder of one server, over few connections that stay open for a while."""

    together = _SHARE

    def __init__(self, reactor: Any, lines: Lines, folder: str, connections: int) -> None:
        """Nothing is connected yet; `lines` lends at most `connections`."""
        self._reactor = reactor
        self._lines = lines
        self._folder = folder.rstrip("/").encode() if folder != "/" else b""
        self._connections = connections
        self.side_by_side = 4 * connections
        self._pool = Daemons(0, connections, "sftp carrier")
        self._resting: Any = None

    def carry(self, parcels: Sequence[Parcel]) -> Deferred[list[Carried]]:
        """Fire with one result a parcel once all that were carried stand under their names."""
        if not self._pool.started:
            self._pool.start()
        shares = _shares(parcels, self._connections)
        done = gatherResults([self._thread(self._carry, share) for share in shares])
        done.addBoth(self._rest_later)
        return done.addCallback(lambda results: _in_order(parcels, results))

    def close(self) -> None:
        """No connection is open, and whoever waits on one hears so."""
        if self._resting is not None and self._resting.active():
            self._resting.cancel()
        self._lines.close()
        if self._pool.started:
            self._pool.stop()

    def _thread(self, work: Callable[..., Any], *values: object) -> "Deferred[Any]":
        return deferToThreadPool(self._reactor, self._pool, work, *values)

    def _rest_later(self, result: Any) -> Any:
        """Connections that nobody uses are closed when a minute has gone by."""
        if self._resting is not None and self._resting.active():
            self._resting.reset(_IDLE_SECONDS)
        else:
            self._resting = self._reactor.callLater(_IDLE_SECONDS, self._lines.rest)
        return result

    def _carry(self, parcels: Sequence[Parcel]) -> list[Carried]:
        troubles: dict[int, str] = {}
        fit: dict[str, Parcel] = {}
        for index, parcel in enumerate(parcels):
            other = fit.setdefault(parcel.name, parcel)
            if not _is_plain(parcel.name):
                troubles[index] = f"{parcel.name!r} is not the name of a plain visible file"
                fit.pop(parcel.name)
            elif other.body != parcel.body:
                troubles[index] = _other(parcel)
        said: dict[str, str] = {}
        fault: Fault = "road"
        try:
            with self._lines.one() as talk:
                fault = "neighbour" if len(fit) > 1 else "doubt"
                with talk.hurried(_HASTE_SECONDS if len(fit) > 1 else None):
                    self._put(talk, list(fit.values()), said)
        except Exception as trouble:  # noqa: BLE001  the outermost call: whatever it is, the parcels stay ours
            why = str(trouble) if isinstance(trouble, Told) else repr(trouble)
            blamed = dict.fromkeys(fit.keys() - said.keys(), why)
        else:
            blamed = {}
        return [
            _carried(one, blamed[one.name], fault)
            if one.name in blamed and index not in troubles
            else _carried(one, troubles.get(index) or said.get(one.name, ""))
            for index, one in enumerate(parcels)
        ]

    def _put(self, talk: Talk, parcels: Sequence[Parcel], said: dict[str, str]) -> None:
        """What became of each is in `said`, "" for those that stand; of some nothing where the line was cut."""
        missing = []
        stands = []
        for parcel, facts in zip(parcels, talk.facts([self._there(one) for one in parcels]), strict=True):
            if isinstance(facts, Facts):
                stands.append(parcel)
            elif facts.code == NO_SUCH_FILE:
                missing.append(parcel)
            else:
                said[parcel.name] = f"looking for {parcel.name}: {facts}"
        for parcel in stands:
            said[parcel.name] = self._held_against(talk, parcel)
        written = talk.write([(self._aside(one), one.body) for one in missing])
        whole = [one for one, status in zip(missing, written, strict=True) if status.code == OK]
        moves = [(self._aside(one), self._there(one)) for one in whole]
        moved = dict(zip([one.name for one in whole], talk.move(moves, replacing=True), strict=True))
        spoilt = []
        for parcel, status in zip(missing, written, strict=True):
            end = moved.get(parcel.name, status)
            said[parcel.name] = "" if end.code == OK else self._told(parcel, status, end)
            if end.code != OK:
                spoilt.append(self._aside(parcel))
        talk.remove(spoilt)

    def _told(self, parcel: Parcel, written: Status, end: Status) -> str:
        folder = self._folder.decode("utf-8", "replace")
        if written.code == NO_SUCH_FILE:
            return f"the folder {folder} is not there"
        verb = "writing" if written.code != OK else "renaming"
        return f"{verb} {parcel.name} in {folder}: {end}"

    def _held_against(self, talk: Talk, parcel: Parcel) -> str:
        sink = io.BytesIO()
        talk.fetch([Wanted(self._there(parcel), len(parcel.body) + 1, sink)])
        return "" if sink.getvalue() == parcel.body else _other(parcel)

    def _there(self, parcel: Parcel) -> bytes:
        return self._folder + b"/" + parcel.name.encode()

    def _aside(self, parcel: Parcel) -> bytes:
        return self._folder + b"/." + parcel.name.encode() + b".writing"


def _other(parcel: Parcel) -> str:
    return f"other bytes stand under the name {parcel.name}"


def _is_plain(name: str) -> bool:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= 240 and "/" not in name and "\0" not in name and not name.startswith(".")


def _carried(parcel: Parcel, trouble: str, fault: Fault = "doubt") -> Carried:
    shown = "" if trouble else parcel.name
    return Carried(parcel.number, ok=not trouble, acknowledgement=shown, trouble=trouble, fault=fault)


def _shares(parcels: Sequence[Parcel], connections: int) -> list[list[Parcel]]:
    """Return the parcels for each connection; those of one name share one."""
    count = max(1, min(connections, -(-len(parcels) // _SHARE)))
    shares: list[list[Parcel]] = [[] for _ in range(count)]
    places: dict[str, int] = {}
    for parcel in parcels:
        shares[places.setdefault(parcel.name, len(places) % count)].append(parcel)
    return [share for share in shares if share]


def _in_order(parcels: Sequence[Parcel], results: Sequence[Sequence[Carried]]) -> list[Carried]:
    known = {one.number: one for share in results for one in share}
    return [known[parcel.number] for parcel in parcels]
