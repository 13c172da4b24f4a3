"""Parameters and credentials as the real service reads them: leniently, from the query and from forms alike."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final, NamedTuple

from bursar.engine.ledger.wire import to_text
from bursar.server import limits
from bursar.server.ledger.call import Call
from bursar.server.ledger.paths import BadEscape, unescape

_FORM: Final = "application/x-www-form-urlencoded"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class Form:
    """The parameters of a request: those of the form first, then those of the query."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def first(self, name: str) -> str:
        """The first value of a parameter; "" for none."""
        return next((value for key, value in self._pairs if key == name), "")

    def last(self, name: str) -> str:
        """The last value of a parameter; "" for none."""
        return next((value for key, value in reversed(self._pairs) if key == name), "")


class Credentials(NamedTuple):
    """What a client says about itself."""

    client_id: str
    secret: str


class BadCredentials(Exception):
    """HTTP Basic credentials with a bad percent escape."""


async def read(call: Call) -> Form:
    """Read all parameters of a request; bodies of other types are not read. Raises `TooLarge` and `ClientGone`."""
    query = to_text(call.scope["query_string"])
    media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = ""
    if call.scope["method"] in _WITH_BODY and media == _FORM:
        body = to_text(await call.body(limits.FORM_BYTES))
    return Form([*_pairs(body), *_pairs(query)])


def basic(call: Call) -> Credentials | None:
    """Return HTTP Basic credentials, form-encoded as RFC 6749 2.3.1 wants; None for none that can be read.

    Raises `BadCredentials`.
    """
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = to_text(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return None
    client_id, colon, secret = text.partition(":")
    if not colon:
        return None
    try:
        return Credentials(_decoded(client_id), _decoded(secret))
    except BadEscape:
        raise BadCredentials from None


def credentials(call: Call, form: Form) -> Credentials:
    """Return the credentials of HTTP Basic or else of the form, empty when absent. Raises `BadCredentials`."""
    return basic(call) or Credentials(form.last("client_id"), form.last("client_secret"))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """The parameters of a query or form; pairs with `;` or a bad escape are dropped."""
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if pair and ";" not in pair:
            try:
                yield _decoded(name), _decoded(value)
            except BadEscape:
                continue


def _decoded(text: str) -> str:
    return unescape(text.replace("+", " "))
