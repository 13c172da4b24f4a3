"""Refusals that only the rail knows."""

from __future__ import annotations

from typing import ClassVar

from bursar.engine.errors import EngineError, Unavailable


class UnknownInstitution(EngineError):
    """The caller's token names no institution of the hub, or a disabled one (MS10: 401)."""

    code: ClassVar[str] = "UNKNOWN_INSTITUTION"


class ServiceDown(Unavailable):
    """A bank's service cannot take payments now (healthcheck: 500 with this text, MS12; precheck and pay: 503)."""

    code: ClassVar[str] = "SERVICE_DOWN"
