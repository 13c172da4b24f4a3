"""A request as the handlers of the ledger API see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope

from bursar.engine.ledger import times
from bursar.engine.ledger.commands import Options
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.wire import integer, to_text
from bursar.server import limits
from bursar.server.exchange import ClientGone
from bursar.server.ledger.paths import BadEscape, unescape

_TRUE: Final = frozenset({"1", "true"})
_YES: Final = frozenset({"true", "yes", "y", "1"})


class TooLarge(Exception):
    """The body is longer than the server takes."""


class Call:
    """One request: `path` holds the parameters of the path as the router saw them."""

    def __init__(self, scope: Scope, receive: Receive, path: dict[str, str]) -> None:
        self.scope = scope
        self.path = path
        self._receive = receive

    @property
    def ledger(self) -> str:
        """The ledger's name."""
        return self.path["ledger"]

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header fields by lower-case name; the first of repeated ones."""
        fields: dict[str, str] = {}
        for name, value in self.scope["headers"]:
            fields.setdefault(name.decode("latin-1").lower(), to_text(value.strip(b" \t")))
        return fields

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """Query parameters; pairs with `;` or a bad escape are dropped (section 2.3)."""
        raw = self.scope["query_string"].decode("latin-1")
        found: dict[str, list[str]] = {}
        for pair in raw.split("&") if raw else ():
            name, _, value = pair.partition("=")
            if pair and ";" not in pair:
                try:
                    found.setdefault(_component(name), []).append(_component(value))
                except BadEscape:
                    continue
        return found

    def parameter(self, *names: str) -> str:
        """The first value of the first of these names that has one; "" for none."""
        for name in names:
            values = self.query.get(name)
            if values and values[0]:
                return values[0]
        return ""

    def flag(self, name: str) -> bool:
        """Whether a parameter says true: only `1` and `true` do."""
        return self.parameter(name).lower() in _TRUE

    def time(self, *names: str) -> int | None:
        """A date; None when absent or unset. Raises Validation."""
        text = self.parameter(*names)
        return times.parse_optional(text) if text else None

    def natural(self, name: str, most: int) -> int:
        """A whole number up to `most`; 0 when absent. Raises Validation."""
        text = self.parameter(name)
        if not text:
            return 0
        number = integer(text, 0, most) if text[0] not in "+-" else None
        if number is None:
            raise Validation(f"invalid '{name}': {text!r} is no whole number from 0 to {most}")
        return number

    def address(self) -> str:
        """The account's address, decoded once more than other parameters. Raises Validation."""
        try:
            return unescape(self.path["address"])
        except BadEscape:
            raise Validation(
                "invalid account address", details=f"invalid URL escape in {self.path['address']!r}"
            ) from None

    @property
    def bigint_as_string(self) -> bool:
        """Whether amounts are wanted as texts (section 2.4)."""
        return self.headers.get("formance-bigint-as-string", "").lower() in _YES

    def options(self) -> Options:
        """Idempotency key, schema version and dry run of a write."""
        return Options(
            self.headers.get("idempotency-key", ""), self.parameter("schemaVersion"), self.flag("dryRun")
        )

    async def body(self, limit: int = limits.LEDGER_BODY_BYTES) -> bytes:
        """The whole body. Raises TooLarge and ClientGone."""
        parts: list[bytes] = []
        size = 0
        async for part in self.stream():
            size += len(part)
            if size > limit:
                raise TooLarge
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in the pieces in which it arrives. Raises ClientGone."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return


def _component(text: str) -> str:
    return unescape(text.replace("+", " ")) if "%" in text or "+" in text else to_text(unquote_to_bytes(text))
