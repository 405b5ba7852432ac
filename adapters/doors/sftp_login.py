"""How a partner comes in: with one of his public keys, and in no other way.

An unknown name, a wrong key and a suspended partner look alike from outside.
"""

# mypy: allow-untyped-calls
# ruff: noqa: ARG002
# Conch is half typed, and its interfaces name the arguments.
import base64
import binascii
from typing import Any, Final

from twisted.conch.error import ValidPublicKey
from twisted.conch.interfaces import IConchUser
from twisted.conch.ssh.common import getNS
from twisted.conch.ssh.keys import Key
from twisted.conch.ssh.transport import DISCONNECT_TOO_MANY_CONNECTIONS
from twisted.conch.ssh.userauth import SSHUserAuthServer
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ISSHPrivateKey
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from zope.interface import implementer

from adapters.doors.sftp_accounts import SftpAccount
from adapters.doors.sftp_door import Door
from adapters.doors.sftp_line import USER_KEYS
from adapters.doors.sftp_mailbox import Clock
from adapters.doors.sftp_names import can_be_named
from adapters.doors.sftp_session import Visitor

ATTEMPTS: Final = 6
FAILURES: Final = 60
FAILURE_SECONDS: Final = 60.0
ADDRESSES: Final = 10_000
RSA_BITS: Final = 2048


@implementer(ICredentialsChecker)
class KeyChecker:
    """Tells whether a key is one of a partner's, and whether he holds its other half."""

    credentialInterfaces = (ISSHPrivateKey,)

    def __init__(self, door: Door) -> None:
        self._door = door

    def requestAvatarId(self, credentials: Any) -> bytes:  # type: ignore[override]  # the portal takes both
        """Return the partner's name; ValidPublicKey when he has yet to sign, UnauthorizedLogin when he may not in."""
        account = find(self._door, credentials.username)
        if account is None or not _is_his(account, credentials.blob) or credentials.algName not in USER_KEYS:
            raise UnauthorizedLogin
        if not credentials.signature:
            raise ValidPublicKey
        try:
            key = Key.fromString(credentials.blob)
            good = (
                getNS(credentials.signature)[0] == credentials.algName
                and (key.type() != "RSA" or key.size() >= RSA_BITS)
                and key.verify(credentials.signature, credentials.sigData)
            )
        except Exception as trouble:
            raise UnauthorizedLogin from trouble
        if not good:
            raise UnauthorizedLogin
        return bytes(credentials.username)


def find(door: Door, name: bytes) -> SftpAccount | None:
    """Return the account of a partner who may come in."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    if not 0 < len(text) <= 64 or text.startswith(".") or "/" in text or not can_be_named(text):
        return None
    account = door.accounts.find(text)
    return None if account is None or account.suspended else account


def _is_his(account: SftpAccount, blob: bytes) -> bool:
    """Tell whether one of the account's lines holds this key.

    >>> from pathlib import Path
    >>> _is_his(SftpAccount("acme", Path("m"), (b"ssh-ed25519 aGVsbG8= acme", b"", b"rubbish")), b"hello")
    True
    """
    for line in account.keys:
        words = line.split()
        try:
            if len(words) > 1 and base64.b64decode(words[1], validate=True) == blob:
                return True
        except binascii.Error:
            continue
    return False


@implementer(IRealm)
class Realm:
    """Turns a proven name into a visitor."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def requestAvatar(self, avatarId: bytes | tuple[()], mind: object, *interfaces: Any) -> tuple[Any, Visitor, Any]:
        """Return the visitor, counted among his sessions until he leaves."""
        account = find(self._door, avatarId or b"")
        if account is None:
            raise UnauthorizedLogin
        try:
            mailbox = self._door.mailboxes.of(account)
        except OSError as trouble:
            self._door.log.warning("sftp.mailbox_broken", partner=account.name, trouble=repr(trouble))
            raise UnauthorizedLogin from trouble
        mailbox.sessions += 1

        def leave() -> None:
            mailbox.sessions -= 1
            self._door.log.info("sftp.logout", partner=account.name)

        return IConchUser, Visitor(self._door, mailbox), leave


class Login(SSHUserAuthServer):
    """The log-in of one connection: six attempts, public keys only."""

    attemptsBeforeDisconnect = ATTEMPTS - 1
    transport: Any

    def _cbFinishedAuth(self, result: Any) -> None:
        super()._cbFinishedAuth(result)
        mailbox, door = result[1].mailbox, self.transport.factory.door
        account = mailbox.account
        self.transport.stay()
        if mailbox.sessions > account.sessions:
            door.log.warning("sftp.too_many_sessions", partner=account.name, sessions=account.sessions)
            reason = f"{account.sessions} sessions are open already; close one / 会话数已满"
            self.transport.sendDisconnect(DISCONNECT_TOO_MANY_CONNECTIONS, reason.encode())
            return
        door.log.info("sftp.login", partner=account.name, address=self.transport.address)

    def _ebBadAuth(self, reason: Any) -> None:
        self.loginAttempts = self.transport.failures  # a client that asks for the service anew gets no new attempts
        super()._ebBadAuth(reason)
        self.transport.failures = self.loginAttempts


class Failures:
    """Failed log-ins by address within a minute; beyond 60 the address is not listened to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[float, int]] = {}

    def add(self, address: str, failures: int) -> None:
        """The failures count against the address until its minute is over."""
        until, known = self._current(address)
        if len(self._counts) >= ADDRESSES:
            self._counts.clear()
        self._counts[address] = (until, known + failures)

    def are_too_many(self, address: str) -> bool:
        """Tell whether the address has failed too often to be listened to."""
        return self._current(address)[1] > FAILURES

    def _current(self, address: str) -> tuple[float, int]:
        now = self._clock.seconds()
        until, known = self._counts.get(address, (0.0, 0))
        return (until, known) if until > now else (now + FAILURE_SECONDS, 0)
