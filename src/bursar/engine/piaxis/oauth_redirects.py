"""Redirect URIs: which may be registered, and which registered one an asked one is (PS07 to PS09, RFC 8252)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import SplitResult, urlencode, urlsplit

from bursar.engine.errors import InvalidInput

MAX_LENGTH: Final = 2048
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_TEXT: Final = re.compile(r"[\x21-\x7e]+")


def checked(uri: str) -> str:
    """Return a redirect URI that may be registered. Raises `InvalidInput` (PS09).

    https, or http on this machine; absolute, without credentials and fragment (RFC 6749 section 3.1.2).
    """
    parts = _split(uri)
    if parts is None or "\\" in uri:
        raise InvalidInput("a redirect URI is an absolute URL of printable ASCII")
    if parts.fragment or uri.endswith("#") or parts.username is not None or "*" in parts.netloc:
        raise InvalidInput("a redirect URI has no fragment, no credentials and no wildcard host")
    if parts.scheme != "https" and not is_loopback(parts):
        raise InvalidInput("a redirect URI is https; http is for localhost only")
    return uri


def is_registered(asked: str, registered: Iterable[str]) -> bool:
    """Whether an asked URI is one of the registered: the same text, but for the port on this machine (PS08)."""
    known = list(registered)
    if asked in known:
        return True
    wanted = _split(asked)
    if wanted is None or not is_loopback(wanted):
        return False
    return any(
        _portless(wanted) == _portless(one) for uri in known if (one := _split(uri)) and is_loopback(one)
    )


def is_loopback(parts: SplitResult) -> bool:
    """Whether a URL is http on this machine."""
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """Return the URI with parameters added behind those that it has (RFC 6749 section 4.1.2)."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"


def origin(uri: str) -> str:
    """Return scheme, host and port of a URI, as a Content-Security-Policy names them."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _split(uri: str) -> SplitResult | None:
    if len(uri) > MAX_LENGTH or not _TEXT.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - reading it is what raises for a bad one
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.hostname else None


def _portless(parts: SplitResult) -> tuple[str | None, str, str]:
    return parts.hostname, parts.path, parts.query
