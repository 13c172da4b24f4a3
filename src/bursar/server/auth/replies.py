"""Answers of the auth service."""

from __future__ import annotations

from typing import Any, Final

from bursar.engine.auth.formance.clients import Client, Secret
from bursar.server.ledger.answers import TEXT, Answer, encode

UNAUTHORIZED: Final = Answer(401)
MISSING: Final = Answer(404)
# RFC 6749 section 5.1: tokens must not end up in a cache.
NO_STORE: Final = (("cache-control", "no-store"), ("pragma", "no-cache"))


def json(value: Any, *, status: int = 200) -> Answer:
    """A bare JSON answer."""
    return Answer(status, encode(value))


def text(message: str, status: int) -> Answer:
    """A message for people."""
    return Answer(status, message.encode() + b"\n", TEXT)


def oauth_error(error: str, description: str = "") -> Answer:
    """An error of the OAuth endpoints (RFC 6749 section 5.2)."""
    body = {"error": error, **({"error_description": description} if description else {})}
    return Answer(401 if error == "invalid_client" else 400, encode(body), headers=NO_STORE)


def redirect(location: str) -> Answer:
    """Send the browser elsewhere."""
    return Answer(302, headers=[("location", location)])


def client(shown: Client, *, filled: bool) -> dict[str, Any]:
    """A client. `filled`: what was never given is empty; otherwise it is null."""
    options = shown.options
    redirects, logouts = options.redirect_uris, options.post_logout_redirect_uris
    metadata, scopes = options.metadata, options.scopes
    if filled:
        redirects, logouts = redirects or (), logouts or ()
        metadata, scopes = metadata or {}, scopes or ()
    return {
        "public": options.public,
        "redirectUris": redirects,
        "description": options.description,
        "name": options.name,
        "postLogoutRedirectUris": logouts,
        "metadata": metadata,
        "trusted": options.trusted,
        "scopes": scopes,
        "id": shown.id,
        "secrets": [_secret(secret) for secret in shown.secrets],
    }


def new_secret(made: Secret, clear: str) -> dict[str, Any]:
    """A secret, the only time that it is shown."""
    return {"id": made.id, "lastDigits": made.last_digits, "name": made.name, "clear": clear}


def _secret(secret: Secret) -> dict[str, Any]:
    """A secret in a client. The real service adds its hash, which is nobody's business."""
    return {
        "id": secret.id,
        "lastDigits": secret.last_digits,
        "name": secret.name,
        "metadata": secret.metadata,
    }
