"""Requests for a customer's consent: what may be asked, and the code that answers one (B2.1, PS07 to PS13)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bursar.engine.piaxis import pkce
from bursar.engine.piaxis.oauth_apps import OAuthError

SCOPES: Final = {
    "payments:create": "Pay from your wallet",
    "payments:read": "See the payments that you made through it",
    "escrow:create": "Put money from your wallet into escrow",
    "escrow:manage": "Release, return and dispute escrows on your behalf",
    "profile:read": "See your name and contact details",
}
"""What can be asked for, and how the consent page says it. Asking for none means all: the clients know no scopes."""
STATE_MAX: Final = 4096
"""Longest `state`, in characters."""
EXTERNAL_ID_MAX: Final = 255
# Clients up to 0.2.4 write the text "None" for what they leave out.
_LEFT_OUT: Final = ("", "None")


class Ask(Struct, frozen=True):
    """The query of a request for consent; "" stands for what is not there."""

    merchant_id: str
    external_user_id: str
    redirect_uri: str
    state: str | None = None
    code_challenge: str = ""
    code_challenge_method: str = ""
    scope: str = ""
    response_type: str = ""

    @property
    def challenge(self) -> str:
        """The PKCE challenge, "" for none."""
        return "" if self.code_challenge in _LEFT_OUT else self.code_challenge

    @property
    def scopes(self) -> tuple[str, ...]:
        """What is asked for, in the order of `SCOPES`."""
        asked = self.scope.split()
        return tuple(name for name in SCOPES if not asked or name in asked)


def check_content(ask: Ask) -> None:
    """Check what the redirect URI may be told of. Raises `OAuthError` (RFC 6749 section 4.1.2.1)."""
    if ask.response_type not in ("", "code"):
        raise OAuthError("unsupported_response_type", "the only response_type is code")
    unknown = [name for name in ask.scope.split() if name not in SCOPES]
    if unknown:
        raise OAuthError("invalid_scope", f"the scopes are {', '.join(SCOPES)}")
    if not ask.external_user_id.strip() or len(ask.external_user_id) > EXTERNAL_ID_MAX:
        raise OAuthError("invalid_request", f"external_user_id has 1 to {EXTERNAL_ID_MAX} characters")
    if ask.state is not None and len(ask.state) > STATE_MAX:
        raise OAuthError("invalid_request", f"state has at most {STATE_MAX} characters")
    _check_challenge(ask)


def _check_challenge(ask: Ask) -> None:
    if not ask.challenge:
        if ask.code_challenge_method not in _LEFT_OUT:
            raise OAuthError("invalid_request", "code_challenge_method without a code_challenge")
        return
    if ask.code_challenge_method != pkce.METHOD:
        raise OAuthError("invalid_request", f"code_challenge_method must be {pkce.METHOD}")
    if not pkce.is_challenge(ask.challenge):
        raise OAuthError("invalid_request", "code_challenge must be a SHA-256 in base64url, 43 characters")
