"""The sandbox merchant's OAuth client and redirect URIs."""

from __future__ import annotations

from typing import Final

from bursar.engine.auth.tables import CLIENTS
from bursar.engine.piaxis import oauth_apps
from bursar.engine.piaxis.oauth_apps import REALM
from bursar.engine.piaxis.oauth_tables import APPS, REDIRECTS, RedirectRow
from bursar.engine.piaxis.sandbox import MERCHANT_ID
from bursar.engine.store.table import AnyTable, Key
from bursar.engine.view import View

CLIENT_ID: Final = "piaxis-sandbox-client"
CLIENT_SECRET: Final = "piaxis-sandbox-secret"  # noqa: S105 - everybody knows it
REDIRECT_URI: Final = "https://merchant.example.com/oauth/callback"
_REDIRECTS: Final = (
    REDIRECT_URI,
    # On this machine, at whatever port (PS08).
    "http://localhost/oauth/callback",
    "http://127.0.0.1/oauth/callback",
)

READS: Final[tuple[tuple[AnyTable, Key], ...]] = (
    (CLIENTS, (REALM, CLIENT_ID)),
    (APPS, (CLIENT_ID,)),
    *((REDIRECTS, (MERCHANT_ID, uri)) for uri in _REDIRECTS),
)
"""Rows that `seed` looks at."""


def seed(view: View) -> None:
    """Add what is missing."""
    if view.get(CLIENTS, REALM, CLIENT_ID) is None:
        oauth_apps.add(view, CLIENT_ID, MERCHANT_ID, CLIENT_SECRET, sandbox=True)
    for uri in _REDIRECTS:
        if view.get(REDIRECTS, MERCHANT_ID, uri) is None:
            view.put(REDIRECTS, RedirectRow(MERCHANT_ID, uri, view.now))
