"""Identifiers in the order in which things happened."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from bursar.engine.view import View

_SEQUENCE: Final = "webhooks"


def serial(view: View) -> str:
    """Return a UUID greater than all before it (RFC 9562 version 7, with a counter).

    48 bits of milliseconds, 42 bits of a durable counter, 32 random bits.
    """
    count = view.next_id(_SEQUENCE)
    milliseconds = view.now // 1000 & (1 << 48) - 1
    high, low = count >> 30 & 0xFFF, count & (1 << 30) - 1
    chance = int.from_bytes(view.ids.bytes(4))
    return str(UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low << 32 | chance))
