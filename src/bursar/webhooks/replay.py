"""Refusing a delivery that was accepted before, within the time for which its signature is good."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Protocol


class ReplayGuard(Protocol):
    """Remembers deliveries. Keep it where all your receivers see it, for example as a unique key in your database."""

    def first(self, key: str, now: float, expires_at: float) -> bool:
        """Remember the key until `expires_at` (Unix seconds); False when it is remembered already. Atomic."""
        ...


class MemoryReplayGuard:
    """Remembers in this process, the newest `capacity` keys. Safe between threads."""

    def __init__(self, capacity: int = 100_000) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._known: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def first(self, key: str, now: float, expires_at: float) -> bool:
        """See `ReplayGuard`."""
        with self._lock:
            if self._known.get(key, float("-inf")) >= now:
                return False
            self._known[key] = expires_at
            self._known.move_to_end(key)
            while len(self._known) > self._capacity or next(iter(self._known.values())) < now:
                self._known.popitem(last=False)
            return True
