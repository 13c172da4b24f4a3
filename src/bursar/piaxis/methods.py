"""How the client's methods are declared once for both colours.

A method has the vendor's signature and says which endpoint of the contract it calls, and how its arguments become the
endpoint's. Every method also takes `request_options`: header fields and a timeout for this call alone.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from msgspec.structs import replace

from bursar.client import AsyncCaller, Flow, Session, SyncCaller, call
from bursar.contract import (
    Async,
    AsyncListing,
    BaseEndpoint,
    InvalidRequestError,
    Listing,
    OffsetPaging,
    Page,
    Resource,
    Sync,
)
from bursar.contract.params import Param

from .errors import PiaxisUnreadableAnswerError
from .options import CREDENTIALS, RequestOptions

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
M = TypeVar("M", bound="Declared")
Arrange = Callable[[dict[str, Any]], dict[str, Any]]
Act = Callable[[Session, dict[str, Any]], Flow[Any]]
# What a client writes itself; a second one would contradict it (RFC 9110 section 5.3).
_OWN_FIELDS = frozenset({"content-type", "content-length", "host", "transfer-encoding", "connection"})


class Declared:
    """A method's signature and name, and the one endpoint that it calls, if it is one."""

    def __init__(
        self, function: Callable[..., Any], endpoint: BaseEndpoint | None, *, public: bool = False
    ) -> None:
        """`public`: sent without the client's credentials."""
        self.endpoint: BaseEndpoint | None = endpoint
        self.public: bool = public
        self.__name__: str = function.__name__
        self.__doc__ = function.__doc__
        signature = inspect.signature(function)
        self.__signature__: inspect.Signature = signature.replace(
            parameters=list(signature.parameters.values())[1:]
        )

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], RequestOptions]:
        """Return the arguments by name and the call's own options."""
        bound = self.__signature__.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = dict(bound.arguments)
        options: RequestOptions | None = arguments.pop("request_options", None)
        return arguments, {} if options is None else options


