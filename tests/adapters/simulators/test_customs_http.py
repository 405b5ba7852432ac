"""By HTTP customs says OK when the message is in its book, and posts its answers until they are taken."""

import http.client
import threading
import urllib.error
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from lxml import etree

from tests.adapters.simulators.box import Box, soon, unwrapped


class Gateway(BaseHTTPRequestHandler):
    """Takes answers, after having refused the first `unwilling` requests."""

    taken: ClassVar[list[tuple[str, str, bytes]]] = []
    unwilling: ClassVar[int] = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Gateway.unwilling:
            Gateway.unwilling -= 1
            self.send_error(503)
            return
        Gateway.taken.append((self.headers["Authorization"], self.headers["Content-Type"], body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.taken.clear()
    Gateway.unwilling = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/interchanges"
    server.shutdown()
    server.server_close()


def heard() -> list[str | None]:
    return [unwrapped(body).findtext(".//{*}returnStatus") for _, _, body in Gateway.taken if b"DxpMsg" in body]


def test_ok_means_booked_and_the_answers_are_posted_with_the_token(box: Box, gateway: str) -> None:
    box.configure(listen="127.0.0.1:0", answer_url=gateway)
    box.start()
    assert box.post(box.enveloped(box.sealed("CEB621"), "CEB621")) == (200, b"OK")
    assert [line["spec"] for line in box.book()] == ["CEB621"]
    soon(lambda: len(Gateway.taken) == 4)
    assert heard() == ["2", "120", "399", "800"]
    assert {head[:2] for head in Gateway.taken} == {("Bearer secret", "application/xml")}


def test_answers_are_posted_until_they_are_taken_and_stay_in_order(box: Box, gateway: str) -> None:
    Gateway.unwilling = 3
    box.configure(listen="127.0.0.1:0", answer_url=gateway)
    box.start()
    box.post(box.enveloped(box.sealed("CEB311"), "CEB311"))
    soon(lambda: len(Gateway.taken) == 2)
    assert heard() == ["2", "120"]


def test_who_came_by_http_is_answered_by_folder_where_no_address_is_known(box: Box) -> None:
    box.configure(listen="127.0.0.1:0")
    box.start()
    box.post(box.enveloped(box.sealed("CEB311"), "CEB311"))
    assert [status for _, _, status in box.answered(2)] == ["2", "120"]


def test_the_same_message_posted_twice_is_one_line_told_twice(box: Box, gateway: str) -> None:
    box.configure(listen="127.0.0.1:0", answer_url=gateway)
    box.start()
    data = box.enveloped(box.sealed("CEB311"), "CEB311")
    box.post(data)
    soon(lambda: len(Gateway.taken) == 2)
    assert box.post(data) == (200, b"OK")
    soon(lambda: len(Gateway.taken) == 3)
    assert heard() == ["2", "120", "2"]
    assert [(line["times"], line["verdict"]) for line in box.book()] == [(2, "")]


@pytest.mark.parametrize(("when", "booked"), [("before", 0), ("after", 1)])
def test_disconnects_loses_the_connection_on_the_named_side_of_the_booking(
    box: Box, gateway: str, when: str, booked: int
) -> None:
    box.configure(listen="127.0.0.1:0", answer_url=gateway)
    box.start(f"disconnects={when}")
    data = box.enveloped(box.sealed("CEB311"), "CEB311")
    with pytest.raises((ConnectionError, http.client.HTTPException, urllib.error.URLError)):
        box.post(data)
    assert len(box.book()) == booked
    assert box.post(data) == (200, b"OK")
    soon(lambda: len(Gateway.taken) >= 2)
    assert [line["times"] for line in box.book()] == [1 + booked]


def test_nonsense_is_posted_too_and_its_refusal_changes_nothing(box: Box, gateway: str) -> None:
    box.configure(listen="127.0.0.1:0", answer_url=gateway)
    box.start("nonsense=root")
    box.post(box.enveloped(box.sealed("CEB411"), "CEB411"))
    soon(lambda: {"2", "120"} <= set(heard()))
    # An answer of ours that came too late for it makes customs say both again.
    roots = [etree.QName(etree.fromstring(body)).localname for _, _, body in Gateway.taken]
    assert set(roots) == {"CEB999Message", "DxpMsg"}
    assert all(roots[:n].count("CEB999Message") >= roots[:n].count("DxpMsg") for n in range(len(roots) + 1))


def test_another_address_is_not_there(box: Box) -> None:
    box.configure(listen="127.0.0.1:0")
    box.start()
    box.url = box.url.replace("/dxp", "/elsewhere")
    assert box.post(b"<a/>")[0] == 404
    assert box.book() == []
