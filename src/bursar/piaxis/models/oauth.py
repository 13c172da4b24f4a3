"""OAuth: a wallet's owner lets a merchant act."""

from __future__ import annotations

from typing import ClassVar

from .base import Answer, Input


class TokenRequest(Input, kw_only=True):
    """The form of ``POST /token``: a code or a refresh token, and who asks (RFC 6749 4.1.3 and 6)."""

    grant_type: str
    code: str | None = None
    redirect_uri: str | None = None
    refresh_token: str | None = None
    client_id: str
    client_secret: str
    code_verifier: str | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"code", "refresh_token", "client_secret", "code_verifier"})


class Tokens(Answer, kw_only=True):
    """What a wallet is reached with. `expires_in` is in seconds; `refresh_token` is good for one use."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None = None
    user_id: str | None = None
    """Whose wallet: pay this user later as `recipient_id`. Newer servers send it (PC26)."""

    hidden: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})


class TokenParameters(Answer, kw_only=True):
    """What to send to ``/token`` next. The secret is in it."""

    grant_type: str
    code: str
    redirect_uri: str
    client_id: str
    client_secret: str

    hidden: ClassVar[frozenset[str]] = frozenset({"code", "client_secret"})


class AuthorizeTest(Answer, kw_only=True):
    """What a browser would have been sent to, without a browser."""

    redirect_url: str
    code: str
    next_step: str
    token_parameters: TokenParameters

    hidden: ClassVar[frozenset[str]] = frozenset({"redirect_url", "code"})
