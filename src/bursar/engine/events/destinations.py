"""Where events can go: an HTTP endpoint, or NATS JetStream."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bursar.engine.events.message import TYPES, Event
from bursar.engine.events.publisher import NotTaken

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]
"""Sends a body to a URL with header fields; the answer's status and body. Raises OSError when there is none."""

STREAM: Final = "bursar-ledger"
"""The JetStream stream that is made when none takes the subjects."""
CONNECT_SECONDS: Final = 5.0
CONFIRM_SECONDS: Final = 10.0


class MissingLibrary(Exception):
    """A destination needs a package that is not installed."""


class HttpDestination:
    """POSTs each event as JSON; any 2xx confirms it. `Event-Id` is the same in each repetition."""

    def __init__(self, url: str, post: Post) -> None:
        self._url = url
        self._post = post

    async def send(self, events: Sequence[Event]) -> None:
        """See `publisher.Send`."""
        for event in events:
            fields = {"Content-Type": "application/json", "Event-Id": event.id, "Event-Type": event.type}
            try:
                status, _ = await self._post(self._url, fields, event.body)
            except OSError as error:
                raise NotTaken(f"the endpoint cannot be reached: {error}") from error
            if not 200 <= status < 300:
                raise NotTaken(f"the endpoint answered {status}")

    async def close(self) -> None:
        """Nothing to give back."""


class NatsDestination:
    """Publishes each event to JetStream on the subject of its type and waits for the stream's confirmation.

    The message id lets the stream drop repetitions within its window (`duplicate_window`, two minutes by default).
    """

    def __init__(self, url: str) -> None:
        try:
            self._library: Any = importlib.import_module("nats")
        except ImportError:
            raise MissingLibrary(
                "events to NATS need the package nats-py: pip install 'bursar[nats]'"
            ) from None
        self._url = url
        self._connection: Any = None
        self._stream: Any = None

    async def send(self, events: Sequence[Event]) -> None:
        """See `publisher.Send`."""
        try:
            stream = await self._connected()
            for event in events:
                await stream.publish(
                    event.type, event.body, timeout=CONFIRM_SECONDS, headers={"Nats-Msg-Id": event.id}
                )
        except (OSError, TimeoutError, self._library.errors.Error) as error:
            await self.close()
            raise NotTaken(f"NATS did not confirm: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._stream = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _connected(self) -> Any:
        if self._stream is None:
            self._connection = await self._library.connect(
                self._url,
                connect_timeout=CONNECT_SECONDS,
                allow_reconnect=False,
                max_reconnect_attempts=0,
                error_cb=_ignore,
            )
            self._stream = self._connection.jetstream()
            await self._ensure_stream()
        return self._stream

    async def _ensure_stream(self) -> None:
        """A subject that no stream takes would be published to nobody."""
        missing: list[str] = []
        for subject in TYPES.values():
            try:
                await self._stream.find_stream_name_by_subject(subject)
            except self._library.js.errors.NotFoundError:
                missing.append(subject)
        if not missing:
            return
        try:
            known = (await self._stream.stream_info(STREAM)).config
        except self._library.js.errors.NotFoundError:
            await self._stream.add_stream(name=STREAM, subjects=missing)
        else:
            known.subjects = [*(known.subjects or ()), *missing]
            await self._stream.update_stream(known)


async def _ignore(error: Exception) -> None:
    """What goes wrong is said by the call that it spoils."""
