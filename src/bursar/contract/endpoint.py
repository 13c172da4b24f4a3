"""An endpoint, described once.

A contract is a `Resource` whose methods are endpoints: the decorator states verb, path and effect, the signature the
parameters, the return annotation the answer, the docstring the documentation; the body is empty. The same description
gives the synchronous call, the asynchronous call, the raw calls, the server's route and the OpenAPI document.
"""

from __future__ import annotations

import inspect
import typing
import warnings
from collections.abc import Callable, Coroutine, Mapping
from functools import cached_property
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, Self, TypeVar, overload

import msgspec

from .decode import decoder, tolerant
from .effect import Effect
from .errors import UnreadableAnswer
from .http import Response
from .json import loads
from .model import Model
from .page import AsyncListing, Page, Paging, Slice, Unreadable, fast_slice, required_items
from .params import Param, resolve
from .record import Record
from .stream import AsyncItemStream, ItemStream

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")


class Colour:
    """How calls of a resource are made; a phantom type that decides what an endpoint gives on it."""


class Sync(Colour):
    """Calls block and return the answer."""


class Async(Colour):
    """Calls return an awaitable of the answer."""


class RawSync(Colour):
    """Calls block and return a `Reply`."""


class RawAsync(Colour):
    """Calls return an awaitable of a `Reply`."""


C = TypeVar("C", bound=Colour)


class Caller(Protocol):
    """Carries out the calls of a resource."""

    def invoke(self, endpoint: BaseEndpoint, arguments: dict[str, Any]) -> Any:
        """Call an endpoint with bound arguments; what comes back depends on the colour."""
        ...


class Resource(Generic[C]):
    """A group of endpoints, called through one `Caller`."""

    caller: Caller

    def __init__(self, caller: Caller) -> None:
        self.caller = caller


class Reply(Record, Generic[T], frozen=True):
    """An answer with what surrounds it. `value` is what the plain call would have returned."""

    value: T
    response: Response
    attempts: int
    """How many times the request was sent."""
    idempotency_key: str | None = None

    @property
    def request_id(self) -> str | None:
        """The server's ``x-request-id``."""
        return self.response.headers.get("x-request-id")


Verb = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Description(Record, frozen=True):
    """What the decorator of an endpoint says."""

    verb: Verb
    path: str
    """Template relative to the API's base URL, for example ``/payments/{payment_id}``."""
    effect: Effect
    status: int = 200
    """Status of a successful answer; a client takes any 2xx."""
    unwrap: str | None = None
    """Member of the JSON answer that holds the value, when it is wrapped."""
    media: Literal["json", "text"] = "json"
    echo: tuple[str, ...] = ()
    """Arguments that the answer must repeat: an answer about another object is refused."""
    errors: dict[int, str] = msgspec.field(default_factory=dict[int, str])
    """Documented error statuses and what each means here."""
    counted_in: str | None = None
    """Header of the answer that holds the value, an integer, in place of a body."""
    keyed_by: Callable[[Mapping[str, Any]], bool] | None = None
    """Tells from the arguments whether the body carries idempotency keys itself; makes a `KEYED` call without a header
    repeatable."""
    deprecated: str = ""
    """What to use instead; calling a deprecated endpoint warns."""


