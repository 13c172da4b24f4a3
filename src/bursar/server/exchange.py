"""One HTTP request as handlers see it, read from ASGI messages within limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from bursar.contract.http import Response
from bursar.server import limits
from bursar.server.failure import Failure


class ClientGone(Exception):
    """The caller went away before its request was complete: there is nobody to answer."""


class Exchange:
    """A request: its head at once, its body when asked for.

    `path` holds the path parameters, unquoted.
    """

    def __init__(self, scope: Scope, receive: Receive, path: Mapping[str, str]) -> None:
        self.scope = scope
        self.path = path
        self._receive = receive

    @property
    def method(self) -> str:
        """The request's method, in capitals."""
        return str(self.scope["method"])

    @property
    def request_id(self) -> str:
        """The id that the answer carries as ``x-request-id``."""
        return str(self.scope["state"]["request_id"])

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header fields by lower-case name; repeated ones joined with a comma (RFC 9110 section 5.3)."""
        fields: dict[str, str] = {}
        for raw_name, raw_value in self.scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return fields

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The query's parameters in order. Raises a 400 `Failure` for one that is no text."""
        raw: bytes = self.scope["query_string"]
        return parse_form(raw) if raw else []

    @property
    def media_type(self) -> str:
        """The body's media type in lower case without parameters; "" when none is named."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def identify(self, client_id: str) -> None:
        """Note who calls, for the access log."""
        self.scope["state"]["client_id"] = client_id

    async def body(self, *, limit: int = limits.BODY_BYTES) -> bytes:
        """Read the body. Raises a 413 `Failure` when it is longer than `limit` bytes, and `ClientGone`."""
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise _too_large(limit)
            parts.append(part)
            if not message.get("more_body", False):
                return part if len(parts) == 1 else b"".join(parts)

    async def form(self) -> dict[str, str]:
        """Read a body of type ``application/x-www-form-urlencoded``; a repeated field is refused (RFC 6749 3.2)."""
        if self.media_type != "application/x-www-form-urlencoded":
            raise Failure(415, "the body must be application/x-www-form-urlencoded")
        pairs = parse_form(await self.body(limit=limits.FORM_BYTES))
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise Failure(400, "a field is repeated")
        return fields


def parse_form(raw: bytes) -> list[tuple[str, str]]:
    """Split a query string or form. Raises a 400 `Failure` for bad UTF-8 and for too many fields."""
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=limits.QUERY_FIELDS,
        )
    except UnicodeDecodeError:
        raise Failure(400, "a parameter is not UTF-8") from None
    except ValueError:
        raise Failure(400, f"more than {limits.QUERY_FIELDS} parameters") from None


async def answer(send: Send, response: Response) -> None:
    """Send a whole answer."""
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    if response.status not in (204, 304):
        fields.append((b"content-length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": fields})
    await send({"type": "http.response.body", "body": response.body})


def _too_large(limit: int) -> Failure:
    return Failure(413, f"the body is larger than {limit} bytes")
