"""A plain caller on a real socket, and the test case with an open HTTP door on loopback before a hall on paper."""

import json
import socket
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from adapters.doors.http import HttpDoor, HttpLimits
from tests.adapters.doors.paper_hall import PaperHall

KIB = 1024


class Answer:
    """One answer as a client read it from the wire."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}

    @property
    def told(self) -> Any:
        return json.loads(self.body)


def request(method: str, target: str, body: bytes = b"", token: str | None = "shop-token", **headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {len(body)}"] if body and "Transfer_Encoding" not in headers else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_answer(stream: Any) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return head
        head += line
    length = next((int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0)
    return head + stream.read(length)


def talk(port: int, *sent: bytes, wait_for_end: bool = False) -> list[Answer]:
    """Send one request after the other on one connection; return the answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as stream:
        answers = []
        for piece in sent:
            connection.sendall(piece)
            answers.append(Answer(read_answer(stream)))
        if wait_for_end:
            assert stream.read() == b""
        return answers


def send_and_leave(port: int, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)


class DoorCase(TestCase):
    timeout = 30
    limits = HttpLimits(body_bytes=256 * KIB, in_flight_bytes=512 * KIB)

    @inlineCallbacks
    def setUp(self) -> Any:
        self.hall = PaperHall(shop="shop-token", pay="pay-token")
        self.door = HttpDoor(self.hall, self.limits)
        port = yield self.door.open("127.0.0.1:0")
        self.port = port.getHost().port
        self.addCleanup(self.door.close)

    def file_of(self, size: int) -> str:
        """Return the path of a file of this many bytes, all zero, that goes away with the test."""
        place = TemporaryDirectory()
        self.addCleanup(place.cleanup)
        path = f"{place.name}/body"
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def talk(self, *sent: bytes, wait_for_end: bool = False) -> "Deferred[list[Answer]]":
        return deferToThread(talk, self.port, *sent, wait_for_end=wait_for_end)

    @inlineCallbacks
    def told(self, sent: bytes) -> Any:
        (answer,) = yield self.talk(sent)
        return answer

    @inlineCallbacks
    def refused(self, status: int, sent: bytes) -> Any:
        """One request is refused with this status, in both languages and without any inner word."""
        answer = yield self.told(sent)
        assert answer.status == status
        assert set(answer.told) == {"code", "zh", "en"}
        assert answer.told["code"] == f"H{status}"
        assert "Traceback" not in answer.body.decode()
        return answer
