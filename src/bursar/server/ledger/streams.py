"""Bodies that are streams: JSON values one after another, and script blocks (section 8.12)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from bursar.engine.ledger import wire
from bursar.engine.ledger.bulk import Element
from bursar.engine.ledger.errors import Validation
from bursar.server import limits
from bursar.server.ledger.elements import script

_START: Final = re.compile(r"\s*//script\s*(.*)")


async def values(parts: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    """The JSON values of a stream, each as soon as it is there. Raises Validation at the first that is none.

    A value is taken from whole lines when that works, so that a stream of lines is read piece by piece; what spreads
    over lines waits for its end.
    """
    pending = b""
    async for part in parts:
        pending += part
        end = pending.rfind(b"\n") + 1
        if not end:
            _check_pending(pending)
            continue
        text, start = wire.to_text(pending[:end]), 0
        while start < len(text):
            try:
                value, start = wire.value_at(text, start)
            except EOFError:
                start = len(text)
                break
            except Validation:
                break
            yield value
        pending = text[start:].encode() + pending[end:]
        _check_pending(pending)
    text, start = wire.to_text(pending), 0
    while True:
        try:
            value, start = wire.value_at(text, start)
        except EOFError:
            return
        yield value


def _check_pending(pending: bytes) -> None:
    if len(pending) > limits.LEDGER_BODY_BYTES:
        raise Validation(f"a value of the stream is larger than {limits.LEDGER_BODY_BYTES} bytes")


class BadBlock(Validation):
    """A block of a script stream without script or with a broken header: the request is refused (24.2)."""


def blocks(text: str) -> list[Element | Validation]:
    """The scripts of a script stream; a fault ends the list."""
    found: list[Element | Validation] = []
    lines = iter(text.replace("\r\n", "\n").removesuffix("\n").split("\n"))
    for line in lines:
        if not line.strip():
            continue
        header = _START.fullmatch(line)
        if header is None:
            return [*found, Validation(f"expected //script, not {line.strip()!r}")]
        try:
            key = _key(header[1])
        except Validation as error:
            return [*found, error]
        plain: list[str] = []
        for inner in lines:
            if inner == "//end":
                break
            plain.append(inner)
        if not any(part for part in plain):
            return [*found, BadBlock("a block needs a script")]
        found.append(script("\n".join(plain), key))
    return found


def _key(text: str) -> str:
    """The idempotency key of a header. Raises Validation."""
    key, given = "", False
    for pair in text.split(",") if text.strip() else ():
        name, equals, value = pair.partition("=")
        if name.strip() != "ik":
            raise Validation(f"unknown parameter {name.strip()!r} of //script")
        if not equals:
            raise BadBlock("the parameter ik of //script needs a value")
        if given:
            raise Validation("the parameter ik of //script is repeated")
        key, given = value.partition("=")[0], True
    return key
