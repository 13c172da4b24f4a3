"""Answers and envelopes (section 2.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from bursar.engine.kernel.errors import EngineError
from bursar.engine.ledger import wire
from bursar.engine.ledger.errors import LedgerError, Validation
from bursar.engine.ledger.query.pages import Page, token_of

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"
_STATUSES: Final = {
    "NOT_FOUND": 404,
    "LEDGER_NOT_FOUND": 404,
    "CONFLICT": 409,
    "SCHEMA_ALREADY_EXISTS": 409,
    "BULK_SIZE_EXCEEDED": 413,
}
encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_AMOUNTS: Final = frozenset({"amount", "input", "output", "balance"})


class Answer(Struct, frozen=True):
    """Status, body, media type and further header fields; `stream` instead of a body whose length is not known."""

    status: int = 200
    body: bytes = b""
    media: str = JSON
    headers: Sequence[tuple[str, str]] = ()
    stream: AsyncIterator[bytes] | None = None


NO_CONTENT: Final = Answer(204)
NOT_FOUND: Final = Answer(404, b"404 page not found\n", TEXT)


def data(value: Any, *, status: int = 200, as_text: bool = False) -> Answer:
    """`{"data": value}`."""
    body = encode({"data": value})
    return Answer(status, amounts_as_text(body) if as_text else body)


def cursor(page: Page, *, as_text: bool = False) -> Answer:
    """`{"cursor": page}`."""
    body = encode({"cursor": shown_page(page)})
    return Answer(200, amounts_as_text(body) if as_text else body)


def shown_page(page: Page) -> dict[str, Any]:
    """A page as the API writes it."""
    out: dict[str, Any] = {"pageSize": page.size, "hasMore": page.next is not None}
    if page.previous is not None:
        out["previous"] = token_of(page.previous)
    if page.next is not None:
        out["next"] = token_of(page.next)
    out["data"] = page.data
    return out


def counted(number: int) -> Answer:
    """A count, in a header."""
    return Answer(204, headers=[("count", str(number))])


def refusal(error: EngineError, *, status: int | None = None) -> Answer:
    """A domain error in the API's envelope."""
    code = error.code if isinstance(error, LedgerError) else "INTERNAL"
    body = {"errorCode": code, "errorMessage": error.message}
    if isinstance(error, Validation) and error.details:
        body["details"] = error.details
    return Answer(status or _STATUSES.get(code, 400), encode(body))


def wrong_method(allowed: Sequence[str]) -> Answer:
    """405 with the methods that there are."""
    return Answer(405, headers=[("allow", ", ".join(sorted(allowed)))])


def amounts_as_text(body: bytes) -> bytes:
    """The same JSON with amounts, volumes and balances as texts (section 2.4)."""
    return encode(_as_text(_decode(body)))


def balances_as_text(balances: dict[str, int]) -> dict[str, str]:
    """Aggregated balances as texts."""
    return {asset: str(balance) for asset, balance in balances.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {
            key: str(item) if key in _AMOUNTS and isinstance(item, int) else _as_text(item)
            for key, item in items
        }
    if isinstance(value, list):
        return [_as_text(item) for item in wire.items(value)]
    return value
