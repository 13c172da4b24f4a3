"""What a client tells about a failure, when it was asked to (B11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from .base import Input


class ClientErrorReport(Input, kw_only=True, omit_defaults=False):
    """A failure at a client, without personal data."""

    source: Annotated[str, Meta(max_length=64)]
    severity: Annotated[str, Meta(max_length=16)]
    name: Annotated[str, Meta(max_length=255)]
    message: Annotated[str, Meta(max_length=4000)]
    stack: Annotated[str, Meta(max_length=20000)] | None = None
    path: Annotated[str, Meta(max_length=512)] | None = None
    platform: Annotated[str, Meta(max_length=64)] | None = None
    user_agent: Annotated[str, Meta(max_length=255)] | None = None
    metadata: Mapping[str, Any] = {}
