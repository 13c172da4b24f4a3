"""What `bursar serve` writes to standard error: one line for each record, as text or as a JSON object.

All loggers go the same way, uvicorn's too. A record that belongs to a request has the request's id, its trace and its
route. Of an exception the type and the places are written, never its text, which may quote what a caller sent (MS71).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final

from bursar.cli.log_options import Format, Level
from bursar.server.edge import OF_REQUEST, access_log, current

_PLAIN: Final = re.compile(r"[\w.:/{}@+-]+", re.ASCII)


class JsonLines(logging.Formatter):
    """One JSON object: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and the fields that the record has."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[2] is not None:
            line["stack"] = _stack(record)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """A line for people: time, level, logger and message, then the fields as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a stack follows on lines of its own."""
        fields = "".join(f" {name}={_shown(value)}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return f"{line}\n{_stack(record)}" if record.exc_info and record.exc_info[2] is not None else line


def set_up(format: Format, level: Level, *, access: bool) -> None:
    """Let all loggers write to standard error; those of requests only with `access`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if format is Format.JSON else TextLines())
    logging.basicConfig(handlers=[handler], level=level.name, force=True)
    logging.captureWarnings(True)
    access_log.setLevel(logging.INFO if access else logging.WARNING)


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the record says beside its message, and what is known of its request."""
    request = current.get() or {}
    fields = {} if "ended" in request else {name: request[name] for name in OF_REQUEST if request.get(name)}
    fields |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[0] is not None:
        fields["error"] = record.exc_info[0].__qualname__
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _stack(record: logging.LogRecord) -> str:
    assert record.exc_info is not None
    return "".join(traceback.format_tb(record.exc_info[2])).rstrip()


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
