"""SFTP file attributes, to and from the wire, and the `ls -l` line of a listing."""

import os
import stat
import struct
import time
from functools import lru_cache
from typing import Final

from twisted.conch.ssh.filetransfer import (
    FILEXFER_ATTR_ACMODTIME,
    FILEXFER_ATTR_EXTENDED,
    FILEXFER_ATTR_OWNERGROUP,
    FILEXFER_ATTR_PERMISSIONS,
    FILEXFER_ATTR_SIZE,
)

Attributes = dict[str, int]

_FULL: Final = struct.Struct("!LQLLLLL")
_FULL_FLAGS: Final = FILEXFER_ATTR_SIZE | FILEXFER_ATTR_OWNERGROUP | FILEXFER_ATTR_PERMISSIONS | FILEXFER_ATTR_ACMODTIME
_LATEST: Final = 2**32 - 1
FOLDER: Final = stat.S_IFDIR | 0o750
FILE: Final = stat.S_IFREG | 0o640


def attributes(size: int, when: float, mode: int = FILE) -> Attributes:
    """Return what a client is told of a file or folder; owners are nobody's business.

    >>> attributes(3, 7.9)
    {'size': 3, 'uid': 0, 'gid': 0, 'permissions': 33184, 'atime': 7, 'mtime': 7}
    """
    moment = min(max(int(when), 0), _LATEST)
    return {"size": size, "uid": 0, "gid": 0, "permissions": mode, "atime": moment, "mtime": moment}


def of_file(found: os.stat_result) -> Attributes:
    """Return the attributes of a regular file; anything else is not there."""
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(2, "not a regular file")
    return attributes(found.st_size, found.st_mtime)


def packed(one: Attributes) -> bytes:
    """Return full attributes as they go over the wire.

    >>> packed(attributes(3, 7)).hex()
    '0000000f00000000000000030000000000000000000081a00000000700000007'
    """
    return _FULL.pack(_FULL_FLAGS, one["size"], one["uid"], one["gid"], one["permissions"], one["atime"], one["mtime"])


def unpacked(data: bytes) -> Attributes:
    """Return the attributes a client sent; extended ones are passed over.

    >>> unpacked(packed(attributes(3, 7))) == attributes(3, 7)
    True
    """
    (flags,) = struct.unpack_from("!L", data)
    at = 4
    found: Attributes = {}
    for flag, form, names in (
        (FILEXFER_ATTR_SIZE, "!Q", ("size",)),
        (FILEXFER_ATTR_OWNERGROUP, "!LL", ("uid", "gid")),
        (FILEXFER_ATTR_PERMISSIONS, "!L", ("permissions",)),
        (FILEXFER_ATTR_ACMODTIME, "!LL", ("atime", "mtime")),
    ):
        if flags & flag:
            found.update(zip(names, struct.unpack_from(form, data, at), strict=True))
            at += struct.calcsize(form)
    if flags & ~(_FULL_FLAGS | FILEXFER_ATTR_EXTENDED):
        raise ValueError("unknown attributes")
    return found


@lru_cache(maxsize=1024)
def _moment(minute: int) -> str:
    return time.strftime("%b %d %H:%M", time.gmtime(minute * 60))


def long_name(name: str, one: Attributes) -> str:
    """Return the line that `ls -l` shows, times in UTC.

    >>> long_name("a.xml", attributes(3, 7))
    '-rw-r-----    1 kouan    kouan           3 Jan 01 00:00 a.xml'
    """
    mode = "drwxr-x---" if stat.S_ISDIR(one["permissions"]) else "-rw-r-----"
    return f"{mode}    1 kouan    kouan    {one['size']:8d} {_moment(one['mtime'] // 60)} {name}"
