"""The vendor's function for webhooks: PC78 to PC87, PX-6."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from bursar.piaxis import verify_webhook_signature

BODY = b'{"event": "payment.succeeded", "data": {}}'
NOW = 1_700_000_000


def hexed(*parts: bytes, secret: str = "s-1") -> str:
    return hmac.new(secret.encode(), b"".join(parts), hashlib.sha256).hexdigest()


def newer(moment: int = NOW, **settings: Any) -> dict[str, Any]:
    return {"signature_v2": hexed(f"{moment}.".encode(), BODY), "timestamp": str(moment), **settings}


def check(body: Any = BODY, **given: Any) -> bool:
    settings: dict[str, Any] = {"secret": "s-1", "clock": lambda: NOW, **given}
    return verify_webhook_signature(body, **settings)


def test_pc78_legacy() -> None:
    assert check(signature=hexed(BODY))
    assert check(BODY.decode(), signature=hexed(BODY))
    assert not check(BODY + b" ", signature=hexed(BODY))
    assert not check(signature=hexed(BODY), secret="s-2")
    assert not check()


def test_pc79_newer_with_tolerance_both_ways_and_none_for_zero() -> None:
    assert check(**newer())
    assert check(**newer(timestamp=NOW))
    for late in (300, -300):
        assert check(**newer(NOW + late))
    for late in (301, -301):
        assert not check(**newer(NOW + late))
        assert check(**newer(NOW + late), tolerance_seconds=0)
        assert check(**newer(NOW + late), tolerance_seconds=301)


def test_pc80_pc81_the_newer_one_decides_alone() -> None:
    good = hexed(BODY)
    assert not check(signature=good, signature_v2="0" * 64, timestamp=str(NOW))
    assert not check(signature=good, signature_v2=newer()["signature_v2"])
    assert not check(signature=good, timestamp=str(NOW))


def test_pc83_px_6_garbage_is_false() -> None:
    for text in ("é", "\udc80", b"bytes", None, 7, "", "0" * 64, newer()["signature_v2"].upper()):
        assert not check(signature_v2=text, timestamp=str(NOW))
        assert not check(signature=text)
    for moment in ("05", "x", None, b"1", True, 1.5, "", "-1"):
        assert not check(**newer(timestamp=moment))
    assert not check(None, signature=hexed(BODY))


@pytest.mark.parametrize("secret", ["", " ", None, [], [""]])
def test_px_6_an_empty_secret_trusts_nothing(secret: Any) -> None:
    assert not check(signature=hexed(BODY, secret=""), secret=secret)


def test_pc84_several_secrets() -> None:
    assert check(**newer(), secret=["s-2", "s-1"])
    assert not check(**newer(), secret=["s-2", "s-3"])


def test_pc87_px_6_the_newer_one_can_be_required() -> None:
    assert not check(signature=hexed(BODY), require_v2=True)
    assert check(**newer(), signature=hexed(BODY), require_v2=True)
