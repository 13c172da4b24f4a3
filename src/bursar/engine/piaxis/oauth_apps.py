"""OAuth clients of merchants, and where they may send browsers: registering, and proving to be one."""

from __future__ import annotations

from typing import Final

from bursar.engine.auth import clients
from bursar.engine.auth.service import knows_secret
from bursar.engine.auth.tables import CLIENTS, OAuthClient
from bursar.engine.errors import EngineError, InvalidInput, NotFound
from bursar.engine.piaxis.oauth_redirects import checked
from bursar.engine.piaxis.oauth_tables import APPS, REDIRECTS, AppRow, RedirectRow
from bursar.engine.view import View

REALM: Final = "piaxis"
"""Realm of `bursar.engine.auth.clients` that holds merchants' clients."""
REDIRECTS_MAX: Final = 100
"""Most redirect URIs of a merchant."""


class OAuthError(EngineError):
    """A refusal of the OAuth endpoints. `error` is the name that RFC 6749 section 4.1.2.1 or 5.2 gives it."""

    code = "OAUTH_ERROR"

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


class App(AppRow, frozen=True):
    """A client that proved who it is; `generation` is in every grant that it gets."""

    generation: int


def add(view: View, client_id: str, merchant: str, secret: str, *, sandbox: bool = False) -> None:
    """Add a merchant's client. Raises `Conflict` when it exists, `InvalidInput` for a bad id or a short secret."""
    clients.create(view, REALM, client_id, secret, sandbox=sandbox)
    view.put(APPS, AppRow(client_id, merchant, view.now))


def revoke(view: View, client_id: str) -> None:
    """End a client and every token that it has. Raises `NotFound`."""
    clients.revoke(view, REALM, client_id)


def add_redirect(view: View, merchant: str, uri: str) -> None:
    """Register a redirect URI; one that is there already stays. Raises `InvalidInput` (PS09)."""
    known = view.scan(REDIRECTS, merchant)
    if len(known) >= REDIRECTS_MAX:
        raise InvalidInput(f"a merchant has at most {REDIRECTS_MAX} redirect URIs")
    view.put(REDIRECTS, RedirectRow(merchant, checked(uri), view.now))


def remove_redirect(view: View, merchant: str, uri: str) -> None:
    """Take a redirect URI back. Raises `NotFound`."""
    if view.get(REDIRECTS, merchant, uri) is None:
        raise NotFound("this redirect URI is not registered")
    view.delete(REDIRECTS, merchant, uri)


def authenticate(view: View, client_id: str, secret: str) -> App:
    """Return the client that knows its secret. Raises `OAuthError` invalid_client, whatever is wrong (PS18)."""
    client = view.get(CLIENTS, REALM, client_id)
    app = view.get(APPS, client_id)
    if not knows_secret(client, secret) or client is None or client.revoked_at is not None or app is None:
        raise OAuthError("invalid_client", "the client is not known, or its secret is wrong")
    return App(app.client_id, app.merchant, app.created_at, client.generation)


def is_alive(client: OAuthClient | None, generation: int) -> bool:
    """Whether a client is the same as when it got a grant: not revoked since."""
    return client is not None and client.revoked_at is None and client.generation == generation
