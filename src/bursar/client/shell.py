"""What every client has around its endpoints: settings, its own connections, copies, pickling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self, TypeVar

from msgspec.structs import replace

from bursar.contract import Async, Resource, Sync

from .call import Session
from .caller import AsyncCaller, SyncCaller
from .policy import Policy
from .transport import asynchronous, blocking

Client = TypeVar("Client", bound="Resource[Any]")


class Given(NamedTuple):
    """What the caller brought along; it stays the caller's to close and cannot be pickled with the client."""

    session: object | None
    token_session: object | None
    token_provider: object | None


class SyncClient(Resource[Sync]):
    """The shell of a blocking client."""

    options: Any

    def __init__(self, options: Any, given: Given, shared: Session) -> None:
        self.options = options
        self._given = given
        self._calls = SyncCaller(shared, blocking(given.session))
        super().__init__(self._calls)

    def with_options(self, **changes: Any) -> Self:
        """Return a client with other settings (of `bursar.client.Policy`) on the same connections and tokens."""
        return _derived(self, SyncCaller(_altered(self._calls.session, changes), self._calls.transport))

    def close(self) -> None:
        """Release connections that are Bursar's own."""
        if self._given.session is None:
            self._calls.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.options, _settings(self._given, self._calls.session.policy))


class AsyncClient(Resource[Async]):
    """The shell of an asynchronous client; it may be used in several event loops, one after another."""

    options: Any

    def __init__(self, options: Any, given: Given, shared: Session) -> None:
        self.options = options
        self._given = given
        self._calls = AsyncCaller(shared, asynchronous(given.session))
        super().__init__(self._calls)

    def with_options(self, **changes: Any) -> Self:
        """Return a client with other settings (of `bursar.client.Policy`) on the same connections and tokens."""
        return _derived(self, AsyncCaller(_altered(self._calls.session, changes), self._calls.transport))

    async def aclose(self) -> None:
        """Release connections that are Bursar's own."""
        if self._given.session is None:
            await self._calls.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.options!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.options, _settings(self._given, self._calls.session.policy))


def _altered(session: Session, changes: Mapping[str, Any]) -> Session:
    return replace(session, policy=session.policy.altered(changes))


def _derived(client: Client, caller: SyncCaller | AsyncCaller) -> Client:
    derived = object.__new__(type(client))
    vars(derived).update(vars(client), caller=caller, _calls=caller)
    return derived


def _settings(given: Given, policy: Policy) -> dict[str, Any]:
    """Return the settings that a pickled client takes along."""
    if any(part is not None for part in given):
        raise TypeError("a client with a session or token provider of the caller's cannot be pickled")
    return {name: getattr(policy, name) for name in Policy.__struct_fields__ if name != "user_agent"}


def _revive(kind: Any, options: Any, settings: dict[str, Any]) -> Any:
    return kind(options).with_options(**settings)
