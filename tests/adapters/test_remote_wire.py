"""Whatever a server writes is read as an answer or refused as no SFTP; nothing else comes of it."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from adapters import remote_wire as wire
from adapters.remote_wire import Entry, Facts, NotSftp, Status

KINDS = st.sampled_from([wire.VERSION, wire.STATUS, wire.HANDLE, wire.DATA, wire.NAME, wire.ATTRS, 200, 0])


@given(st.builds(lambda kind, rest: bytes([kind]) + rest, KINDS, st.binary(max_size=200)) | st.binary(max_size=20))
def test_any_packet_is_an_answer_or_refused(packet: bytes) -> None:
    for read in (wire.answer_of, wire.extensions_of):
        try:
            read(packet)
        except NotSftp:
            continue


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.data())
def test_packets_come_whole_however_the_bytes_are_cut(packets: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(wire.string(packet) for packet in packets)
    received, found = bytearray(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        received += stream[:cut]
        stream = stream[cut:]
        found += list(wire.packets_of(received, 100))
    assert (found, received) == (packets, b"")


def test_a_name_is_read_with_its_size_time_and_mode_and_without_what_a_server_leaves_out() -> None:
    whole = struct.pack("!LQLLLLL", 15, 7, 0, 0, 0o100644, 1, 2)
    bare = struct.pack("!L", 0)
    packet = b"h" + struct.pack("!LL", 5, 2)
    packet += b"".join(wire.string(name) + wire.string(b"-rw") + facts for name, facts in ((b"a", whole), (b"b", bare)))
    found = wire.answer_of(bytes([wire.NAME]) + packet[1:])
    assert found == (5, [Entry(b"a", Facts(7, 2, 0o100644)), Entry(b"b", Facts())])


def test_a_status_is_told_without_what_cannot_be_printed() -> None:
    packet = bytes([wire.STATUS]) + struct.pack("!LL", 1, 4) + wire.string(b"no\nspace") + wire.string(b"")
    assert wire.answer_of(packet) == (1, Status(wire.FAILURE, "no space"))
