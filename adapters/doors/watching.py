"""A watcher of folders: it wakes the scan and tells of renames; the scan alone is the truth.

watchdog costs some 130 µs of processor time an event, and on overflow events
are lost without a word.  So it rests while much is waiting anyway.
"""

import os
from collections.abc import Callable, Mapping

from watchdog.events import FileClosedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

_EVENTS = [FileMovedEvent, FileClosedEvent]


class _Ear(FileSystemEventHandler):
    def __init__(self, sender: str, heard: Callable[[str, str | None], None]) -> None:
        self._sender = sender
        self._heard = heard

    def on_moved(self, event: FileSystemEvent) -> None:
        """A file got its name by a rename inside the folder: it is whole."""
        self._heard(self._sender, os.fsdecode(os.path.basename(event.dest_path)))

    def on_closed(self, event: FileSystemEvent) -> None:  # noqa: ARG002  only the wake-up counts
        """Somebody closed a file he wrote."""
        self._heard(self._sender, None)


class Watcher:
    """Watches folders by sender's name; `heard` is called in watchdog's thread."""

    def __init__(self, heard: Callable[[str, str | None], None]) -> None:
        """`heard` gets the sender and, after a rename, the file's name."""
        self._heard = heard
        self._observer: BaseObserver | None = None

    @property
    def awake(self) -> bool:
        """Whether it listens."""
        return self._observer is not None

    def listen(self, folders: Mapping[str, str]) -> None:
        """Every folder is listened to; a kernel without enough watches leaves it to the scan."""
        self.rest()
        observer = Observer()
        try:
            for sender, folder in folders.items():
                observer.schedule(_Ear(sender, self._heard), folder, event_filter=_EVENTS)
            observer.start()
        except OSError:
            return
        self._observer = observer

    def rest(self) -> None:
        """Nothing is listened to."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None
