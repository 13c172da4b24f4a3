"""URLs that lead where the caller meant (RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from .errors import InvalidRequestError

# RFC 3986 section 3.3: what a path segment may hold unescaped besides letters, digits and "-._~".
_SEGMENT_SAFE = "!$&'()*+,;=:@"
# RFC 3986 section 2: nothing else may stand in a URL; names of hosts beyond ASCII are written in punycode.
_URL_TEXT = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def base_url(url: str, *, what: str = "base_url") -> str:
    """Return `url` without trailing slashes.

    Raises `InvalidRequestError` unless it is an absolute https URL, or http to a loopback host, without query,
    fragment and credentials.
    """
    text = url.strip()
    if not _URL_TEXT.fullmatch(text):
        raise InvalidRequestError(f"{what} must be an absolute http(s) URL in ASCII, escaped where due", what)
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower()
        _ = parts.port
    except ValueError as error:
        raise InvalidRequestError(f"{what} is no URL: {error}", what) from None
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidRequestError(f"{what} must be an absolute http(s) URL", what)
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise InvalidRequestError(f"{what} must use https: plain http is for loopback hosts only", what)
    if parts.username is not None or "?" in text or "#" in text:
        raise InvalidRequestError(f"{what} must not hold credentials, a query or a fragment", what)
    return text.rstrip("/")


def segment(value: str, *, what: str) -> str:
    """Quote one path segment. An empty one and the dot segments would change the path, so they are refused."""
    if not value.strip():
        raise InvalidRequestError(f"{what} is required", what)
    if value in (".", ".."):
        raise InvalidRequestError(f"{what} must not be a dot segment", what)
    return _quote(value, _SEGMENT_SAFE, what)


def query(pairs: list[tuple[str, str]]) -> str:
    """Return the pairs as a query string with nothing left unescaped but unreserved characters; "" for none."""
    return "&".join(f"{_quote(name, '', name)}={_quote(value, '', name)}" for name, value in pairs)


def _quote(value: str, safe: str, what: str) -> str:
    try:
        return quote(value, safe=safe)
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{what} holds a lone surrogate, which is no text", what) from None
