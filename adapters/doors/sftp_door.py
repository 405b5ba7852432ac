"""The things every SFTP session of this door shares: whom it asks, whom it tells, the reactor."""

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from adapters.doors.sftp_accounts import Accounts, Arrivals, DiskGuard, Log, Refusals
from adapters.doors.sftp_mailbox import Mailboxes

_T = TypeVar("_T")


class Door:
    """One open door: its house, its clock and threads, and the mailboxes that were visited."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        arrivals: Arrivals,
        guard: DiskGuard,
        refusals: Refusals | None,
        log: Log,
        reactor: Any,
        idle_seconds: float,
    ) -> None:
        self.accounts = accounts
        self.guard = guard
        self.log = log
        self.reactor = reactor
        self.idle_seconds = idle_seconds
        self.mailboxes = Mailboxes(reactor, self.in_thread)
        self._arrivals = arrivals
        self._refusals = refusals

    def in_thread(self, work: Callable[[], _T]) -> "Deferred[_T]":
        """Return what the work gives, done in a thread of the reactor's pool."""
        return deferToThreadPool(self.reactor, self.reactor.getThreadPool(), work)

    def arrived(self, partner: str, name: str) -> None:
        """The house knows of a whole file; its trouble is not the client's, for the scan of in/ finds the file too."""
        try:
            self._arrivals.arrived(partner, name)
        except Exception as trouble:  # noqa: BLE001  the file is delivered whatever becomes of the hint
            self.log.warning("sftp.arrival_untold", partner=partner, name=name, trouble=repr(trouble))

    def refused(self, partner: str, name: str, reason: str) -> None:
        """The refusal of an upload is written down, and told to who leaves notes."""
        self.log.warning("sftp.refused", partner=partner, name=name, reason=reason)
        if self._refusals is not None:
            try:
                self._refusals.refused(partner, name, reason)
            except Exception as trouble:  # noqa: BLE001  a note that cannot be left changes no answer
                self.log.warning("sftp.refusal_untold", partner=partner, name=name, trouble=repr(trouble))
