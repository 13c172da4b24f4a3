"""The functions of `store.base.Sql` for SQLite, which has neither big integers nor regular expressions."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct, json

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_CACHED_PATTERNS: Final = 1024


class _Sides(Struct):
    source: str
    destination: str


_object: Final = json.Decoder(dict[str, str] | None).decode
_postings: Final = json.Decoder(list[_Sides]).decode


def define(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    connection.create_aggregate("exact_sum", 1, _Sum)  # type: ignore[arg-type] # the stub wants int results only
    for name, arguments, function in (
        ("balance", 2, _balance),
        ("compare", 2, _compare),
        ("member", 2, _member),
        ("matches", 2, _matches),
        ("segments", 2, _segments),
        ("posting_matches", 3, _posting_matches),
        ("like_text", 2, _like),
        ("single", 2, _single),
    ):
        connection.create_function(name, arguments, function, deterministic=True)


class _Sum:
    def __init__(self) -> None:
        self._total = 0

    def step(self, value: int | str | None) -> None:
        if value is not None:
            self._total += int(value)

    def finalize(self) -> int | str:
        return _stored(self._total)


def _stored(value: int) -> int | str:
    return value if _LEAST <= value <= _MOST else str(value)


def _balance(put_in: int | str | None, put_out: int | str | None) -> int | str | None:
    return None if put_in is None or put_out is None else _stored(int(put_in) - int(put_out))


def _compare(left: int | str | None, right: int | str | None) -> int | None:
    if left is None or right is None:
        return None
    a, b = int(left), int(right)
    return (a > b) - (a < b)


def _member(text: str | None, key: str) -> str | None:
    return None if text is None else (_object(text) or {}).get(key)


@lru_cache(_CACHED_PATTERNS)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _matches(text: str | None, pattern: str) -> bool | None:
    return None if text is None else _compiled(pattern).fullmatch(text) is not None


def _segments(address: str, count: int) -> str:
    return ":".join(address.split(":", count)[:count])


def _posting_matches(postings: str, side: str, pattern: str) -> bool:
    fits = _compiled(pattern).fullmatch
    return any(fits(getattr(posting, side)) for posting in _postings(postings))


@lru_cache(_CACHED_PATTERNS)
def _like_pattern(pattern: str) -> re.Pattern[str]:
    out, escaped = [], False
    for char in pattern:
        if escaped or char not in "\\%_":
            out.append(re.escape(char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(".*" if char == "%" else ".")
    return re.compile("".join(out), re.DOTALL)


def _like(text: str | None, pattern: str) -> bool | None:
    return None if text is None else _like_pattern(pattern).fullmatch(text) is not None


def _single(count: int, value: Any) -> Any:
    if count > 1:
        raise ValueError("more than one row")
    return value
