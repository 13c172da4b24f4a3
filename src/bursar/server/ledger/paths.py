"""Paths as Go's router sees them (section 1)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from bursar.engine.ledger.wire import to_text

_BAD_ESCAPE: Final = re.compile(r"%(?![0-9a-fA-F]{2})")
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~$&+,/:;=@-]*")


class BadEscape(ValueError):
    """A percent sign without two hexadecimal digits after it."""


def seen_by_router(raw: str) -> str:
    """The path that is routed: decoded, unless its encoding is not the canonical one, then as it was sent.

    So an escape of a reserved character (`%2F`, `%3A`) leaves all parameters undecoded. Raises BadEscape.
    """
    if _PLAIN.fullmatch(raw):
        return raw
    if _BAD_ESCAPE.search(raw):
        raise BadEscape(raw)
    decoded = unquote_to_bytes(raw)
    canonical = "".join(chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in decoded)
    return to_text(decoded) if canonical == raw else raw


def unescape(text: str) -> str:
    """Decode a path parameter. Raises BadEscape."""
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise BadEscape(text)
    return to_text(unquote_to_bytes(text))
