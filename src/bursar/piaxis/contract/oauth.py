"""OAuth for ``piaxis_external``. Neither endpoint is sent the client's credentials (PC20)."""

from __future__ import annotations

from typing import Annotated

from bursar.contract import C, Effect, Form, Header, Resource, get, post
from bursar.piaxis.models.base import Text
from bursar.piaxis.models.oauth import AuthorizeTest, TokenRequest, Tokens

from .parameters import REFUSED, UNKNOWN


class OAuth(Resource[C]):
    """A wallet's owner lets a merchant act."""

    @get("/authorize", errors={**REFUSED, 404: UNKNOWN})
    def authorize_test(
        self,
        merchant_id: Text,
        external_user_id: Text,
        redirect_uri: Text,
        state: str | None = None,
        code_challenge: str | None = None,
        code_challenge_method: str | None = None,
        test_request: Annotated[str, Header("x-test-request")] = "true",
    ) -> AuthorizeTest:
        """Authorize without a browser: for a merchant's owner, in controlled environments only."""
        ...

    @post("/token", effect=Effect.ONCE, errors={400: "The grant is bad.", 401: "The client is not known."})
    def request_token(self, form: Annotated[TokenRequest, Form()]) -> Tokens:
        """Exchange a code or a refresh token for tokens (RFC 6749)."""
        ...
