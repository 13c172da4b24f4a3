"""Bodies that are sent or read piece by piece, so that they need not fit into memory."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import aclosing, closing
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from .effect import Outcome
from .errors import BursarError, InvalidRequestError, TransportError, UnreadableAnswer
from .record import Record

Item = TypeVar("Item")

MAX_LINE: Final = 64 * 2**20
"""A line of a streamed answer may have this many bytes."""


class Outgoing:
    """A body that is made while it is sent. It can be gone through once: `started` says whether it was."""

    def __init__(self, pieces: Iterable[Any] | AsyncIterable[Any], frame: Callable[[Any], bytes]) -> None:
        self._pieces = pieces
        self._frame = frame
        self.started: bool = False

    def __iter__(self) -> Iterator[bytes]:
        if not isinstance(self._pieces, Iterable):
            raise InvalidRequestError("an asynchronous iterable needs an asynchronous client")
        self.started = True
        for piece in self._pieces:
            yield self._bytes(piece)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        if isinstance(self._pieces, AsyncIterable):
            async for piece in self._pieces:
                yield self._bytes(piece)
        else:
            for piece in self._pieces:
                yield self._bytes(piece)

    def _bytes(self, piece: Any) -> bytes:
        try:
            return framed(piece, self._frame)
        except InvalidRequestError as error:
            # What came before it is on its way already.
            error.outcome = Outcome.UNKNOWN
            raise


def framed(piece: Any, frame: Callable[[Any], bytes]) -> bytes:
    """Return a piece of a body as bytes: bytes as they are, anything else as `frame` writes it."""
    return bytes(piece) if isinstance(piece, (bytes, bytearray, memoryview)) else frame(piece)


class Lines:
    """Cuts pieces of a text into lines, without their ends. Blank lines are left out."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that end in this piece. Raises `UnreadableAnswer` when one is endless."""
        head, *tail = piece.split(b"\n")
        self._rest.append(head)
        self._size += len(head)
        if self._size > MAX_LINE:
            raise UnreadableAnswer(f"a line is longer than {MAX_LINE} bytes")
        if not tail:
            return []
        lines = [b"".join(self._rest), *tail[:-1]]
        self._rest, self._size = [tail[-1]], len(tail[-1])
        return [line for line in lines if line.strip()]

    def end(self) -> list[bytes]:
        """Return the last line, if it has no end."""
        rest = b"".join(self._rest)
        return [rest] if rest.strip() else []


class Pieces(Protocol):
    """The body of an answer as it arrives. Closing it early gives the connection back."""

    def __iter__(self) -> Iterator[bytes]:
        """Go through what arrives. Raises `TransportError`."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class AsyncPieces(Protocol):
    """The asynchronous twin of `Pieces`."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Go through what arrives. Raises `TransportError`."""
        ...

    async def aclose(self) -> None:
        """Stop reading."""
        ...


class Incoming(Record, Generic[Item], frozen=True):
    """A streamed answer whose head has come."""

    pieces: Any
    """`Pieces` or `AsyncPieces`, by the caller's colour."""
    read: Callable[[bytes], Item]
    """From a line to an item. Raises `UnreadableAnswer`."""
    blame: Callable[[BursarError], Exception]
    """From what went wrong on the way to the API's own error."""


class ItemStream(Generic[Item]):
    """The items of an answer, read while they arrive. It can be gone through once.

    Reading to the end, `close` and leaving a ``with`` block give the connection back. Each read must bring something
    within the client's `timeout`; the whole has no bound. What goes wrong on the way is raised as the API's own error.
    """

    def __init__(self, incoming: Incoming[Item]) -> None:
        self._incoming = incoming

    def lines(self) -> Generator[bytes, None, None]:
        """Go through the lines as they arrive instead of the items: for copying them elsewhere unchanged."""
        lines = Lines()
        try:
            for piece in self._incoming.pieces:
                yield from lines.feed(piece)
            yield from lines.end()
        except (TransportError, UnreadableAnswer) as error:
            raise self._incoming.blame(error) from error
        finally:
            self.close()

    def __iter__(self) -> Iterator[Item]:
        with closing(self.lines()) as lines:
            for line in lines:
                yield _item(self._incoming, line)

    def close(self) -> None:
        """Stop reading."""
        self._incoming.pieces.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncItemStream(Generic[Item]):
    """The asynchronous twin of `ItemStream`; the request is sent when reading or the ``async with`` block begins.

    Use ``async with`` where the reading may stop early: an abandoned asynchronous iterator keeps its connection until
    the event loop clears it away.
    """

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, Incoming[Item]]]) -> None:
        self._begin = begin
        self._incoming: Incoming[Item] | None = None

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Go through the lines as they arrive instead of the items: for copying them elsewhere unchanged."""
        incoming = await self._opened()
        lines = Lines()
        try:
            async for piece in incoming.pieces:
                for line in lines.feed(piece):
                    yield line
            for line in lines.end():
                yield line
        except (TransportError, UnreadableAnswer) as error:
            raise incoming.blame(error) from error
        finally:
            await self.aclose()

    async def __aiter__(self) -> AsyncIterator[Item]:
        incoming = await self._opened()
        async with aclosing(self.lines()) as lines:
            async for line in lines:
                yield _item(incoming, line)

    async def aclose(self) -> None:
        """Stop reading."""
        if self._incoming is not None:
            await self._incoming.pieces.aclose()

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    async def _opened(self) -> Incoming[Item]:
        if self._incoming is None:
            self._incoming = await self._begin()
        return self._incoming


def _item(incoming: Incoming[Item], line: bytes) -> Item:
    try:
        return incoming.read(line)
    except UnreadableAnswer as error:
        raise incoming.blame(error) from error