class Method(Declared, Generic[P, T]):
    """A method with one answer."""

    def __init__(
        self,
        function: Callable[..., Any],
        act: Act,
        endpoint: BaseEndpoint | None = None,
        *,
        public: bool = False,
    ) -> None:
        super().__init__(function, endpoint, public=public)
        self._act = act

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: Resource[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, obj: Resource[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, obj: Resource[Any] | None, owner: type) -> Any:
        if obj is None:
            return self
        return _Bound(self, lambda *args, **kwargs: self._run(obj, args, kwargs))

    def _run(self, obj: Resource[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments, options = self.bind(args, kwargs)
        caller: Any = obj.caller
        if "idempotency_key" in arguments:
            options = _key_taken_out(options, arguments)
        session = _with(caller.session, options, public=self.public and not arguments.pop("as_owner", False))
        return caller.run(self._act(session, arguments))


class ListingMethod(Declared, Generic[P, Item]):
    """A method that goes through a listing."""

    def __init__(self, function: Callable[..., Any], listing: BaseEndpoint, arrange: Arrange) -> None:
        super().__init__(function, listing)
        self._listing = listing
        self._arrange = arrange

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: Resource[Sync], owner: type) -> Callable[P, Page[Item]]: ...
    @overload
    def __get__(self, obj: Resource[Async], owner: type) -> Callable[P, AsyncListing[Item]]: ...
    def __get__(self, obj: Resource[Any] | None, owner: type) -> Any:
        if obj is None:
            return self
        return _Bound(self, lambda *args, **kwargs: self._run(obj, args, kwargs))

    def _run(self, obj: Resource[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments, options = self.bind(args, kwargs)
        caller: Any = obj.caller
        session = _with(caller.session, options, public=False)
        own: SyncCaller | AsyncCaller = type(caller)(session, caller.transport)
        return own.invoke(self._listing, self._arrange(arguments))


class _Bound:
    """A method on a resource. Documents itself like one written by hand."""

    def __init__(self, declared: Declared, run: Callable[..., Any]) -> None:
        self.__name__: str = declared.__name__
        self.__doc__ = declared.__doc__
        self.__signature__: inspect.Signature = declared.__signature__
        self._run = run

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(*args, **kwargs)


def calls(
    endpoint: BaseEndpoint, arrange: Arrange | None = None, *, public: bool = False
) -> Callable[[Callable[Concatenate[Any, P], T]], Method[P, T]]:
    """Declare a method that calls an endpoint; `arrange` makes the endpoint's arguments out of the method's."""

    def act(session: Session, arguments: dict[str, Any]) -> Flow[Any]:
        return _answer(session, endpoint, arguments if arrange is None else arrange(arguments))

    return lambda function: Method(function, act, endpoint, public=public)


def flows(act: Act) -> Callable[[Callable[Concatenate[Any, P], T]], Method[P, T]]:
    """Declare a method that makes several calls."""
    return lambda function: Method(function, act)


def lists(
    endpoint: BaseEndpoint, item: type[Item], arrange: Arrange
) -> Callable[[Callable[Concatenate[Any, P], Page[Item]]], ListingMethod[P, Item]]:
    """Declare a method that goes through the pages of an endpoint."""
    listing: BaseEndpoint = _ByItem(endpoint, item)
    return lambda function: ListingMethod(function, listing, arrange)


def same(method: M) -> Callable[[Callable[[Any], None]], M]:
    """Declare a method that is another one under a second name; its parameters and answer are that one's."""

    def named(function: Callable[[Any], None]) -> M:
        twin = copy.copy(method)
        twin.__name__ = function.__name__
        return twin

    return named


class _ByItem(Listing[..., Any]):
    """An endpoint that answers with a page, read item by item."""

    def __init__(self, endpoint: BaseEndpoint, item: type[Any]) -> None:
        super().__init__(endpoint.function, endpoint.description, OffsetPaging())
        self.whole: BaseEndpoint = endpoint
        self._item = item

    @property
    def params(self) -> tuple[Param, ...]:
        """See `BaseEndpoint`."""
        return self.whole.params

    @property
    def returns(self) -> Any:
        """See `BaseEndpoint`."""
        return self._item


def _answer(session: Session, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Flow[Any]:
    for param in endpoint.params:
        arguments.setdefault(param.name, param.default)
    try:
        return (yield from call(session, endpoint, arguments)).value
    except PiaxisUnreadableAnswerError as error:
        if error.status_code == 204:
            return None  # nothing to say is no failure (PC76)
        raise


def _key_taken_out(options: RequestOptions, arguments: dict[str, Any]) -> RequestOptions:
    """Make the argument of an idempotency key that was given as a header field, in whichever case (PC64)."""
    fields = options.get("headers") or {}
    key = next((value for name, value in fields.items() if name.lower() == "x-idempotency-key"), None)
    if key is None:
        return options
    if arguments["idempotency_key"] not in (None, key):
        raise InvalidRequestError("two idempotency keys were given, and they differ", "idempotency_key")
    arguments["idempotency_key"] = key
    rest = {name: value for name, value in fields.items() if name.lower() != "x-idempotency-key"}
    return {**options, "headers": rest}


def _with(session: Session, options: RequestOptions, *, public: bool) -> Session:
    """Return the session of one call: the client's credentials win over the call's (PC09)."""
    if not (options or public):
        return session
    unknown = set(options) - {"headers", "timeout"}
    if unknown:
        raise InvalidRequestError(f"request_options takes headers and timeout, not {min(unknown)!r}")
    own = _by_name(session.policy.headers)
    if public:
        own = {name: field for name, field in own.items() if name not in CREDENTIALS}
    given = _by_name(options.get("headers") or {})
    _check(given)
    if session.tokens is not None and not public:
        given.pop("authorization", None)
    if "accept" in given:
        own.pop("accept", None)
    agent = given.pop("user-agent", None)
    changes: dict[str, Any] = {"headers": dict({**given, **own}.values())}
    if agent is not None:
        changes["user_agent"] = agent[1]
    if (timeout := options.get("timeout")) is not None:
        changes["timeout"] = timeout
    policy = session.policy.altered(changes)
    return replace(session, policy=policy, tokens=None if public else session.tokens)


def _by_name(fields: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name.lower(): (name, value) for name, value in fields.items()}


def _check(given: Mapping[str, tuple[str, str]]) -> None:
    if own := _OWN_FIELDS & given.keys():
        raise InvalidRequestError(f"the client writes {min(own)} itself", "headers")
