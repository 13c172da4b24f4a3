"""The choices of `bursar serve` about its log; apart from what writes it, so that `--help` is quick."""

from __future__ import annotations

from enum import Enum


class Format(Enum):
    """How lines look."""

    TEXT = "text"
    JSON = "json"


class Level(Enum):
    """The least serious that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
