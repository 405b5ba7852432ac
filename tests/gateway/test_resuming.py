"""What waited goes on whole, is judged by today's look, and never keeps others waiting."""

import json
from datetime import timedelta
from pathlib import Path

from gateway import reading
from gateway.signing.keys import load_signer
from gateway.signing.seal import sign_message
from spool.ledger import NEVER
from tests import homes, samples
from tests.homes import book, demo_home, go_on, take_in


def soon():
    return homes.now() + timedelta(minutes=1)


def rows(home: Path, sql: str) -> list[tuple]:
    ledger = book(home)
    try:
        return [tuple(row) for row in ledger.conn.execute(sql)]
    finally:
        ledger.close()


def states(home: Path) -> list[str]:
    return [state for (state,) in rows(home, "SELECT state FROM document ORDER BY number, ordinal")]


def signed(home: Path, body: bytes, key: str = "shop") -> bytes:
    return sign_message(body, load_signer(home / "keys", key))


def without(file: Path) -> bytes:
    kept = file.read_bytes()
    file.unlink()
    return kept


def test_a_document_whose_key_was_missing_leaves_when_it_is_back(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    kept = without(home / "keys/shop/key.pem")
    take_in(home, "shop", "a.xml", samples.order(1))
    assert states(home) == ["checked"]
    (home / "keys/shop/key.pem").write_bytes(kept)
    assert go_on(home, clock=soon) == 1
    assert states(home) == ["ready"]
    assert rows(home, "SELECT suite, key_name FROM message") == [("rsa-sha256", "shop")]


def test_a_wrong_signature_is_refused_also_when_its_certificate_was_unreadable_first(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    changed = signed(home, samples.order(3)).replace("勿折叠".encode(), "可折叠".encode())
    kept = without(home / "keys/shop/cert.pem")
    take_in(home, "shop", "a.xml", changed)
    assert states(home) == ["checked"]
    (home / "keys/shop/cert.pem").write_bytes(kept)
    go_on(home, clock=soon)
    assert states(home) == ["refused"]
    assert rows(home, "SELECT count(*) FROM message") == [(0,)]
    (told,) = (home / "spool/partners/shop/refused").iterdir()
    assert told.name.endswith(".1.why.txt")


def test_a_signed_message_is_never_cut_by_the_size_of_a_round(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    kept = without(home / "keys/shop/cert.pem")
    bodies = [signed_with(kept, home, samples.message("CEB311", 90, start=100 * n)) for n in range(1, 7)]
    for n, body in enumerate(bodies):
        take_in(home, "shop", f"{n}.xml", body)
    (home / "keys/shop/cert.pem").write_bytes(kept)
    assert [go_on(home, clock=soon), go_on(home, clock=soon)] == [500, 90]
    assert states(home) == ["ready"] * 540
    assert [len(names.split()) for (names,) in rows(home, "SELECT documents FROM message ORDER BY number")] == [90] * 6


def signed_with(certificate: bytes, home: Path, body: bytes) -> bytes:
    file = home / "keys/shop/cert.pem"
    file.write_bytes(certificate)
    try:
        return signed(home, body)
    finally:
        file.unlink()


def two_inventories(home: Path) -> bytes:
    body = samples.message("CEB621", 2, start=1)
    second = body.rindex(b"<ceb:customsCode>2910<")
    return signed(home, body[:second] + body[second:].replace(b"2910", b"0101", 1), "agent")


def test_a_signed_message_with_a_document_that_has_no_route_waits_whole(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    (home / "routes.csv").write_text("spec,area,authority,note\n*,2910,customs,x\n")
    take_in(home, "agent", "a.xml", two_inventories(home))
    assert states(home) == ["held", "held"]
    assert rows(home, "SELECT count(*) FROM message") == [(0,)]


def test_a_signed_message_for_two_authorities_is_refused_whole(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    other = (home / "authorities/customs.toml").read_text().replace('name = "customs"', 'name = "other"')
    (home / "authorities/other.toml").write_text(other.replace("simulate = true", "simulate = false"))
    (home / "routes.csv").write_text("spec,area,authority,note\n*,2910,customs,x\n*,0101,other,x\n")
    told = take_in(home, "agent", "a.xml", two_inventories(home))
    assert [one["state"] for one in told["documents"]] == ["refused", "refused"]
    assert "P309" in {one["code"] for one in told["findings"]}


def test_a_document_that_does_not_open_any_more_is_held_and_the_others_go_on(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    kept = without(home / "keys/shop/key.pem")
    take_in(home, "shop", "lost.xml", samples.order(1))
    take_in(home, "shop", "good.xml", samples.order(2))
    (home / "keys/shop/key.pem").write_bytes(kept)
    (place,) = rows(home, "SELECT evidence FROM interchange WHERE file = 'lost.xml'")
    (home / "spool/store" / place[0]).unlink()
    go_on(home, clock=soon)
    assert states(home) == ["held", "ready"]
    ((due, why),) = rows(home, "SELECT due_at, why FROM document WHERE state = 'held'")
    assert due == NEVER
    assert why.startswith(f"K105 FileNotFoundError: [Errno 2] No such file or directory: '{home}/spool/store/")
    (held,) = [one for one in reading.found(book(home), "YX2026000000000001") if one["state"] == "held"]
    assert held["why"] == held["stamps"][-1]["reason"] == why
    (told,) = reading.documents(book(home), "YX2026000000000001", "shop")
    assert told["why"] == told["stamps"][-1]["reason"] == reading.told_outside("K105")
    assert str(home) not in json.dumps(told)
