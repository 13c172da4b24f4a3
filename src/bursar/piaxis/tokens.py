"""Renewing a user's access token, once for many calls (PC25)."""

from __future__ import annotations

from urllib.parse import urlencode

from bursar.client import Clock, Credentials, Token, TokenManager
from bursar.contract import Request, Response, Secret
from bursar.contract.decode import tolerant
from bursar.contract.json import loads
from bursar.contract.url import base_url

from .errors import PiaxisAuthError
from .models.oauth import Tokens
from .options import PiaxisOptions, TokenRefresh


class UserTokens(TokenManager):
    """Begins with the token it is given; when that is refused, one call renews it and the others wait."""

    def __init__(self, options: PiaxisOptions, refresh: TokenRefresh, clock: Clock, user_agent: str) -> None:
        url = base_url(options.base_url) + "/token"
        secret = Secret.of(refresh.client_secret)
        super().__init__(
            Credentials(url, refresh.client_id, secret),
            auth_error=PiaxisAuthError,
            clock=clock,
            user_agent=user_agent,
        )
        self._refresh = refresh
        self._refresh_token = Secret.of(refresh.refresh_token)
        if options.access_token:
            self._held = Token(options.bearer(), float("inf"))

    def _request(self) -> Request:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._refresh_token.reveal(),
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.reveal(),
        }
        plain = super()._request()
        return Request("POST", plain.url, plain.headers, urlencode(form).encode("ascii"))

    def _read(self, response: Response, started: float) -> Token:
        token = super()._read(response, started)
        tokens = tolerant(loads(response.body), Tokens)
        if tokens.refresh_token:
            self._refresh_token = Secret(tokens.refresh_token)
        if self._refresh.on_refresh is not None:
            self._refresh.on_refresh(tokens)
        return token

    def _masked(self, text: str) -> str:
        return super()._masked(text).replace(self._refresh_token.reveal(), Secret.MASK)
