"""An SFTP server that lists for ever, as a subsystem of sshd: `nothing` says no name, `folders` a hundred folders."""

import struct
import sys

_FOLDER = struct.pack("!L", 1) + b"a" + struct.pack("!LLQL", 0, 1 | 4, 0, 0o40755)
_NAMES = {"nothing": (0, b""), "folders": (100, _FOLDER * 100)}


def main(mode: str) -> None:
    """Answer until nobody asks any more."""
    read, write = sys.stdin.buffer, sys.stdout.buffer

    def said(packet: bytes) -> None:
        write.write(struct.pack("!L", len(packet)) + packet)
        write.flush()

    while head := read.read(4):
        packet = read.read(struct.unpack("!L", head)[0])
        kind, number = packet[0], packet[1:5]
        if kind == 1:
            said(b"\x02" + struct.pack("!L", 3))
        elif kind == 11:
            said(b"\x66" + number + struct.pack("!L", 1) + b"h")
        elif kind == 12:
            count, names = _NAMES[mode]
            said(b"\x68" + number + struct.pack("!L", count) + names)
        else:
            said(b"\x65" + number + struct.pack("!LLL", 0, 0, 0))


if __name__ == "__main__":
    main(sys.argv[1])
