"""The SSH channel of an SFTP session: bounded both ways, and nothing but the sftp subsystem.

Answers wait in a queue that is never joined into one; while more than 1 MiB of
them wait, no request is read.  The client's window grows only as his requests
are consumed.  What the channel does not know (shell, exec, pty, env) it refuses
by having no method for it.
"""

# mypy: allow-untyped-calls
# ruff: noqa: ARG002
# Conch is half typed, and its interfaces name the arguments.
import struct
from collections import deque
from typing import Any, Final

from twisted.conch.avatar import ConchUser
from twisted.conch.ssh.channel import SSHChannel
from twisted.conch.ssh.common import NS, getNS
from twisted.conch.ssh.connection import MSG_CHANNEL_OPEN_FAILURE, OPEN_ADMINISTRATIVELY_PROHIBITED, SSHConnection

from adapters.doors.sftp_door import Door
from adapters.doors.sftp_jail import Jail
from adapters.doors.sftp_mailbox import Mailbox
from adapters.doors.sftp_requests import Requests

WAITING: Final = 1024 * 1024
WINDOW: Final = 2 * 1024 * 1024
CHANNELS: Final = 8
LEAST_PACKET: Final = 1024
MOST_PACKET: Final = 64 * 1024


class Session(SSHChannel):
    """One channel of a partner's connection."""

    name = b"session"
    conn: Any
    avatar: "Visitor"

    def __init__(self, **opening: Any) -> None:
        super().__init__(localWindow=WINDOW, **opening)
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._requests: Requests | None = None
        self._ended = False
        self._working = False

    @property
    def is_full(self) -> bool:
        """Tell whether more than 1 MiB of answers wait."""
        return self._queued > WAITING

    def request_subsystem(self, data: bytes) -> int:
        """The sftp subsystem is open; no other is."""
        if getNS(data)[0] != b"sftp" or self._requests is not None:
            return 0
        door = self.avatar.door
        self._requests = Requests(Jail(self.avatar, door, self.avatar.mailbox), door, self)
        return 1

    def request_env(self, data: bytes) -> int:
        """Every OpenSSH client offers its language; we take none and log nothing."""
        return 0

    def dataReceived(self, data: bytes) -> None:
        """The requests in it are answered as far as there is room."""
        if self._requests is not None:
            self._requests.received(data)
            self.work()

    def extReceived(self, dataType: int, data: bytes) -> None:
        """There is no second stream; what comes on one is dropped."""

    def write(self, data: bytes) -> None:
        """The answer is queued; `work` sends it."""
        self._queue.append(memoryview(data))
        self._queued += len(data)
        if not self._working:
            self.work()

    def addWindowBytes(self, data: int) -> None:
        """The client takes so many bytes more."""
        self.remoteWindowLeft += data
        self.work()

    def eofReceived(self) -> None:
        """The channel closes when the last answer is out."""
        self._ended = True
        self.work()

    def closeReceived(self) -> None:
        """The client has left; nothing more is sent."""
        self._drop()

    def loseConnection(self) -> None:
        """The channel closes at once."""
        self._drop()

    def closed(self) -> None:
        """Open files are dropped, undelivered."""
        if self._requests is not None:
            self._requests.lost()

    def work(self) -> None:
        """Requests are answered and answers sent, until either side must wait for the other."""
        if self._working or self._requests is None or self.localClosed:
            return
        self._working = True
        try:
            self._requests.go_on()
            while self._send() and self._requests.waiting and self._requests.is_idle:
                before = self._requests.waiting
                self._requests.go_on()
                if self._requests.waiting == before:
                    break
        finally:
            self._working = False
        self._widen()
        if self._ended and self._requests.is_idle and not self._queue and not self.localClosed:
            self.conn.sendRequest(self, b"exit-status", struct.pack("!L", 0))
            self._drop()

    def _send(self) -> bool:
        """Send what the client's window and the line take; tell whether anything went."""
        sent = False
        while self._queue and self.remoteWindowLeft and not self.conn.transport.is_full:
            room = min(self.remoteWindowLeft, self.remoteMaxPacket)
            pieces: list[memoryview] = []
            while self._queue and room:
                piece = self._queue.popleft()
                if len(piece) > room:
                    self._queue.appendleft(piece[room:])
                    piece = piece[:room]
                pieces.append(piece)
                room -= len(piece)
            data = b"".join(pieces)
            self._queued -= len(data)
            self.remoteWindowLeft -= len(data)
            self.conn.sendData(self, data)
            sent = True
        if sent:
            self.conn.transport.stay()
        return sent

    def _widen(self) -> None:
        """Let the client send more, as far as what he sent is consumed."""
        if self._requests is None or self.localClosed:
            return
        consumed = self.localWindowSize - self._requests.waiting - self.localWindowLeft
        if consumed > self.localWindowSize // 2:
            self.conn.widen(self, consumed)

    def _drop(self) -> None:
        self._queue.clear()
        self._queued = 0
        self.conn.sendClose(self)


class Conversation(SSHConnection):
    """The channels of one connection; windows are widened by the channels themselves."""

    transport: Any

    def adjustWindow(self, channel: Session, bytesToAdd: int) -> None:
        """Nothing happens: Conch would widen the window before anything is consumed."""

    def widen(self, channel: Session, more: int) -> None:
        """The client may send so many bytes more."""
        super().adjustWindow(channel, more)

    def ssh_CHANNEL_OPEN(self, packet: bytes) -> None:
        """A session is open; other channels (forwarding, agents) are refused, and more than eight."""
        kind, rest = getNS(packet)
        if kind == b"session" and len(self.channels) < CHANNELS:
            super().ssh_CHANNEL_OPEN(packet)
            return
        reason = struct.pack("!L", OPEN_ADMINISTRATIVELY_PROHIBITED) + NS("only sftp sessions, and only eight") + NS("")
        self.transport.sendPacket(MSG_CHANNEL_OPEN_FAILURE, rest[:4] + reason)

    def go_on(self) -> None:
        """Every channel goes on with its work: the line has room again."""
        for channel in list(self.channels.values()):
            channel.work()


class Visitor(ConchUser):
    """A partner who has come in: his mailbox, and sessions on request."""

    def __init__(self, door: Door, mailbox: Mailbox) -> None:
        super().__init__()
        self.door = door
        self.mailbox = mailbox

    def lookupChannel(self, channelType: bytes, windowSize: int, maxPacket: int, data: bytes) -> Session:
        """Return a session."""
        packet = min(max(maxPacket, LEAST_PACKET), MOST_PACKET)
        return Session(remoteWindow=windowSize, remoteMaxPacket=packet, data=data, avatar=self)

    def gotGlobalRequest(self, requestType: bytes, data: bytes) -> int:
        """Nothing is forwarded."""
        return 0
