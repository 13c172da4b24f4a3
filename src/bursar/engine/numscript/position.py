"""Where things are in a script: offsets while reading it, lines and columns when telling a person."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple, TypeAlias

Span: TypeAlias = tuple[int, int]
"""Offsets in characters of the first character and of the one after the last."""


class Position(NamedTuple):
    """A place, counted from 0; columns are characters. Only a line feed starts a new line."""

    line: int
    character: int


class Range(NamedTuple):
    """A stretch of the script; `end` is exclusive."""

    start: Position
    end: Position


class Source:
    """A script's text, able to say the line and column of an offset."""

    __slots__ = ("_line_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_starts: list[int] | None = None

    def position(self, offset: int) -> Position:
        """Line and column of an offset."""
        starts = self._line_starts
        if starts is None:
            starts = self._line_starts = [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]
        line = bisect_right(starts, offset) - 1
        return Position(line, offset - starts[line])

    def range(self, span: Span) -> Range:
        """Lines and columns of a span."""
        return Range(self.position(span[0]), self.position(span[1]))


def excerpt(text: str, marked: Range) -> str:
    """The lines of a range, each with a line of `~` under what is marked, and one line before and after (10)."""
    lines = text.split("\n")
    first, last = marked.start.line, marked.end.line
    shown: list[str] = []
    if first > 0:
        shown.append(_numbered(first - 1, lines[first - 1]))
    for number in range(first, last + 1):
        start = marked.start.character if number == first else 0
        end = marked.end.character if number == last else len(lines[number])
        shown.append(_numbered(number, lines[number]))
        shown.append(f"    | {' ' * start}{'~' * (end - start)}")
    if last < len(lines) - 1:
        shown.append(_numbered(last + 1, lines[last + 1]))
    return "".join(f"{line}\n" for line in shown)


def _numbered(number: int, line: str) -> str:
    # Tab stops fall one column earlier than every fourth, as in the recorded excerpts.
    return f" {number:3d} | {line}".expandtabs(4)[1:]
