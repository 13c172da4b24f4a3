"""Receiving deliveries: verify, parse, both; and signing them, for tests."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from bursar.contract import Secret

from .errors import Reason, WebhookVerificationError
from .events import Event
from .replay import ReplayGuard
from .scheme import Claim, Fields, Given, Scheme

E = TypeVar("E", bound=Event)
Body = bytes | bytearray | memoryview | str
TOLERANCE: Final = 300.0
MAX_BODY: Final = 1024 * 1024


class Receiver(Generic[E]):
    """Verifies and reads the deliveries of one scheme. Keep one; it may be shared between threads.

    Every delivery that is not to be trusted is a `WebhookVerificationError`, whatever its sender has made up.
    """

    def __init__(
        self,
        scheme: Scheme[E],
        secrets: str | Secret | Iterable[str | Secret],
        *,
        tolerance: float | None = TOLERANCE,
        replays: ReplayGuard | None = None,
        max_body: int = MAX_BODY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises `ValueError` for a secret that is none, and where there is no secret.

        `secrets`: one, or several while they are being rotated. `tolerance`: how many seconds the time of signing may
        be off, either way; None: any time will do. `replays`: refuses what was accepted before. `max_body`: in bytes.
        """
        given = [secrets] if isinstance(secrets, (str, Secret)) else list(secrets)
        self._secrets = [Secret.of(secret) for secret in given]
        if not self._secrets:
            raise ValueError("at least one webhook secret is needed")
        for secret in self._secrets:
            scheme.check_secret(secret.reveal())
        if tolerance is not None and not 0 <= tolerance < float("inf"):
            raise ValueError("tolerance must be 0 seconds or more, or None")
        self._scheme = scheme
        self._tolerance = tolerance
        self._replays = replays
        self._max_body = max_body
        self._clock = clock

    def verify(self, body: Body, headers: Given) -> Claim:
        """Return what the signature proves. `body`: the bytes as they came. Raises `WebhookVerificationError`."""
        raw = self._raw(body)
        claim = self._scheme.check(raw, Fields(headers), [secret.reveal() for secret in self._secrets])
        now = self._clock()
        self._check_time(claim, now)
        self._check_replay(raw, claim, now)
        return claim

    def parse(self, body: Body) -> E:
        """Return the event of a body that was verified before. Raises `WebhookVerificationError`."""
        return self._scheme.parse(self._raw(body), Claim(None, None))

    def verify_and_parse(self, body: Body, headers: Given) -> E:
        """Return the event of a delivery that is to be trusted. Raises `WebhookVerificationError`."""
        raw = self._raw(body)
        return self._scheme.parse(raw, self.verify(raw, headers))

    def _raw(self, body: Any) -> bytes:
        try:
            raw = body.encode() if isinstance(body, str) else bytes(memoryview(body))
        except (TypeError, UnicodeEncodeError):
            raise WebhookVerificationError("the body is neither bytes nor text", Reason.MALFORMED) from None
        if len(raw) > self._max_body:
            raise WebhookVerificationError(
                f"the body is longer than {self._max_body} bytes", Reason.TOO_LARGE
            )
        return raw

    def _check_time(self, claim: Claim, now: float) -> None:
        if claim.timestamp is None or self._tolerance is None:
            return
        age = now - claim.timestamp
        if age > self._tolerance:
            raise WebhookVerificationError("signed too long ago", Reason.TOO_OLD)
        if -age > self._tolerance:
            raise WebhookVerificationError("signed for a time that is not yet", Reason.TOO_NEW)

    def _check_replay(self, raw: bytes, claim: Claim, now: float) -> None:
        """Refuse the very delivery again. A sender's own retry is signed for another time, so it passes."""
        if self._replays is None:
            return
        digest = hashlib.sha256(
            f"{claim.id}\n{claim.timestamp}\n".encode("utf-8", "replace") + raw
        ).hexdigest()
        bounded = claim.timestamp is not None and self._tolerance is not None
        good_until = (claim.timestamp or 0) + (self._tolerance or 0.0) if bounded else float("inf")
        if not self._replays.first(digest, now, good_until):
            raise WebhookVerificationError("this delivery was accepted before", Reason.REPLAYED)


class Signer:
    """Signs as a scheme's sender does, for tests of receivers."""

    def __init__(
        self, scheme: Scheme[Any], secret: str | Secret, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Raises `ValueError` for a secret that is none."""
        self._secret = Secret.of(secret)
        scheme.check_secret(self._secret.reveal())
        self._scheme = scheme
        self._clock = clock

    def sign(self, body: Body, *, id: str | None = None, timestamp: int | None = None) -> dict[str, str]:
        """Return the header fields of a delivery: by default a new one, signed now."""
        raw = body.encode() if isinstance(body, str) else bytes(body)
        moment = int(self._clock()) if timestamp is None else timestamp
        return self._scheme.sign(self._secret.reveal(), raw, id=id or f"msg_{uuid4().hex}", timestamp=moment)
