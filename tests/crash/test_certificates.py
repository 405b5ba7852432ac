"""A certificate whose time is over, or has not come: everything waits, operators are told, and then it leaves once."""

import http.server
import shutil
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.signing.keys import new_key
from tests.adapters.test_amqp_tls import certificate
from tests.crash.daemon import ask, quiet_home, running, until
from tests.crash.test_remote_faults import OUTBOX, drop, symptoms, told, waiting
from tests.homes import demo_home
from tests.ports import free_port


@pytest.mark.parametrize(("begins", "said"), [(-400, "expired"), (3, "not yet valid")])
def test_a_signing_certificate_out_of_its_time_lets_documents_wait_and_they_leave_once_with_another(
    tmp_path: Path, begins: int, said: str
) -> None:
    """One that is not valid yet is what a clock that is behind sees."""
    home = quiet_home(demo_home(tmp_path))
    now = datetime.now(UTC)
    good = shutil.move(home / "keys/shop", tmp_path / "good")
    new_key(home / "keys", "shop", "rsa", "CN=shop", 30, now=now + timedelta(days=begins))
    with running(home, "run") as daemon:
        drop(home, "shop", "CEB311", 1, 2)
        until(lambda: [why[:4] for (why,) in ask(home, "SELECT coalesce(why, '') FROM document")] == ["K102"] * 2, 60)
        assert ask(home, "SELECT DISTINCT state FROM document") == [("checked",)]
        keys = [one for one in told(home, "doctor")["symptoms"] if one["name"] == "key shop"]
        assert [(one["status"], said in one["seen"]) for one in keys] == [("error", True)]
        assert {row["why"][:4] for row in told(home, "queue")["documents"]} == {"K102"}
        assert list((home / "spool/authorities/customs/out").iterdir()) == []
        shutil.move(home / "keys/shop", tmp_path / "bad")
        shutil.move(good, home / "keys/shop")
        until(lambda: ask(home, "SELECT DISTINCT state FROM document") == [("sent",)], 90)
        assert daemon.stop() == 0
    numbers = [row[0] for row in ask(home, OUTBOX)]
    out = home / "spool/authorities/customs/out"
    assert sorted(file.name for file in out.iterdir()) == [f"{number}.CEB311Message.xml" for number in numbers]


@contextmanager
def office(port: int, files: tuple[Path, Path]) -> Iterator[list[tuple[str | None, bytes]]]:
    """An authority answers at this port under TLS with this certificate; what it was sent, under which key."""
    taken: list[tuple[str | None, bytes]] = []

    class Office(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((self.headers["Idempotency-Key"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A caller who hangs up is what is expected here."""

    server = Server(("127.0.0.1", port), Office)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()


def test_an_authority_whose_certificate_has_expired_hears_nothing_and_each_message_once_afterwards(
    tmp_path: Path,
) -> None:
    home, port = quiet_home(demo_home(tmp_path)), free_port()
    expired, good = certificate(tmp_path, "expired", -1), certificate(tmp_path, "good")
    (tmp_path / "roots.pem").write_bytes(expired[0].read_bytes() + good[0].read_bytes())
    file = home / "authorities/customs.toml"
    text = file.read_text("utf-8").replace('kind = "folder"', f'kind = "http"\nurl = "https://127.0.0.1:{port}/dxp"')
    text = text.replace("pack = 100", "pack = 1").replace("failures = 5", "failures = 3")
    file.write_text(text.replace("first_seconds = 2.0", "first_seconds = 0.2"), "utf-8")
    with running(home, "run", SSL_CERT_FILE=str(tmp_path / "roots.pem")) as daemon:
        with office(port, expired) as heard:
            drop(home, "shop", "CEB311", 1, 2)
            waiting(home, 2)
            until(lambda: told(home, "authority", "show", "customs")["breaker"]["state"] == "open", 60)
            assert {"certificate" in row["trouble"] for row in told(home, "queue")["outbox"]} == {True}
            assert [(status, "certificate" in seen) for status, seen in symptoms(home)] == [("warning", True)]
            assert heard == []
        with office(port, good) as heard:
            told(home, "authority", "probe", "customs")
            until(lambda: {row[2] for row in ask(home, OUTBOX)} == {"gone"}, 60, lambda: str(ask(home, OUTBOX)))
        assert daemon.stop() == 0
    numbers = [row[0] for row in ask(home, OUTBOX)]
    assert sorted(name or "" for name, _ in heard) == [f"{number}.CEB311Message.xml" for number in numbers]
