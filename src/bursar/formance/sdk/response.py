"""An HTTP answer as users of httpx know it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from bursar.contract.http import Headers
from bursar.contract.json import loads


class RawResponse:
    """The answer as it came, read whole."""

    def __init__(
        self, status_code: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> None:
        self.status_code = status_code
        self.headers: Headers = Headers((headers or {}).items())
        self.content = content

    @property
    def text(self) -> str:
        """The body as UTF-8 text; bytes that are none become U+FFFD."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body as JSON, numbers with a fraction as `Decimal`. Raises `UnreadableAnswer`."""
        return loads(self.content)

    @property
    def reason_phrase(self) -> str:
        """The usual words for the status; "" for a status without."""
        return next((each.phrase for each in HTTPStatus if each == self.status_code), "")

    @property
    def is_success(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status_code < 300

    @property
    def is_error(self) -> bool:
        """True for 4xx and 5xx."""
        return 400 <= self.status_code < 600

    def __repr__(self) -> str:
        return f"<RawResponse [{self.status_code} {self.reason_phrase}]>"


__all__ = ["Headers", "RawResponse"]
