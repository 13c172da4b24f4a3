"""Address patterns (section 6.6): exact addresses, single-segment wildcards, everything below a prefix."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

_SEGMENT: Final = "[^:]*"
ALL: Final = "..."


class Pattern(Struct, frozen=True):
    """`exact` is the one address that fits, or None: then those that `regex` fits whole; all begin with `prefix`."""

    exact: str | None
    regex: str
    prefix: str = ""
    known: str = ""
    """The longest text between wildcards, with its colons."""


def parse(text: str, *, middle: bool) -> Pattern:
    """The pattern of a filter's value.

    `middle` says whether `...` in the middle is one more wildcard when there is another (not so on transactions).
    """
    segments = text.split(":")
    below = segments[-1] == ALL
    if below:
        segments.pop()
    if not below and "" not in segments:
        return Pattern(text, re.escape(text))
    wild = {"", ALL} if middle and "" in segments else {""}
    parts = [_SEGMENT if segment in wild else re.escape(segment) for segment in segments]
    regex = ":".join(parts)
    if below:
        regex = f"{regex}(?::.*)?" if parts else ".*"
    fixed: list[str] = []
    for segment in segments:
        if segment in wild:
            break
        fixed.append(segment)
    prefix = ":".join(fixed)
    if len(fixed) < len(segments) and fixed:
        prefix += ":"
    return Pattern(None, regex, prefix, _known(["" if segment in wild else segment for segment in segments]))


def _known(segments: list[str]) -> str:
    """The longest of the segments that are not empty, with a colon where something stands before it."""
    number, text = max(enumerate(segments), key=lambda item: len(item[1]), default=(0, ""))
    return f":{text}" if number and text else text


def is_pattern(text: str) -> bool:
    """Whether more than one address may fit."""
    return parse(text, middle=False).exact is None


def after(prefix: str) -> str:
    """The least text beyond all that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
