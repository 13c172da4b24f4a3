"""The real ledger server's command line flags, so that a deployment's settings carry over (section 20)."""

from __future__ import annotations

import shlex
from typing import Final

from msgspec import Struct

from bursar.engine.ledger.settings import Settings
from bursar.engine.pipelines.config import duration
from bursar.engine.pipelines.follower import Pace

_BOOLEANS: Final = frozenset(
    {
        "experimental-features",
        "experimental-exporters",
        "experimental-numscript-interpreter",
        "auth-enabled",
        "auth-check-scopes",
        "auto-upgrade",
        "debug",
        "worker",
        "json-formatting-logger",
    }
)
_VALUES: Final = frozenset(
    {
        "experimental-numscript-interpreter-flags",
        "schema-enforcement-mode",
        "bulk-max-size",
        "default-page-size",
        "max-page-size",
        "auth-issuers",
        "auth-issuer",
        "auth-service",
        "bind",
        "bulk-parallel",
        "numscript-cache-max-count",
        "worker-pipelines-pull-interval",
        "worker-pipelines-push-retry-period",
        "worker-pipelines-logs-page-size",
    }
)
_WITHOUT_EFFECT: Final = ("worker-", "audit-", "otel-", "postgres-", "publisher-", "emit-", "storage-")
"""Beginnings of flags about parts that Bursar does not have: brokers, databases, telemetry, separate workers."""


class UnknownFlag(ValueError):
    """A flag that the real server does not have either, or a value that it would not take."""


class Flags(Struct, frozen=True):
    """What the flags say. `auth_service` names the scopes: `ledger:read`, `ledger:write`."""

    settings: Settings = Settings()
    pace: Pace = Pace()
    auth_enabled: bool = False
    auth_check_scopes: bool = False
    auth_issuers: tuple[str, ...] = ()
    auth_service: str = ""


def parse(text: str) -> Flags:
    """The flags of a command line. Raises UnknownFlag."""
    given = _given(shlex.split(text))
    mode = given.get("schema-enforcement-mode", "audit")
    if mode not in ("audit", "strict"):
        raise UnknownFlag(f"--schema-enforcement-mode is audit or strict, not {mode!r}")
    return Flags(
        Settings(
            experimental_features=_true(given, "experimental-features"),
            experimental_exporters=_true(given, "experimental-exporters"),
            interpreter=_true(given, "experimental-numscript-interpreter"),
            interpreter_flags=frozenset(_listed(given, "experimental-numscript-interpreter-flags")),
            strict=mode == "strict",
            bulk_max_size=_number(given, "bulk-max-size", 100),
            default_page_size=_number(given, "default-page-size", 15) or 15,
            max_page_size=_number(given, "max-page-size", 100) or 100,
        ),
        pace=_pace(given),
        auth_enabled=_true(given, "auth-enabled"),
        auth_check_scopes=_true(given, "auth-check-scopes"),
        auth_issuers=(*_listed(given, "auth-issuers"), *_listed(given, "auth-issuer")),
        auth_service=given.get("auth-service", ""),
    )


def _given(words: list[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    ahead = list(reversed(words))
    while ahead:
        word = ahead.pop()
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise UnknownFlag(f"{word!r} is no flag")
        if name not in _BOOLEANS:
            if name not in _VALUES and not name.startswith(_WITHOUT_EFFECT):
                raise UnknownFlag(f"the ledger has no flag --{name}")
            if not equals:
                if not ahead:
                    raise UnknownFlag(f"--{name} needs a value")
                value = ahead.pop()
        else:
            value = _boolean(name, value) if equals else "true"
        given[name] = value
    return given


def _true(given: dict[str, str], name: str) -> bool:
    return given.get(name, "") == "true"


def _boolean(name: str, value: str) -> str:
    if value.lower() not in ("1", "t", "true", "0", "f", "false"):
        raise UnknownFlag(f"--{name} is true or false, not {value!r}")
    return "true" if value.lower() in ("1", "t", "true") else "false"


def _number(given: dict[str, str], name: str, default: int) -> int:
    value = given.get(name, str(default))
    if not (value.isascii() and value.isdigit()):
        raise UnknownFlag(f"--{name} is a whole number, not {value!r}")
    return int(value)


def _pace(given: dict[str, str]) -> Pace:
    usual = Pace()
    return Pace(
        _duration(given, "worker-pipelines-pull-interval", usual.poll),
        _duration(given, "worker-pipelines-push-retry-period", usual.retry),
        _number(given, "worker-pipelines-logs-page-size", usual.page) or usual.page,
    )


def _duration(given: dict[str, str], name: str, default: int) -> int:
    if name not in given:
        return default
    found = duration(given[name])
    if found is None or found < 0:
        raise UnknownFlag(f"--{name} is a duration such as 5s, not {given[name]!r}")
    return found


def _listed(given: dict[str, str], name: str) -> list[str]:
    return [item.strip() for item in given.get(name, "").split(",") if item.strip()]