class BaseEndpoint:
    """What all endpoints share, whatever their types."""

    streams = False
    """True when the answer is read item by item while it arrives."""

    def __init__(
        self, function: Callable[..., Any], description: Description, paging: Paging | None = None
    ) -> None:
        self.function = function
        self.description = description
        self.paging = paging
        self.name: str = function.__name__
        self.__doc__ = function.__doc__

    @cached_property
    def _resolved(self) -> tuple[tuple[Param, ...], Any]:
        # Late, so that importing a contract does not evaluate its annotations.
        return resolve(self.function, self.description.verb, self.description.path)

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters, in the signature's order."""
        return self._resolved[0]

    @property
    def returns(self) -> Any:
        """Type of the value; of one item for a listing."""
        return self._resolved[1]

    @cached_property
    def envelope(self) -> Any:
        """Type of the JSON answer around the value."""
        if self.description.unwrap is None:
            return self.returns
        return msgspec.defstruct(
            f"{self.name}_answer", [(self.description.unwrap, self.returns)], bases=(Model,)
        )

    @cached_property
    def signature(self) -> inspect.Signature:
        """The call's signature, without self."""
        signature = inspect.signature(self.function)
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    @cached_property
    def _names(self) -> tuple[str, ...]:
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return tuple(name for name, p in self.signature.parameters.items() if p.kind in positional)

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name, defaults filled in. Raises `TypeError` as any call would."""
        arguments = dict(zip(self._names, args, strict=False))
        if len(args) > len(self._names) or arguments.keys() & kwargs.keys():
            self.signature.bind(*args, **kwargs)
        arguments.update(kwargs)
        for param in self.params:
            if param.name not in arguments:
                if param.required:
                    raise TypeError(f"{self.name}() misses the argument {param.name!r}")
                arguments[param.name] = param.default
        if len(arguments) > len(self.params):
            self.signature.bind(*args, **kwargs)
        return arguments

    def read(self, response: Response, arguments: dict[str, Any]) -> Any:
        """Return the value of a 2xx answer. Raises `UnreadableAnswer`."""
        if self.paging is not None:
            return self._read_slice(response, arguments, self.paging)
        if self.returns in (None, type(None)):
            return None
        if self.description.counted_in is not None:
            return _count(response, self.description.counted_in)
        if self.description.media == "text":
            return _text(response)
        if not response.body.strip():
            if response.status == 204 and type(None) in typing.get_args(self.returns):
                return None
            raise UnreadableAnswer("the answer is empty")
        value = decoder(self.envelope)(response.body)
        if self.description.unwrap is not None:
            value = getattr(value, self.description.unwrap)
        for name in self.description.echo:
            if getattr(value, name) != arguments[name]:
                raise UnreadableAnswer(
                    f"the answer is about {name} {getattr(value, name)}, not {arguments[name]}"
                )
        return value

    def _read_slice(self, response: Response, arguments: dict[str, Any], paging: Paging) -> Slice[Any]:
        fast = fast_slice(response.body, self.returns, paging, arguments)
        if fast is not None:
            return fast
        body = loads(response.body)
        items: list[Any] = []
        unreadable: list[Unreadable] = []
        for index, entry in enumerate(required_items(body, paging)):
            try:
                items.append(tolerant(entry, self.returns))
            except UnreadableAnswer as error:
                unreadable.append(Unreadable(index, entry, str(error)))
        following = paging.following(body, arguments, len(items) + len(unreadable))
        return Slice(items, unreadable, body, following)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.description.verb} {self.description.path}>"


def _text(response: Response) -> str:
    if response.media_type in ("text/html", "application/xhtml+xml"):
        raise UnreadableAnswer("the answer is an HTML page")
    return response.text


def _count(response: Response, name: str) -> int:
    text = response.headers.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise UnreadableAnswer(f"the answer has no number in its header {name}")
    return int(text)


class _Bound:
    """An endpoint on a resource; calling it makes the call. Documents itself like a method."""

    def __init__(self, endpoint: BaseEndpoint, caller: Caller) -> None:
        self._endpoint = endpoint
        self._caller = caller
        self.__name__ = endpoint.name
        self.__doc__ = endpoint.__doc__

    @property
    def __signature__(self) -> inspect.Signature:
        return self._endpoint.signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        endpoint = self._endpoint
        if endpoint.description.deprecated:
            words = f"{endpoint.name}: {endpoint.description.deprecated}"
            warnings.warn(words, DeprecationWarning, stacklevel=2)
        return self._caller.invoke(self._endpoint, self._endpoint.bind(args, kwargs))

    def __repr__(self) -> str:
        return f"<bound {self._endpoint!r}>"


class Endpoint(BaseEndpoint, Generic[P, T]):
    """An endpoint with one answer. What it gives on a resource follows the resource's colour."""

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: Resource[Sync], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, obj: Resource[Async], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, obj: Resource[RawSync], owner: type) -> Callable[P, Reply[T]]: ...
    @overload
    def __get__(self, obj: Resource[RawAsync], owner: type) -> Callable[P, Coroutine[Any, Any, Reply[T]]]: ...
    def __get__(self, obj: Resource[Any] | None, owner: type) -> Any:
        return self if obj is None else _Bound(self, obj.caller)


class Listing(BaseEndpoint, Generic[P, Item]):
    """An endpoint whose answer is one page of a list."""

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: Resource[Sync], owner: type) -> Callable[P, Page[Item]]: ...
    @overload
    def __get__(self, obj: Resource[Async], owner: type) -> Callable[P, AsyncListing[Item]]: ...
    @overload
    def __get__(self, obj: Resource[RawSync], owner: type) -> Callable[P, Reply[Slice[Item]]]: ...
    @overload
    def __get__(
        self, obj: Resource[RawAsync], owner: type
    ) -> Callable[P, Coroutine[Any, Any, Reply[Slice[Item]]]]: ...
    def __get__(self, obj: Resource[Any] | None, owner: type) -> Any:
        return self if obj is None else _Bound(self, obj.caller)


