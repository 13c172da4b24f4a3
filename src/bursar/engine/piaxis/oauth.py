"""The OAuth server: a customer lets a merchant use his wallet, and the merchant gets tokens for it (B2.1, B2.2).

Who consents is the owner of a wallet, known by a code that was sent to the wallet's phone number or email address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bursar.engine.auth.tables import CLIENTS
from bursar.engine.core import Core
from bursar.engine.errors import InvalidInput, NotFound
from bursar.engine.piaxis import oauth_apps, oauth_grants, otp
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Code, bad_request
from bursar.engine.piaxis.merchants import merchant_account, registered
from bursar.engine.piaxis.oauth_apps import REALM, OAuthError
from bursar.engine.piaxis.oauth_asks import Ask
from bursar.engine.piaxis.oauth_grants import Tokens
from bursar.engine.piaxis.oauth_redirects import is_registered, with_parameters
from bursar.engine.piaxis.oauth_tables import APPS, LINKS, REDIRECTS
from bursar.engine.piaxis.otp import Codes
from bursar.engine.piaxis.submit import submit
from bursar.engine.piaxis.tables import ACCOUNTS
from bursar.engine.view import ReadView, View
from bursar.piaxis.models.oauth import AuthorizeTest, TokenParameters

_NEXT_STEP: Final = "POST /api/token with the following parameters:"
_UNTOLD: Final = "(the secret that was shown when the client was made)"
_WRONG_CODE: Final = "This code is wrong or has expired. Look again, or have another one sent."


class OAuthService:
    """Serves customers' browsers and merchants' servers.

    `sandbox`: the customer that a test without a browser stands for, and the secrets that everybody knows, by client
    id; None outside a sandbox.
    """

    def __init__(
        self, core: Core, codes: Codes, sandbox: tuple[str, Mapping[str, str]] | None = None
    ) -> None:
        self._core = core
        self._codes = codes
        self._customer, self._known = sandbox or ("", {})

    async def merchant_name(self, ask: Ask) -> str:
        """Return who asks, by name. Raises `NotFound`, and `InvalidInput` for a redirect URI that is not his (PS07)."""

        def query(view: ReadView) -> str:
            name = merchant_account(view, ask.merchant_id).name
            known = [row.uri for row in view.scan(REDIRECTS, ask.merchant_id)]
            if not is_registered(ask.redirect_uri, known):
                raise InvalidInput(f"The redirect_uri is not registered for {name}.")
            return name

        return await self._core.read(query)

    async def send_code(self, ask: Ask, contact: str) -> None:
        """Send the owner of a wallet a code. Whether there is such a wallet is not told.

        Raises `Refusal` when codes were sent too often (PS23), `Unavailable` when nobody can deliver them.
        """

        def command(view: View) -> str | None:
            if registered(view, contact) is None:
                return None
            return self._codes.issue(view, ask.merchant_id, [_purpose(contact)])

        code = await self._core.submit(command)
        if code is not None:
            self._codes.send([contact], code)

    async def allow(self, ask: Ask, contact: str, code: str) -> str:
        """Take a customer's consent and return the authorization code. Raises `Refusal` for a wrong one-time code.

        `ask` was checked with `merchant_name` and `check_content`.
        """

        def command(view: View) -> str:
            user = registered(view, contact)
            if user is None or user.disabled_at is not None:
                raise bad_request(Code.OTP_INVALID, _WRONG_CODE)
            otp.spend(view, ask.merchant_id, [_purpose(contact)], code)
            return oauth_grants.issue_code(view, ask, user.id)

        return await submit(self._core, command)

    async def test(self, caller: Caller, ask: Ask) -> AuthorizeTest:
        """Consent for a test in place of a customer (PS14): whom the external id stands for, or else the sandbox's.

        Raises `NotFound` when the merchant is not the caller's, `OAuthError` when he has no client.
        """
        if ask.merchant_id != caller.merchant:
            raise NotFound(f"there is no account {ask.merchant_id}")

        def command(view: View) -> str:
            link = view.get(LINKS, ask.merchant_id, ask.external_user_id)
            user = self._customer if link is None else link.user
            if view.get(ACCOUNTS, user) is None:
                raise NotFound(f"there is no customer {ask.external_user_id}")
            return oauth_grants.issue_code(view, ask, user)

        client_id = await self._core.read(lambda view: _client_of(view, caller))
        code = await self._core.submit(command)
        told = {"code": code} if ask.state is None else {"code": code, "state": ask.state}
        return AuthorizeTest(
            redirect_url=with_parameters(ask.redirect_uri, told),
            code=code,
            next_step=_NEXT_STEP,
            token_parameters=TokenParameters(
                grant_type="authorization_code",
                code=code,
                redirect_uri=ask.redirect_uri,
                client_id=client_id,
                client_secret=self._known.get(client_id, _UNTOLD),
            ),
        )

    async def exchange(
        self, client_id: str, secret: str, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        """Turn a code into tokens. Raises `OAuthError` (PS10-PS13, PS18, PS19)."""

        def command(view: View) -> Tokens | OAuthError:
            app = oauth_apps.authenticate(view, client_id, secret)
            return oauth_grants.exchange(view, app, code, redirect_uri, verifier)

        return _granted(await self._core.submit(command))

    async def refresh(self, client_id: str, secret: str, token: str, scope: str) -> Tokens:
        """Turn a refresh token into new tokens. Raises `OAuthError` (PS17, PS18)."""

        def command(view: View) -> Tokens | OAuthError:
            app = oauth_apps.authenticate(view, client_id, secret)
            return oauth_grants.refresh(view, app, token, scope)

        return _granted(await self._core.submit(command))


def _granted(outcome: Tokens | OAuthError) -> Tokens:
    if isinstance(outcome, OAuthError):
        raise outcome
    return outcome


def _purpose(contact: str) -> str:
    """A code for consent is none for payments: a merchant is told the latter, and must not consent for his customer."""
    return f"consent {otp.normal(contact)}"


def _client_of(view: ReadView, caller: Caller) -> str:
    """The client that the caller named, or else the merchant's first. Raises `OAuthError`."""
    found = view.select(APPS, {"merchant": caller.merchant}, order=("created_at", "client_id"))
    alive = [row.client_id for row in found if _is_alive(view, row.client_id)]
    if caller.client in alive:
        return caller.client
    if not alive:
        raise OAuthError("unauthorized_client", "the merchant has no OAuth client")
    return alive[0]


def _is_alive(view: ReadView, client_id: str) -> bool:
    client = view.get(CLIENTS, REALM, client_id)
    return client is not None and client.revoked_at is None
