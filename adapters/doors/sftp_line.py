"""The SSH line under an SFTP session: strong algorithms only, bounded, timed, strict.

Strict key exchange (the answer to Terrapin) is spoken with clients that know
it.  A client that takes nothing is read from no more; one that says nothing is
cut off.  Known limits: no AEAD and no encrypt-then-MAC (Conch has none).
"""

# mypy: allow-untyped-calls
# ruff: noqa: ARG002
# Conch is half typed, and its interfaces name the arguments.
from typing import Any, Final

from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.transport import (
    DISCONNECT_BY_APPLICATION,
    MSG_KEXDH_INIT,
    MSG_KEXINIT,
    MSG_NEWKEYS,
    MSG_SERVICE_REQUEST,
    SSHServerTransport,
)
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

KEY_EXCHANGES: Final = (
    b"mlkem768x25519-sha256",
    b"curve25519-sha256",
    b"curve25519-sha256@libssh.org",
    b"ecdh-sha2-nistp256",
    b"ecdh-sha2-nistp384",
    b"ecdh-sha2-nistp521",
)
CIPHERS: Final = (b"aes256-ctr", b"aes192-ctr", b"aes128-ctr")
MACS: Final = (b"hmac-sha2-256", b"hmac-sha2-512")
USER_KEYS: Final = (
    b"ssh-ed25519",
    b"ecdsa-sha2-nistp256",
    b"ecdsa-sha2-nistp384",
    b"ecdsa-sha2-nistp521",
    b"rsa-sha2-512",
    b"rsa-sha2-256",
)
LOGIN_SECONDS: Final = 30.0
FAREWELL_SECONDS: Final = 5.0
_STRICT_CLIENT: Final = b"kex-strict-c-v00@openssh.com"
_STRICT_SERVER: Final = b"kex-strict-s-v00@openssh.com"


@implementer(IPushProducer)
class Line(SSHServerTransport):
    """One connection of a client."""

    ourVersionString = b"SSH-2.0-Kouan"
    supportedCiphers = list(CIPHERS)  # noqa: RUF012  Conch's own attributes
    supportedMACs = list(MACS)  # noqa: RUF012
    supportedKeyExchanges = list(KEY_EXCHANGES)  # noqa: RUF012
    supportedCompressions = [b"none"]  # noqa: RUF012
    factory: Any
    transport: Any
    service: Any

    def __init__(self) -> None:
        self.failures = 0
        self._is_paused = False
        self._is_strict = False
        self._is_keyed = False
        self._is_leaving = False
        self._deadline: Any = None

    @property
    def address(self) -> str:
        """Return where the client calls from."""
        return str(getattr(self.transport.getPeer(), "host", "?"))

    @property
    def is_full(self) -> bool:
        """Tell whether the client takes nothing at the moment, or keys are being changed."""
        return self._is_paused or self._keyExchangeState != self._KEY_EXCHANGE_NONE

    def connectionMade(self) -> None:
        """The client has half a minute to log in."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.transport.registerProducer(self, True)
        self._deadline = self.factory.door.reactor.callLater(LOGIN_SECONDS, self._silent)
        super().connectionMade()

    def stay(self) -> None:
        """The client is in, or was served: from here on he may be silent for the door's idle time."""
        if not self._is_leaving and self._deadline.active():
            self._deadline.reset(self.factory.door.idle_seconds)

    def dataReceived(self, data: bytes) -> None:
        """What came in is read; a line that cannot be read is cut."""
        try:
            super().dataReceived(data)
        except Exception as trouble:  # noqa: BLE001  no client's bytes may throw a traceback
            self.factory.door.log.warning("sftp.unreadable", address=self.address, trouble=repr(trouble))
            self.transport.abortConnection()

    def dispatchMessage(self, messageNum: int, payload: bytes) -> None:
        """The message is acted on; a strict line begins with key exchange alone, and nobody logs in twice."""
        if self._is_strict and not self._is_keyed and messageNum not in _FIRST:
            raise ValueError(f"message {messageNum} before the first keys")
        if hasattr(self, "avatar") and (messageNum == MSG_SERVICE_REQUEST or 50 <= messageNum < 80):
            raise ValueError(f"message {messageNum} of somebody who is in already")
        super().dispatchMessage(messageNum, payload)

    def sendKexInit(self) -> None:
        """The offer goes out; the first one offers strictness."""
        if self.sessionID is None:
            self.supportedKeyExchanges = [*KEY_EXCHANGES, _STRICT_SERVER]
        super().sendKexInit()
        self.supportedKeyExchanges = list(KEY_EXCHANGES)

    def ssh_KEXINIT(self, packet: bytes) -> None:
        """The algorithms are agreed on; strictly, if the client offers it in the first packet of all."""
        if self.sessionID is None and _STRICT_CLIENT in getNS(packet[16:])[0].split(b","):
            if self.incomingPacketSequence != 1:
                raise ValueError("a strict key exchange starts with the first packet")
            self._is_strict = True
        super().ssh_KEXINIT(packet)

    def sendExtInfo(self, extensions: list[tuple[bytes, bytes]]) -> None:
        """The client learns which user keys we take; Conch would tell him the kinds of our host key."""
        super().sendExtInfo([(b"server-sig-algs", b",".join(USER_KEYS))])

    def receiveError(self, reasonCode: int, description: bytes) -> None:
        """A client that takes its leave is no trouble; whatever else it complains of is logged."""
        if reasonCode != DISCONNECT_BY_APPLICATION:
            super().receiveError(reasonCode, description)

    def sendDisconnect(self, reason: int, desc: bytes) -> None:
        """The client is told why, and the line closes, in five seconds at the latest."""
        super().sendDisconnect(reason, desc)
        self.transport.unregisterProducer()
        if not self._is_leaving:
            self._is_leaving = True
            if self._deadline.active():
                self._deadline.cancel()
            self._deadline = self.factory.door.reactor.callLater(FAREWELL_SECONDS, self.transport.abortConnection)

    def connectionLost(self, reason: Any = None) -> None:
        """Sessions are closed, the visitor is gone."""
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self.factory.line_lost(self)
        super().connectionLost(reason)

    def pauseProducing(self) -> None:
        """The client takes nothing: nothing more is read from him."""
        self._is_paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """The client takes again what we send."""
        self._is_paused = False
        self.transport.resumeProducing()
        self._go_on()

    def stopProducing(self) -> None:
        """The line is gone; connectionLost follows."""

    def _newKeys(self) -> None:
        if self._is_strict:
            self.outgoingPacketSequence = self.incomingPacketSequence = 0
        self._is_keyed = True
        super()._newKeys()
        self._go_on()

    def _go_on(self) -> None:
        go_on = getattr(self.service, "go_on", None)
        if go_on is not None:
            go_on()

    def _silent(self) -> None:
        self.factory.door.log.info("sftp.silent", address=self.address)
        self.sendDisconnect(DISCONNECT_BY_APPLICATION, b"idle for too long")


# What a strict client may send before the first keys; 1 is its disconnect.
_FIRST: Final = frozenset({1, MSG_KEXINIT, MSG_NEWKEYS, MSG_KEXDH_INIT})
