"""A watcher of folders: it wakes the scan when somebody closes a file he wrote; the scan alone is the truth.

watchdog costs some 130 µs of processor time an event, pairs the two halves of
a rename in quadratic time, and on overflow loses events without a word.  So it
is asked about closed files only, renames are left to the scan, and it rests
while much is waiting anyway.

Known limits: it hears nothing of files renamed in, of folders on network file
systems, and of folders beyond the kernel's number of watches; a folder that is
removed and made again is heard only after the next listening.  The scan finds
all of it, `scan_seconds` later.
"""

from collections.abc import Callable, Iterable

from watchdog.events import FileClosedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver


class _Ear(FileSystemEventHandler):
    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard

    def on_closed(self, event: FileSystemEvent) -> None:  # noqa: ARG002  only the wake-up counts
        """Somebody closed a file he wrote."""
        self._heard()


class Watcher:
    """Watches folders; `heard` is called in watchdog's thread."""

    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard
        self._observer: BaseObserver | None = None

    @property
    def awake(self) -> bool:
        """Whether it listens."""
        return self._observer is not None

    def listen(self, folders: Iterable[str]) -> None:
        """Every folder is listened to; a kernel without enough watches leaves it to the scan."""
        self.rest()
        observer = Observer()
        try:
            for folder in folders:
                observer.schedule(_Ear(self._heard), folder, event_filter=[FileClosedEvent])
            observer.start()
        except OSError:
            return
        self._observer = observer

    def rest(self) -> None:
        """Nothing is listened to."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None
