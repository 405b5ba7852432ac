"""Logs: past facts with data, never prose; for people on a terminal, JSON for programs.

Twisted's own events go the same way.  Nothing here or elsewhere logs identity
numbers, names or telephones.
"""

import logging
import sys
from typing import Any, cast

import structlog
from twisted.logger import ILogObserver, LogLevel, globalLogBeginner

log: Any = structlog.get_logger("kouan")


def configure(level: str, form: str) -> None:
    """Events of this level and above go to stderr, in that form: json, console, or auto by the terminal."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    last: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    observer = cast("ILogObserver", _from_twisted)
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False, discardBuffer=True)


def _from_twisted(event: dict[str, Any]) -> None:
    level = event.get("log_level", LogLevel.info)
    if level in (LogLevel.debug, LogLevel.info):
        return
    failure = event.get("log_failure")
    text = failure.getTraceback() if failure is not None else str(event.get("log_format") or event.get("message"))
    log.error("twisted.trouble", namespace=event.get("log_namespace"), text=text)
