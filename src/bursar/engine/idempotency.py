"""Idempotency keys: their syntax, and the fingerprint that tells the same request from another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact
from typing import Any

import msgspec

from bursar.engine.errors import InvalidInput
from bursar.engine.limits import KEY_BYTES

# Controls, and surrogates, which no header can carry but a caller in the same process can.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
# A context of ordinary precision would round a long number, and make two different requests one.
_WITHOUT_BOUND = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
_encode = msgspec.json.Encoder(order="deterministic", decimal_format="number").encode


def parse_key(text: str) -> str:
    """Return the key that an `Idempotency-Key` header names: a bare token, or the IETF draft's quoted string (D3).

    Raises `InvalidInput` for an empty or overlong key, control characters or broken quotes (MS48).
    """
    if _UNFIT.search(text):
        raise InvalidInput("the Idempotency-Key holds a control character")
    key = text
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise InvalidInput("the Idempotency-Key starts with a quote but is no quoted string (RFC 8941)")
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    if not key.strip():
        raise InvalidInput("the Idempotency-Key is empty: send one of your own, best a UUID, or none")
    if len(key.encode()) > KEY_BYTES:
        raise InvalidInput(f"the Idempotency-Key is longer than {KEY_BYTES} bytes")
    return key


def fingerprint(meaning: Any) -> bytes:
    """Return a digest of what a request means: the order of members and the zeros of 100.0 and 100.00 do not count."""
    return hashlib.sha256(_encode(_canonical(meaning))).digest()


def _canonical(value: Any) -> Any:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(Decimal(value))
    if isinstance(value, msgspec.Struct):
        extra = getattr(value, "extra", {})
        return _canonical({name: getattr(value, name) for name in value.__struct_fields__} | extra)
    if isinstance(value, Mapping):
        return {
            str(name): _canonical(member) for name, member in value.items() if member is not msgspec.UNSET
        }
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    return value


def _number(value: Decimal) -> Decimal:
    """Return the number without trailing zeros; 0 has no sign."""
    if not value.is_finite():
        raise InvalidInput("NaN and Infinity are no amounts")
    return _WITHOUT_BOUND.normalize(value) or Decimal(0)
