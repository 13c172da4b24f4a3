"""The engine's only source of identifiers and randomness, injected so that a seed repeats a run (invariant 22)."""

from __future__ import annotations

import hashlib
import os
from base64 import urlsafe_b64encode
from typing import Final
from uuid import UUID

_BLOCK_BYTES: Final = 64


class Ids:
    """A stream of random bytes: BLAKE2b in counter mode over a 32-byte key.

    The key comes from the operating system, or from `seed`, which makes the stream the same on every machine.
    """

    def __init__(self, seed: int | None = None, *, key: bytes | None = None) -> None:
        if key is None:
            key = (
                os.urandom(32)
                if seed is None
                else hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
            )
        self._key = key
        self._counter = 0
        self._spare = b""

    def child(self, number: int) -> Ids:
        """An independent stream for `number`, always the same one: it does not move this stream."""
        key = hashlib.blake2b(b"child %d" % number, key=self._key, digest_size=32).digest()
        return Ids(key=key)

    def bytes(self, size: int) -> bytes:
        """The next `size` random bytes."""
        while len(self._spare) < size:
            self._counter += 1
            block = hashlib.blake2b(b"block %d" % self._counter, key=self._key, digest_size=_BLOCK_BYTES)
            self._spare += block.digest()
        taken, self._spare = self._spare[:size], self._spare[size:]
        return taken

    def uuid(self) -> str:
        """A random UUID (RFC 9562, version 4)."""
        return str(UUID(bytes=self.bytes(16), version=4))

    def token(self, nbytes: int = 32) -> str:
        """`nbytes` of randomness in base64url without padding."""
        return urlsafe_b64encode(self.bytes(nbytes)).rstrip(b"=").decode()

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= n <= high, all equally likely."""
        span = high - low + 1
        if span < 1:
            raise ValueError("integer(low, high) needs low <= high")
        size = (span.bit_length() + 7) // 8
        bound = (1 << 8 * size) // span * span
        while (drawn := int.from_bytes(self.bytes(size))) >= bound:
            pass
        return low + drawn % span

    def random(self) -> float:
        """A number in [0, 1) with 53 bits. Never used for money."""
        return (int.from_bytes(self.bytes(7)) >> 3) / (1 << 53)
