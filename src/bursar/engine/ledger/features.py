"""The features of a ledger, fixed when it is made (section 11.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import json

from bursar.engine.ledger.errors import Validation
from bursar.engine.registry import DEFAULT_FEATURES, LedgerRow

MOVES: Final = "MOVES_HISTORY"
EFFECTIVE: Final = "MOVES_HISTORY_POST_COMMIT_EFFECTIVE_VOLUMES"
HASH: Final = "HASH_LOGS"
ACCOUNT_HISTORY: Final = "ACCOUNT_METADATA_HISTORY"
TRANSACTION_HISTORY: Final = "TRANSACTION_METADATA_HISTORY"

_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    MOVES: ("ON", "OFF"),
    EFFECTIVE: ("SYNC", "DISABLED"),
    HASH: ("SYNC", "ASYNC", "DISABLED"),
    ACCOUNT_HISTORY: ("SYNC", "DISABLED"),
    TRANSACTION_HISTORY: ("SYNC", "DISABLED"),
}
_ON: Final = ("ON", "SYNC")
DEFAULTS: Final[Mapping[str, str]] = json.decode(DEFAULT_FEATURES, type=dict[str, str])
_decode: Final = json.Decoder(dict[str, str]).decode


def complete(given: Mapping[str, str], *, experimental: bool) -> dict[str, str]:
    """All features, defaults where none is given. Raises Validation.

    Without `experimental` only the defaults are allowed, which is asked before names and values are.
    """
    features = {**DEFAULTS, **given}
    if not experimental and features != DEFAULTS:
        raise Validation("experimental features are disabled")
    for name, value in given.items():
        if value not in _ALLOWED.get(name, ()):
            raise Validation(f"invalid feature {name!r} with value {value!r}")
    return features


def has(ledger: LedgerRow, name: str) -> bool:
    """Whether the feature is on; ASYNC hashing is not."""
    return ledger.features == DEFAULT_FEATURES or _decode(ledger.features)[name] in _ON


def need(ledger: LedgerRow, name: str) -> None:
    """Refuse a read that needs a feature. Raises Validation."""
    if not has(ledger, name):
        raise Validation(f'missing feature "{name}"')
