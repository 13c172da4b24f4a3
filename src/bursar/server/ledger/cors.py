"""Requests of other origins (section 1): any origin, with credentials, for GET, POST and HEAD only."""

from __future__ import annotations

from typing import Final

from bursar.server.ledger.answers import Answer
from bursar.server.ledger.call import Call

_METHODS: Final = frozenset({"GET", "POST", "HEAD"})
_SIMPLE: Final = frozenset({*_METHODS, "OPTIONS"})


def preflight(call: Call) -> Answer | None:
    """The answer to a preflight; None for any other request."""
    asked = call.headers.get("access-control-request-method", "")
    origin = call.headers.get("origin", "")
    if call.scope["method"] != "OPTIONS" or not asked:
        return None
    vary = ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
    if not origin or asked.upper() not in _METHODS:
        return Answer(200, headers=[vary])
    fields = [
        vary,
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", asked.upper()),
        ("access-control-allow-credentials", "true"),
    ]
    names = call.headers.get("access-control-request-headers", "")
    if names:
        shown = ", ".join(_canonical(name.strip()) for name in names.split(",") if name.strip())
        fields.append(("access-control-allow-headers", shown))
    return Answer(200, headers=fields)


def headers(call: Call) -> list[tuple[str, str]]:
    """What an ordinary answer carries."""
    origin = call.headers.get("origin", "")
    if not origin or call.scope["method"] not in _SIMPLE:
        return [("vary", "Origin")]
    return [
        ("vary", "Origin"),
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("access-control-expose-headers", "Count"),
    ]


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
