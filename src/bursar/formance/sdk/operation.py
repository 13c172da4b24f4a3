"""The vendor's operations, by service and version."""

from __future__ import annotations

import warnings
from collections.abc import Coroutine, Mapping
from typing import Any

from bursar.contract import ApiError, BaseEndpoint, Reply

from .answers import Answer, answered
from .contracts import operations
from .failures import settled
from .native import CallSettings, Native
from .requests import arguments
from .settings import headers
from .surface import GROUPS
from .types import UNSET, Unset
from .utils.retries import RetryConfig


class _Operation:
    """An operation of the vendor's on an SDK; documents itself like a method."""

    def __init__(self, native: Native, group: str, endpoint: BaseEndpoint) -> None:
        self._native = native
        self._group = group
        self._endpoint = endpoint
        self.__doc__ = endpoint.__doc__

    def _warn(self) -> None:
        if self._endpoint.description.deprecated:
            words = f"{self._group}.{self._endpoint.name}: {self._endpoint.description.deprecated}"
            warnings.warn(words, DeprecationWarning, stacklevel=3)

    def _asked(self, request: object, settings: CallSettings) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the arguments of a call, and headers besides."""
        asked = arguments(self._group, self._endpoint, request)
        extra, asked = headers(settings.http_headers or {}, self._endpoint, asked)
        return asked, extra

    def _answered(self, reply: Reply[Any], pieces: list[bytes]) -> Answer:
        content = b"".join(pieces) if self._endpoint.streams else None
        return answered(self._group, self._endpoint, reply, content)

    def __repr__(self) -> str:
        return f"<operation {self._group}.{self._endpoint.name}>"


class Operation(_Operation):
    """Blocks until the answer is there."""

    def __call__(
        self,
        *,
        request: Any = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: int | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make the call. Raises the vendor's errors, and `InvalidRequestError` before anything leaves."""
        self._warn()
        settings = CallSettings(retries, server_url, timeout_ms, http_headers)
        asked, extra = self._asked(request, settings)
        caller = self._native.blocking(self._endpoint, settings, extra)
        try:
            reply: Reply[Any] = caller.invoke(self._endpoint, asked)
        except ApiError as error:
            return settled(self._group, self._endpoint, error)
        response: Any = reply.response
        return self._answered(reply, list(response.pieces) if self._endpoint.streams else [])


class AsyncOperation(_Operation):
    """The asynchronous twin of `Operation`."""

    def __call__(
        self,
        *,
        request: Any = None,
        retries: RetryConfig | Unset | None = UNSET,
        server_url: str | None = None,
        timeout_ms: int | None = None,
        http_headers: Mapping[str, str] | None = None,
    ) -> Coroutine[Any, Any, Answer]:
        """Make the call. Raises the vendor's errors, and `InvalidRequestError` before anything leaves."""
        self._warn()
        return self._made(request, CallSettings(retries, server_url, timeout_ms, http_headers))

    async def _made(self, request: object, settings: CallSettings) -> Answer:
        asked, extra = self._asked(request, settings)
        caller = self._native.asynchronous(self._endpoint, settings, extra)
        try:
            reply: Reply[Any] = await caller.invoke(self._endpoint, asked)
        except ApiError as error:
            return settled(self._group, self._endpoint, error)
        response: Any = reply.response
        return self._answered(
            reply, [piece async for piece in response.pieces] if self._endpoint.streams else []
        )


class Group:
    """A service's version: its operations, and each once more with ``_async`` at the end of its name.

    All take `request`, a mapping or one of the vendor's models, and `retries`, `server_url`, `timeout_ms` and
    `http_headers` for this call alone; all give an `Answer`.
    """

    def __init__(self, native: Native, group: str) -> None:
        self._native = native
        self._group = group

    def __getattr__(self, name: str) -> Any:
        known = {} if name.startswith("__") else operations(self._group)
        plain = name.removesuffix("_async")
        if name in known:
            function: Operation | AsyncOperation = Operation(self._native, self._group, known[name])
        elif plain in known:
            function = AsyncOperation(self._native, self._group, known[plain])
        else:
            raise AttributeError(f"{self._group} has no operation {name!r}")
        vars(self)[name] = function
        return function

    def __dir__(self) -> list[str]:
        known = operations(self._group)
        return sorted([*super().__dir__(), *known, *(f"{name}_async" for name in known)])


class Service:
    """A service: its versions as ``v1``, ``v2``, ``v3``."""

    def __init__(self, native: Native, name: str) -> None:
        self._native = native
        self._name = name

    def __getattr__(self, version: str) -> Group:
        group = f"{self._name}.{version}"
        if group not in GROUPS:
            raise AttributeError(f"the service {self._name} has no version {version!r}")
        found = Group(self._native, group)
        vars(self)[version] = found
        return found

    def __dir__(self) -> list[str]:
        versions = [group.partition(".")[2] for group in GROUPS if group.startswith(f"{self._name}.")]
        return sorted([*super().__dir__(), *versions])
