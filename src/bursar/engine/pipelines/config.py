"""What an exporter may be told: one shape for each driver, unknown members allowed (section 15)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.wire import Members

DRIVERS: Final = ("clickhouse", "elasticsearch", "http", "noop", "stdout")
DEFAULT_INDEX: Final = "unified-stack-data"
_MOST_ITEMS: Final = 2**63 - 1
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


class Configuration(Struct, frozen=True):
    """A configuration that its driver understands. `at_once`: most logs of one delivery, 0 for no limit of its own."""

    driver: str
    at_once: int = 0
    url: str = ""
    """Of the http driver, the endpoint of elasticsearch, the dsn of clickhouse."""
    index: str = DEFAULT_INDEX
    username: str = ""
    password: str = ""


def read(driver: str, given: Any, *, present: bool = True) -> Configuration:
    """Check a configuration. Raises Validation."""
    if driver not in DRIVERS:
        raise Validation(f"driver {driver!r} not found: there are {', '.join(DRIVERS)}")
    if not present:
        raise Validation(f"exporter {driver!r} has no configuration: give a 'config' object")
    members = Members(given, "config")
    at_once = _batching(members)
    match driver:
        case "http":
            return Configuration(driver, at_once, _url(members))
        case "clickhouse":
            return Configuration(driver, at_once, _needed(members, "dsn"))
        case "elasticsearch":
            endpoint, index = _needed(members, "endpoint"), members.text("index") or DEFAULT_INDEX
            return Configuration(driver, at_once, endpoint, index, *_login(members))
        case _:
            return Configuration(driver, at_once)


def duration(text: str) -> int | None:
    """Microseconds of a duration such as `1m30s`, `200ms` or `0`; None for any other text."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total, end = Decimal(0), 0
    while end < len(rest):
        part = _PART.match(rest, end)
        if part is None:
            return None
        total += Decimal(part[1]) * _NANOSECONDS[part[2]]
        end = part.end()
    microseconds = int(total / 1000)
    return None if not rest else -microseconds if text.startswith("-") else microseconds


def _batching(members: Members) -> int:
    batching = members.members("batching")
    items = batching.raw("maxItems")
    if items is not None and (not isinstance(items, int) or isinstance(items, bool)):
        raise Validation("'config.batching.maxItems' must be a whole number")
    interval = batching.text("flushInterval")
    if interval and duration(interval) is None:
        raise Validation(f"'config.batching.flushInterval' {interval!r} is no duration: write 1s or 200ms")
    if not 0 <= (items or 0) <= _MOST_ITEMS:
        raise Validation("'config.batching.maxItems' must be 0 or more")
    return items or 0


def _needed(members: Members, name: str) -> str:
    text = members.text(name)
    if not text:
        raise Validation(f"'config.{name}' is required")
    return text


def _url(members: Members) -> str:
    text = _needed(members, "url")
    try:
        host = urlsplit(text).netloc
    except ValueError as error:
        raise Validation(f"'config.url' is no URL: {error}") from None
    if not host or not _SCHEME.match(text):
        raise Validation("'config.url' must have a scheme and a host: https://example.com/logs")
    return text


def _login(members: Members) -> tuple[str, str]:
    login = members.members("authentication")
    username, password = login.text("username"), login.text("password")
    if bool(username) != bool(password):
        raise Validation("'config.authentication' needs username and password together")
    if username and login.flag("awsEnabled"):
        raise Validation("'config.authentication' has username and password although awsEnabled is set")
    return username, password
