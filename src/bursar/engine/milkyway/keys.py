"""How long idempotency keys are remembered, and what counts as the same request (D2, D3)."""

from __future__ import annotations

from bursar.engine import idempotency
from bursar.milkyway.models import PayRequest

KEPT = 7 * 24 * 3600 * 1_000_000
"""How long a key is remembered after its payment was accepted, in microseconds (D2, MS47)."""


def fingerprint(request: PayRequest) -> bytes:
    """Return a digest of a request's documented members; see `idempotency.fingerprint`."""
    return idempotency.fingerprint({name: getattr(request, name) for name in request.__struct_fields__})
