"""The browser's part of OAuth: where to send it, and what it brings back."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bursar.contract import InvalidRequestError
from bursar.contract.url import query

from .errors import PiaxisOAuthCallbackError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
AUTHORIZE = (
    "merchant_id",
    "external_user_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
)


def authorize_url(base_url: str, params: Mapping[str, Any]) -> str:
    """Return where to send the browser; what is None is left out (PC15). Raises `InvalidRequestError`."""
    pairs: list[tuple[str, str]] = []
    for name in AUTHORIZE:
        value = params.get(name)
        if value is None and name in AUTHORIZE[:3]:
            raise InvalidRequestError(f"{name} is required", name)
        if value is not None:
            pairs.append((name, str(value)))
    check_redirect_uri(params["redirect_uri"])
    return f"{base_url}/authorize?{query(pairs)}"


def check_redirect_uri(uri: str) -> None:
    """Refuse an address that a code must not be sent to: https, or http to this machine (PC17)."""
    try:
        parts = urlsplit(uri)
        host = (parts.hostname or "").lower()
    except ValueError as error:
        raise InvalidRequestError(f"redirect_uri is no URL: {error}", "redirect_uri") from None
    if (
        not host
        or "#" in uri
        or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
    ):
        raise InvalidRequestError(
            "redirect_uri must be an absolute https URL without a fragment; plain http is for localhost only",
            "redirect_uri",
        )


@dataclass(frozen=True, slots=True)
class AuthorizationCallback:
    """What the browser brought back: exchange `code` with `exchange_token`."""

    code: str = field(repr=False)
    state: str | None = field(repr=False)


def parse_authorization_callback(
    callback: str | Mapping[str, str], *, expected_state: str | None
) -> AuthorizationCallback:
    """Return the code of a callback: its URL, its query, or its parameters.

    `expected_state` is what the URL was built with, kept in the user's session; None only where none was sent. Compared
    in constant time, and before anything else, so that a stranger's callback is told nothing. Raises
    `PiaxisOAuthCallbackError`, also for a customer's refusal (PC24).
    """
    found = dict(callback) if isinstance(callback, Mapping) else _parameters(callback)
    given = found.get("state")
    if not _same(given, expected_state):
        raise PiaxisOAuthCallbackError("state_mismatch", "the callback's state is not the one that was sent")
    if "error" in found:
        description = found.get("error_description")
        words = f"{found['error']}: {description}" if description else found["error"]
        raise PiaxisOAuthCallbackError(found["error"], f"the authorization was refused: {words}", description)
    if not found.get("code"):
        raise PiaxisOAuthCallbackError("invalid_callback", "the callback has neither a code nor an error")
    return AuthorizationCallback(found["code"], given)


def _same(given: str | None, expected: str | None) -> bool:
    if not expected:
        return not given and expected is None
    return hmac.compare_digest((given or "").encode("utf-8", "replace"), expected.encode("utf-8", "replace"))


def _parameters(callback: str) -> dict[str, str]:
    text = callback.partition("#")[0]
    try:
        pairs = parse_qsl(text.partition("?")[2] or text, keep_blank_values=True, max_num_fields=100)
    except ValueError as error:
        raise PiaxisOAuthCallbackError("invalid_callback", f"the callback cannot be read: {error}") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PiaxisOAuthCallbackError("invalid_callback", "the callback has a parameter twice")
    return found
