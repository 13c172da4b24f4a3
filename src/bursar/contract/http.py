"""An HTTP request and its answer as plain data, without any library's types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from .record import Record


class Headers(Mapping[str, str]):
    """Header fields by case-insensitive name (RFC 9110 section 5.1). Repeated fields are joined with a comma."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, str] = {}
        for name, value in fields:
            key = name.lower()
            known = self._fields.get(key)
            self._fields[key] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({sorted(self._fields)})"


class Request(Record, frozen=True):
    """One HTTP request. `repr` shows neither query, headers nor body, since they may hold secrets."""

    method: str
    url: str
    """Absolute URL, already encoded."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    pieces: Any = None
    """A body that is made while it is sent (`bursar.contract.stream.Outgoing`), in place of `body`; None for none."""

    hidden: ClassVar[frozenset[str]] = frozenset({"body", "headers", "pieces", "url"})


class Response(Record, frozen=True):
    """One HTTP answer, body read whole."""

    status: int
    headers: Headers = msgspec.field(default_factory=Headers)
    body: bytes = b""

    hidden: ClassVar[frozenset[str]] = frozenset({"body"})

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        """The answer's media type in lower case without parameters; "" when it names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as UTF-8 text; bytes that are none become U+FFFD."""
        return self.body.decode("utf-8", "replace")


class StreamedResponse(Response, frozen=True):
    """An answer whose body is still to be read: `body` is empty, `pieces` brings it."""

    pieces: Any = None
    """`bursar.contract.stream.Pieces`, or `AsyncPieces` from an asynchronous transport."""

    hidden: ClassVar[frozenset[str]] = frozenset({"body", "pieces"})
