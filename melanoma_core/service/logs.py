"""Logs as lines of JSON, which hold no photograph, no name of a file or person, and no token.

A line holds what this project has put into `extra["fields"]`. Of all else it holds where it came
from and the pattern of its message: values that a program fills in, such as names, are left out.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType

EVENTS = logging.getLogger("melanoma_core.service")
"""Where the API logs its events."""
_CONSTANT = ("uvicorn",)  # loggers whose messages without values are constants
_REPLACED = ("", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "streamlit")
_MOST_FRAMES = 12


def log_event(event: str, **fields: object) -> None:
    """Log an event of the API.

    Args:
        event: What happened, in a few words that are always the same.
        **fields: What is known of it. No name of a file or person, no token.
    """
    EVENTS.info(event, extra={"fields": fields})


def log_error(error: BaseException, **fields: object) -> None:
    """Log an error: its kind and where it came up, without its message, which may hold a name."""
    EVENTS.error("error", extra={"fields": describe_error(error) | fields})


def describe_error(error: BaseException) -> dict[str, object]:
    """Return the kind of an error and the lines of code that led to it, without its message."""
    return {"error": type(error).__name__, "at": _list_frames(error.__traceback__)}


class JsonLines(logging.Formatter):
    """Writes each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= {"event": record.msg} | fields
        else:
            line |= {"event": _find_pattern(record), "line": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe_error(record.exc_info[1])
        return json.dumps(line, default=str)


def log_as_json() -> None:
    """Write all logs of this process to standard error as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    names = [name for name in logging.root.manager.loggerDict if name.startswith("streamlit.")]
    for name in (*_REPLACED, *names):
        logger = logging.getLogger(name)
        logger.handlers = [] if name else [handler]
        logger.propagate = True
    EVENTS.setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").disabled = True  # its lines hold addresses


def _find_pattern(record: logging.LogRecord) -> str:
    """Return the message before values are filled in; "" where it may hold values already."""
    is_pattern = isinstance(record.msg, str) and bool(record.args)
    if is_pattern or record.name.startswith(_CONSTANT):
        return str(record.msg)
    return ""


def _list_frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
