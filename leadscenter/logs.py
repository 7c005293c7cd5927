"""Log lines that hold no person's data.

Neither formatter prints a query string, a body, or the text of an exception: a database error quotes the row, a
parse error the input. What is printed of an exception is its type and where it came from.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

EXTRAS = ("request_id", "method", "path", "status", "milliseconds", "actor", "can", "target", "task", "count")
"""The only names that a call may pass in `extra`; anything else is dropped."""


def origin(record: logging.LogRecord) -> str:
    """Type of the exception and the frames it went through, innermost last, without its text."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    frames = traceback.extract_tb(record.exc_info[2])
    path = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:])
    return f"{record.exc_info[0].__name__} at {path}"


def message(record: logging.LogRecord) -> str:
    """The text of the record, without a request's path (Django) and without the text of an exception (Celery)."""
    text = record.getMessage()
    if hasattr(record, "request"):
        return text.partition(":")[0]
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        for quoted in filter(None, (repr(error), str(error))):
            text = text.replace(quoted, type(error).__name__)
    return text


class JsonLine(logging.Formatter):
    """One JSON object per line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message(record),
        }
        line |= {name: getattr(record, name) for name in EXTRAS if hasattr(record, name)}
        if where := origin(record):
            line["exception"] = where
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainLine(logging.Formatter):
    """The same for people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        extras = " ".join(str(getattr(record, name)) for name in EXTRAS[1:] if hasattr(record, name))
        parts = [at, record.levelname.lower(), record.name, message(record), extras, origin(record)]
        return " ".join(part for part in parts if part)


def configuration(*, for_people: bool) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, in plain lines for people or JSON for machines."""
    ours = {"handlers": ["stream"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "leadscenter.logs.PlainLine" if for_people else "leadscenter.logs.JsonLine"}},
        "handlers": {"stream": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stream"], "level": "INFO"},
        "loggers": {
            "django": {**ours, "level": "INFO"},
            "django.request": {"level": "ERROR"},  # the frame writes one line for each request, refused or not
            "django.server": {**ours, "level": "ERROR"},
            # Tasks tick each second; what they did stands in rows.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
