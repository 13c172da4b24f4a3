"""How a contract's endpoint is served as FastAPI would: lenient paths, old clients' queries, replays (B1.1, B9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

import msgspec

from bursar.contract.binding import BadRequest, Incoming, Route
from bursar.contract.http import Response
from bursar.contract.model import OpenEnum
from bursar.contract.params import Param, Place
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import invalid
from bursar.engine.piaxis.keys import chosen_key
from bursar.server.api import Api, Guard
from bursar.server.exchange import Exchange
from bursar.server.piaxis.consent import with_field
from bursar.server.piaxis.errors import unreadable

KEY: Final = "x-idempotency-key"
ALIAS: Final = "idempotency-key"
_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})


def bind(api: Api, route: Route, guard: Guard[Caller], *, legacy: Iterable[str] = ()) -> None:
    """Serve an endpoint. `legacy`: members of the body that old clients send in the query."""
    description, params = route.endpoint.description, route.endpoint.params
    reads_body = any(param.place in (Place.BODY, Place.MEMBER) for param in params)
    old, enums = frozenset(legacy), _enums(params)

    async def handle(exchange: Exchange) -> Response:
        caller = await guard(exchange)
        headers = _with_key(exchange)
        body = await exchange.body() if reads_body else b""
        query = exchange.query
        if old:
            body, query = _moved(body, query, old)
        _check_enums(query, enums)
        try:
            response = await route.handle(Incoming(exchange.path, query, headers, body), caller)
        except BadRequest as error:
            raise unreadable(error, params) from None
        if caller.replay.replayed:
            return with_field(response, ("idempotent-replayed", "true"))  # PS97
        return response

    for path in _spellings(description.path):
        api.add(description.verb, path, handle)


def _enums(params: Iterable[Param]) -> dict[str, type[OpenEnum]]:
    """The query's parameters that have one of some known values."""
    found: dict[str, type[OpenEnum]] = {}
    for param in params:
        for option in get_args(param.kind) or (param.kind,):
            if param.place is Place.QUERY and isinstance(option, type) and issubclass(option, OpenEnum):
                found[param.wire_name] = option
    return found


def _check_enums(query: Iterable[tuple[str, str]], enums: Mapping[str, type[OpenEnum]]) -> None:
    """Refuse a filter that nothing can meet (PS88). Raises `InvalidRequest`."""
    for name, value in query:
        if name in enums and not enums[name](value).is_known:
            raise invalid(("query", name), f"{name} is one of {', '.join(enums[name])}", "enum")


def _spellings(path: str) -> list[str]:
    """The path with and without a slash at its end (PS44)."""
    bare = path.rstrip("/")
    return [bare, f"{bare}/"]


def _with_key(exchange: Exchange) -> dict[str, str]:
    """The header fields, with the one idempotency key that was sent under either name. Raises `Refusal` (E13)."""
    fields = exchange.headers
    if KEY not in fields and ALIAS not in fields:
        return fields
    key = chosen_key(fields.get(KEY), fields.get(ALIAS))
    return {**fields, KEY: key or ""}


def _moved(
    body: bytes, query: list[tuple[str, str]], names: frozenset[str]
) -> tuple[bytes, list[tuple[str, str]]]:
    """Take members out of the query into the body, unless it has them (PS31, PS77)."""
    found = {name: value for name, value in query if name in names}
    if not found:
        return body, query
    rest = [pair for pair in query if pair[0] not in found]
    try:
        members: Any = msgspec.json.decode(body or b"{}", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body, rest  # whoever reads the body says what is wrong with it
    added = {name: value for name, value in found.items() if name not in members}
    return msgspec.json.encode({**added, **members}), rest
