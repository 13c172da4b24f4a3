"""The endpoints for tokens: issue, introspect, revoke, and whom one speaks for (section 3.2)."""

from __future__ import annotations

from typing import Final

from bursar.engine.auth.formance.authority import Authority, UnauthorizedClient
from bursar.engine.auth.service import InvalidClient
from bursar.engine.auth.tokens import InvalidToken
from bursar.server.auth import forms, replies
from bursar.server.auth.forms import BadCredentials, Credentials, Form
from bursar.server.ledger.answers import Answer, encode
from bursar.server.ledger.call import Call

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_WRONG_CLIENT: Final = "invalid client_id / client_secret"


class Tokens:
    """Serves the endpoints below ``/oauth``, ``/revoke`` and ``/userinfo``, whatever the method."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def issue(self, call: Call) -> Answer:
        """Issue a token for the client credentials grant; without logins the other grants never succeed."""
        form = await forms.read(call)
        grant = form.first("grant_type")
        try:
            match grant:
                case "":
                    return replies.oauth_error("invalid_request", "grant_type missing")
                case "client_credentials":
                    return await self._granted(call, forms.credentials(call, form), form)
                case "authorization_code":
                    return await self._code(forms.credentials(call, form), form)
                case "refresh_token":
                    return await self._refresh(forms.credentials(call, form), form)
                case _ if grant == JWT_BEARER:
                    return replies.oauth_error("server_error", "there is no delegated issuer")
                case _:
                    return replies.oauth_error("unsupported_grant_type", f"{grant} not supported")
        except (BadCredentials, InvalidClient):
            return replies.oauth_error("invalid_client")

    async def introspect(self, call: Call) -> Answer:
        """Say whether a token is live, and what it says (RFC 7662). Takes HTTP Basic credentials only."""
        form = await forms.read(call)
        try:
            given = forms.basic(call)
            if given is None:
                return replies.text("client credentials by HTTP Basic are required", 401)
            await self._authority.authenticate(*given)
        except (BadCredentials, InvalidClient):
            return replies.text("the client credentials are wrong", 401)
        try:
            presented = await self._authority.check(form.last("token"))
        except InvalidToken:
            return replies.json({"active": False})
        shown = {"client_id": presented.audience, "token_type": "Bearer", **presented.members}
        return replies.json({"active": True, **shown})

    async def revoke(self, call: Call) -> Answer:
        """Refuse a token from now on (RFC 7009); one that is no token is no error."""
        form = await forms.read(call)
        try:
            given = forms.basic(call)
            if given is None:
                refusal = await self._unproved(form)
                if refusal is not None:
                    return refusal
            else:
                await self._authority.authenticate(*given)
        except (BadCredentials, InvalidClient):
            return replies.oauth_error("invalid_client", _WRONG_CLIENT)
        await self._authority.revoke(form.last("token"))
        return Answer(200)

    async def user(self, call: Call) -> Answer:
        """Refuse: clients' tokens speak for no user."""
        form = await forms.read(call)
        before, bearer, token = call.headers.get("authorization", "").partition("Bearer ")
        if not bearer or before:
            token = form.last("access_token")
        try:
            await self._authority.check(token)
        except InvalidToken:
            return replies.text("access token invalid", 401)
        return replies.json({}, status=403)

    async def _granted(self, call: Call, given: Credentials, form: Form) -> Answer:
        call.scope["state"]["client_id"] = given.client_id
        issuer = self._authority.issuer_for(asked_host(call))
        try:
            grant = await self._authority.grant(*given, form.last("scope"), issuer=issuer)
        except UnauthorizedClient:
            return replies.oauth_error("unauthorized_client")
        body = {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": grant.expires_in,
        }
        return Answer(200, encode(body), headers=replies.NO_STORE)

    async def _code(self, given: Credentials, form: Form) -> Answer:
        if not form.last("code"):
            return replies.oauth_error("invalid_request", "code missing")
        refusal = await self._unknown_user(given)
        return refusal or replies.oauth_error("invalid_grant", "invalid code")

    async def _refresh(self, given: Credentials, form: Form) -> Answer:
        if not form.last("refresh_token"):
            return replies.oauth_error("invalid_request", "refresh_token missing")
        if await self._authority.find(given.client_id) is None:
            return replies.oauth_error("server_error", "there is no such client")
        refusal = await self._unknown_user(given)
        return refusal or replies.oauth_error("invalid_grant")

    async def _unknown_user(self, given: Credentials) -> Answer | None:
        """The refusal of a client that may not act for a user; None when it may: a public one needs no secret."""
        options = await self._authority.find(given.client_id)
        if options is None:
            raise InvalidClient
        if options.public:
            return None
        try:
            await self._authority.authenticate(*given)
        except InvalidClient:
            return replies.oauth_error("invalid_client", _WRONG_CLIENT)
        return None

    async def _unproved(self, form: Form) -> Answer | None:
        """The refusal of a client that shows no secret by HTTP Basic; None for a public one or one in the form."""
        client_id, secret = form.last("client_id"), form.last("client_secret")
        options = await self._authority.find(client_id) if client_id else None
        if client_id and options is None:
            return replies.oauth_error("invalid_client")
        if secret and options is not None:
            await self._authority.authenticate(client_id, secret)
        elif options is None or not options.public:
            return replies.oauth_error("invalid_client", "invalid authorization")
        return None


def asked_host(call: Call) -> str:
    """The host that the caller asked for, before proxies."""
    return call.headers.get("x-forwarded-host") or call.headers.get("host", "")
