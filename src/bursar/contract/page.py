"""Listings: a page of items that knows how to ask for the next one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec

from .decode import strict_list
from .errors import UnreadableAnswer
from .json import elements, loads, members
from .record import Record

Item = TypeVar("Item")


class Unreadable(Record, frozen=True):
    """An item of a page that does not have the documented form; the others are not lost for it."""

    index: int
    value: Any
    reason: str


class Paging(Protocol):
    """How a listing is cut into pages."""

    @property
    def items(self) -> str:
        """Dotted path of the array in the answer."""
        ...

    def following(
        self, body: Mapping[str, Any], query: Mapping[str, Any], count: int
    ) -> dict[str, Any] | None:
        """Return the query parameters of the next page, None after the last one.

        `query` is what this page was asked with, `count` how many items it brought.
        """
        ...


class CursorPaging(Record, frozen=True):
    """Pages linked by an opaque token in the answer."""

    items: str = "cursor.data"
    next: str = "cursor.next"
    param: str = "cursor"

    def following(
        self, body: Mapping[str, Any], query: Mapping[str, Any], count: int
    ) -> dict[str, Any] | None:
        """See `Paging`."""
        token = lookup(body, self.next)
        return {self.param: token} if token else None


class OffsetPaging(Record, frozen=True):
    """Pages counted by offset, the total in the answer."""

    items: str = "results"
    total: str = "total"
    param: str = "offset"

    def following(
        self, body: Mapping[str, Any], query: Mapping[str, Any], count: int
    ) -> dict[str, Any] | None:
        """See `Paging`."""
        reached = int(query.get(self.param) or 0) + count
        total = lookup(body, self.total)
        if not count or not isinstance(total, int) or reached >= total:
            return None
        return {**query, self.param: reached}


def lookup(body: Any, path: str) -> Any:
    """Follow a dotted path into decoded JSON; None where it ends."""
    for name in path.split("."):
        body = (members(body) or {}).get(name)
    return body


def required_items(body: Any, paging: Paging) -> list[Any]:
    """Return the array of a page's answer. Raises `UnreadableAnswer` when there is none."""
    items = elements(lookup(body, paging.items))
    if items is None:
        raise UnreadableAnswer(f"the answer has no array at {paging.items}", paging.items)
    return items


class Slice(Record, Generic[Item], frozen=True):
    """What one page's answer held."""

    items: list[Item]
    unreadable: list[Unreadable]
    body: Mapping[str, Any]
    following: dict[str, Any] | None
    """Query parameters of the next page, None after the last."""

    hidden: ClassVar[frozenset[str]] = frozenset({"body"})


class _LateBody(Mapping[str, Any]):
    """The JSON of an answer, decoded when somebody looks at it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    @cached_property
    def _members(self) -> dict[str, Any]:
        return members(loads(self._body)) or {}

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return repr(self._members)


_raw_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def fast_slice(body: bytes, kind: Any, paging: Paging, query: Mapping[str, Any]) -> Slice[Any] | None:
    """Read a page all of whose items have the documented form; None when it has to be read with care."""
    decode = strict_list(kind)
    if decode is None:
        return None
    try:
        around, raw = _cut(body, paging.items)
        items = decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        return None
    return Slice(items, [], _LateBody(body), paging.following(around, query, len(items)))


def _cut(body: bytes, path: str) -> tuple[dict[str, Any], bytes]:
    """Return what is around a page's array, and the array as JSON. Raises `KeyError` when there is none."""
    around: dict[str, Any] = {}
    level, raw = around, body
    for name in path.split("."):
        found = _raw_members(raw)
        raw = bytes(found.pop(name))
        level.update((other, msgspec.json.decode(value)) for other, value in found.items())
        inner: dict[str, Any] = {}
        level[name] = inner
        level = inner
    return around, raw


class Page(Generic[Item]):
    """A page. Iterating goes through its items and then, asking on the way, through the following pages."""

    def __init__(self, held: Slice[Item], turn: Callable[[dict[str, Any]], Page[Item]]) -> None:
        self._held = held
        self._turn = turn

    @property
    def items(self) -> list[Item]:
        """The items of this page alone."""
        return self._held.items

    @property
    def unreadable(self) -> list[Unreadable]:
        """Items of this page that could not be read."""
        return self._held.unreadable

    @property
    def body(self) -> Mapping[str, Any]:
        """The answer as JSON gave it."""
        return self._held.body

    def __getitem__(self, name: str) -> Any:
        """Return a member of the answer as JSON gave it: ``page["total"]``."""
        return self._held.body[name]

    @property
    def has_next(self) -> bool:
        """True when another page follows."""
        return self._held.following is not None

    def next_page(self) -> Page[Item] | None:
        """Ask for the next page; None after the last."""
        following = self._held.following
        return None if following is None else self._turn(following)

    def pages(self) -> Iterator[Page[Item]]:
        """Go through this page and the following ones, asking for each when it is reached."""
        page: Page[Item] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items


class AsyncPage(Generic[Item]):
    """The asynchronous twin of `Page`."""

    def __init__(
        self, held: Slice[Item], turn: Callable[[dict[str, Any]], Coroutine[Any, Any, AsyncPage[Item]]]
    ) -> None:
        self._held = held
        self._turn = turn

    @property
    def items(self) -> list[Item]:
        """The items of this page alone."""
        return self._held.items

    @property
    def unreadable(self) -> list[Unreadable]:
        """Items of this page that could not be read."""
        return self._held.unreadable

    @property
    def body(self) -> Mapping[str, Any]:
        """The answer as JSON gave it."""
        return self._held.body

    def __getitem__(self, name: str) -> Any:
        """Return a member of the answer as JSON gave it: ``page["total"]``."""
        return self._held.body[name]

    @property
    def has_next(self) -> bool:
        """True when another page follows."""
        return self._held.following is not None

    async def next_page(self) -> AsyncPage[Item] | None:
        """Ask for the next page; None after the last."""
        following = self._held.following
        return None if following is None else await self._turn(following)

    async def pages(self) -> AsyncIterator[AsyncPage[Item]]:
        """Go through this page and the following ones, asking for each when it is reached."""
        page: AsyncPage[Item] | None = self
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item


class AsyncListing(Generic[Item]):
    """What an asynchronous listing call returns: await it for the first page, or iterate over all items."""

    def __init__(self, first: Callable[[], Coroutine[Any, Any, AsyncPage[Item]]]) -> None:
        self._first = first

    def __await__(self) -> Generator[Any, Any, AsyncPage[Item]]:
        return self._first().__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for item in await self._first():
            yield item
