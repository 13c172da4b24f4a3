"""The consent pages as documents: HTML without scripts and foreign parts, and the token that guards their forms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.contract.http import Headers, Response
from bursar.engine.piaxis.oauth_asks import SCOPES, Ask
from bursar.engine.piaxis.oauth_redirects import origin
from bursar.server.exchange import Exchange

if TYPE_CHECKING:
    import jinja2

COOKIE: Final = "bursar_consent"
_COOKIE_SECONDS: Final = 3600
_NONCE_LENGTH: Final = 43


class Pages:
    """Renders the pages. `sandbox` is the wallet and the code that everybody knows, None outside a sandbox."""

    def __init__(self, sandbox: tuple[str, str] | None) -> None:
        self._wallet, self._code = sandbox or ("", "")

    def sign_in(self, ask: Ask, merchant: str, token: str, problem: str = "", contact: str = "") -> Response:
        """Return the page that asks who somebody is."""
        shown = {
            "rights": [SCOPES[name] for name in ask.scopes],
            "contact": contact or self._wallet,
            "sandbox": self._wallet,
        }
        return self._form("sign_in.html", ask, merchant, token, problem, shown)

    def code(self, ask: Ask, merchant: str, token: str, contact: str, problem: str = "") -> Response:
        """Return the page that asks for the code, and for the decision."""
        shown = {"contact": contact, "sandbox": self._code}
        return self._form("code.html", ask, merchant, token, problem, shown)

    def problem(self, status: int, message: str) -> Response:
        """Return the page for a request that must not be sent back to where it came from (PS07)."""
        return _document("problem.html", status, {"title": "Piaxis", "problem": message}, "")

    def _form(
        self, page: str, ask: Ask, merchant: str, token: str, problem: str, shown: Mapping[str, Any]
    ) -> Response:
        context = {
            "title": f"{'Error: ' if problem else ''}{merchant} asks for access - Piaxis",
            "merchant": merchant,
            "destination": origin(ask.redirect_uri),
            "hidden": {**fields(ask), "token": token},
            "problem": problem,
            **shown,
        }
        return _document(page, 400 if problem else 200, context, origin(ask.redirect_uri))


class FormGuard:
    """Proof that a form was filled in by the browser that asked for it, with what it asked for (CSRF).

    The browser holds a random cookie, and the form a MAC of the request with the cookie as its key: who does not know
    the cookie cannot make the form of any request. Nothing is kept here, so that any process can take the form.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def nonce(self, exchange: Exchange) -> str:
        """The browser's cookie, or a new one."""
        return _cookie(exchange) or secrets.token_urlsafe(32)

    def token(self, nonce: str, ask: Ask) -> str:
        """What a form for the request carries."""
        return hmac.new(nonce.encode(), msgspec.json.encode(fields(ask)), hashlib.sha256).hexdigest()

    def accepts(self, exchange: Exchange, ask: Ask, token: str) -> bool:
        """Whether a posted form is genuine; browsers that say where it came from must say that it came from here."""
        nonce, fetched = _cookie(exchange), exchange.headers.get("sec-fetch-site", "same-origin")
        if not nonce or fetched != "same-origin":
            return False
        return hmac.compare_digest(self.token(nonce, ask).encode(), token.encode("utf-8", "replace"))

    def cookie(self, nonce: str) -> tuple[str, str]:
        """The field that makes the browser keep the nonce, for this page only."""
        limits = f"Path=/piaxis/api/authorize; Max-Age={_COOKIE_SECONDS}; HttpOnly; SameSite=Lax"
        return "set-cookie", f"{COOKIE}={nonce}; {limits}{'; Secure' if self._secure else ''}"


def fields(ask: Ask) -> dict[str, str]:
    """The request as its form carries it; what was not there is left out."""
    members = msgspec.structs.asdict(ask)
    return {
        name: value for name, value in members.items() if value is not None and (value or name == "state")
    }


def with_field(response: Response, field: tuple[str, str]) -> Response:
    """Return the response with a header field more."""
    return Response(response.status, Headers([*response.headers.items(), field]), response.body)


def _cookie(exchange: Exchange) -> str:
    for part in exchange.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and len(value) == _NONCE_LENGTH and value.isascii():
            return value
    return ""


def _document(page: str, status: int, context: Mapping[str, Any], goes_to: str) -> Response:
    style, source = _style()
    body = _templates().get_template(page).render(style=style, **context)
    # Chromium holds the redirect after a form to `form-action` too, so that it must name where the answer goes.
    policy = (
        f"default-src 'none'; style-src {source}; form-action 'self' {goes_to}".rstrip()
        + "; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", policy),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        # Not no-referrer, for which browsers send `Origin: null` with the form.
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ]
    return Response(status, Headers(headers), body.encode())


@cache
def _style() -> tuple[str, str]:
    """The style sheet, and how a Content-Security-Policy names it."""
    text = (files("bursar.server.piaxis") / "pages" / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return text, f"'sha256-{digest}'"


@cache
def _templates() -> jinja2.Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("bursar.server.piaxis", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
