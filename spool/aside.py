"""Written aside, synced, renamed: how a file appears whole or not at all.

A group of files shares its syncs: write all aside, sync once, rename all, sync
the folders.  `syncfs` reports the write errors of a file system that came since
its descriptor was opened (Linux 5.8), so one descriptor a file system stays open
for the life of the process.

Known limits: an error is told to each process once; the batch that hears of it is
tried again, what others wrote before is not.
"""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


_kept: dict[int, int] = {}
"""The descriptor of each file system that is watched, by its device."""


def keep_watch(folder: Path | str) -> int:
    """No later write error of the file system of `folder` is missed; return its descriptor, never to be closed."""
    device = os.stat(folder).st_dev
    if device not in _kept:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if _kept.setdefault(device, descriptor) != descriptor:  # another thread was quicker
            os.close(descriptor)
    return _kept[device]


def sync_filesystem(folder: Path | str) -> None:
    """Everything written so far to the file system of `folder` survives a power cut; OSError if it does not."""
    if _LIBC.syncfs(keep_watch(folder)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(folder))


def sync_folder(folder: Path | str) -> None:
    """The names in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: str, data: bytes, mode: int = 0o640) -> None:
    """The file holds exactly `data`; it is not synced yet, and what stood there, a link too, is gone."""
    try:
        write_new(path, data, mode)
    except FileExistsError:
        os.unlink(path)
        write_new(path, data, mode)


def write_new(path: str, data: bytes, mode: int = 0o440) -> None:
    """A file that was not there holds `data`, not synced yet; FileExistsError otherwise."""
    descriptor = os.open(path, _NEW, mode)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def put(path: Path, data: bytes, mode: int = 0o640) -> None:
    """The file holds `data`, durably; a reader sees the old or the new, never a part."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.writing")
    write(str(aside), data, mode)
    descriptor = os.open(aside, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside.rename(path)
    sync_folder(path.parent)


def write_all(path: str, pieces: Iterable[bytes]) -> None:
    """The file holds the pieces one after another, not synced yet."""
    write(path, b"")
    with open(path, "wb") as file:
        file.writelines(pieces)


Whole = bytes | Path | Callable[[], Iterator[bytes]]


def put_all(files: Iterable[tuple[str, str, Whole]], root: Path | str, *, together: bool = False) -> list[str]:
    """Every (folder, name, data) stands under its name, durably, with two syncs for all; a Path is copied.

    What is too long for memory is told by a function that yields it in pieces.

    All folders must lie on the file system of `root`.  A name that is there is
    replaced.  Return the trouble of each one that could not be written; OSError
    when the file system itself fails to sync.  `together`: when one cannot be
    written, none appears.
    """
    troubles: list[str] = []
    moves: list[tuple[str, str]] = []
    for folder, name, data in files:
        aside = f"{folder}/.{len(moves)}.{os.getpid()}.writing"
        try:
            if isinstance(data, Path):
                write(aside, b"")
                shutil.copyfile(data, aside, follow_symlinks=False)
            elif callable(data):
                write_all(aside, data())
            else:
                write(aside, data)
        except OSError as error:
            troubles.append(str(error))
            if together:
                _forget(aside for aside, _ in moves)
                return troubles
        else:
            moves.append((aside, f"{folder}/{name}"))
    if moves:
        sync_filesystem(root)
        for aside, final in moves:
            try:
                os.rename(aside, final)
            except OSError as error:
                troubles.append(str(error))
        sync_filesystem(root)
    return troubles


def _forget(paths: Iterable[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