class Streaming(BaseEndpoint, Generic[P, Item]):
    """An endpoint whose answer is lines of JSON, read while they arrive."""

    streams = True

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...
    @overload
    def __get__(self, obj: Resource[Sync], owner: type) -> Callable[P, ItemStream[Item]]: ...
    @overload
    def __get__(self, obj: Resource[Async], owner: type) -> Callable[P, AsyncItemStream[Item]]: ...
    @overload
    def __get__(self, obj: Resource[RawSync], owner: type) -> Callable[P, Reply[ItemStream[Item]]]: ...
    @overload
    def __get__(
        self, obj: Resource[RawAsync], owner: type
    ) -> Callable[P, Coroutine[Any, Any, Reply[AsyncItemStream[Item]]]]: ...
    def __get__(self, obj: Resource[Any] | None, owner: type) -> Any:
        return self if obj is None else _Bound(self, obj.caller)

    @property
    def read_line(self) -> Callable[[bytes], Item]:
        """Return a function from a line to an item. It raises `UnreadableAnswer`."""
        return decoder(self.returns)


Method = Callable[Concatenate[Any, P], T]


def endpoint(
    verb: Verb,
    path: str,
    *,
    effect: Effect,
    status: int = 200,
    unwrap: str | None = None,
    media: Literal["json", "text"] = "json",
    echo: tuple[str, ...] = (),
    errors: dict[int, str] | None = None,
    keyed_by: Callable[[Mapping[str, Any]], bool] | None = None,
    deprecated: str = "",
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe an endpoint; see `Description` for what the arguments say."""
    description = Description(
        verb,
        path,
        effect,
        status,
        unwrap,
        media,
        echo,
        errors or {},
        keyed_by=keyed_by,
        deprecated=deprecated,
    )

    def decorate(function: Callable[Concatenate[Any, P], T]) -> Endpoint[P, T]:
        return Endpoint(function, description)

    return decorate


def get(
    path: str,
    *,
    unwrap: str | None = None,
    media: Literal["json", "text"] = "json",
    echo: tuple[str, ...] = (),
    errors: dict[int, str] | None = None,
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe a GET endpoint, which is always safe."""
    return endpoint("GET", path, effect=Effect.SAFE, unwrap=unwrap, media=media, echo=echo, errors=errors)


def post(
    path: str,
    *,
    effect: Effect,
    status: int = 200,
    unwrap: str | None = None,
    echo: tuple[str, ...] = (),
    errors: dict[int, str] | None = None,
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe a POST endpoint; its effect must be said."""
    return endpoint("POST", path, effect=effect, status=status, unwrap=unwrap, echo=echo, errors=errors)


def put(
    path: str, *, status: int = 200, unwrap: str | None = None, errors: dict[int, str] | None = None
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe a PUT endpoint, which is idempotent."""
    return endpoint("PUT", path, effect=Effect.IDEMPOTENT, status=status, unwrap=unwrap, errors=errors)


def delete(
    path: str, *, status: int = 204, errors: dict[int, str] | None = None
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe a DELETE endpoint, which is idempotent."""
    return endpoint("DELETE", path, effect=Effect.IDEMPOTENT, status=status, errors=errors)


def count(
    path: str, *, header: str, errors: dict[int, str] | None = None
) -> Callable[[Callable[Concatenate[Any, P], T]], Endpoint[P, T]]:
    """Describe a HEAD endpoint that answers with a number in a header."""
    description = Description("HEAD", path, Effect.SAFE, status=204, errors=errors or {}, counted_in=header)

    def decorate(function: Callable[Concatenate[Any, P], T]) -> Endpoint[P, T]:
        return Endpoint(function, description)

    return decorate


def listing(
    path: str,
    *,
    paging: Paging,
    verb: Verb = "GET",
    errors: dict[int, str] | None = None,
    deprecated: str = "",
) -> Callable[[Callable[Concatenate[Any, P], Item]], Listing[P, Item]]:
    """Describe a listing, which is safe whatever its verb; the annotated return type is that of one item."""
    description = Description(verb, path, Effect.SAFE, errors=errors or {}, deprecated=deprecated)

    def decorate(function: Callable[Concatenate[Any, P], Item]) -> Listing[P, Item]:
        return Listing(function, description, paging)

    return decorate


def streaming(
    verb: Verb, path: str, *, effect: Effect, errors: dict[int, str] | None = None
) -> Callable[[Callable[Concatenate[Any, P], Item]], Streaming[P, Item]]:
    """Describe an endpoint that answers with lines of JSON; the annotated return type is that of one line."""
    description = Description(verb, path, effect, errors=errors or {})

    def decorate(function: Callable[Concatenate[Any, P], Item]) -> Streaming[P, Item]:
        return Streaming(function, description)

    return decorate
