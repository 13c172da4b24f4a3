"""Discovery, keys, and the browser's endpoints of an OpenID provider that has nobody to log in (section 3.2)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bursar.engine.auth import keys
from bursar.engine.auth.formance.authority import Authority
from bursar.engine.auth.formance.tables import ClientOptions
from bursar.server.auth import forms, replies
from bursar.server.auth.forms import Form
from bursar.server.auth.tokens import JWT_BEARER, asked_host
from bursar.server.ledger.answers import Answer
from bursar.server.ledger.call import Call

LOGGED_OUT: Final = "/logged-out"
_STANDARD_SCOPES: Final = ("openid", "profile", "email", "phone", "address", "offline_access")
_ENDPOINTS: Final = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "oauth/token",
    "introspection_endpoint": "oauth/introspect",
    "userinfo_endpoint": "userinfo",
    "revocation_endpoint": "revoke",
    "end_session_endpoint": "end_session",
    "device_authorization_endpoint": "device_authorization",
    "jwks_uri": "keys",
}
_CLAIMS: Final = [
    "sub",
    "aud",
    "exp",
    "iat",
    "iss",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "c_hash",
    "at_hash",
    "act",
    "scopes",
    "client_id",
    "azp",
    "preferred_username",
    "name",
    "family_name",
    "given_name",
    "locale",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
]
_SIGNED: Final = [keys.ALGORITHM]
_METHODS: Final = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]
# What the real service announces, more than it does: clients of it may look at it.
_ANNOUNCED: Final[dict[str, Any]] = {
    "scopes_supported": _STANDARD_SCOPES,
    "response_types_supported": ["code", "id_token", "id_token token"],
    "grant_types_supported": [
        "authorization_code",
        "implicit",
        "refresh_token",
        "client_credentials",
        JWT_BEARER,
    ],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": _SIGNED,
    "request_object_signing_alg_values_supported": _SIGNED,
    "token_endpoint_auth_methods_supported": _METHODS,
    "token_endpoint_auth_signing_alg_values_supported": _SIGNED,
    "revocation_endpoint_auth_methods_supported": _METHODS,
    "revocation_endpoint_auth_signing_alg_values_supported": _SIGNED,
    "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "introspection_endpoint_auth_signing_alg_values_supported": _SIGNED,
    "claims_supported": _CLAIMS,
    "code_challenge_methods_supported": ["S256"],
    "ui_locales_supported": ["en"],
    "request_parameter_supported": True,
    "request_uri_parameter_supported": False,
}


class OpenId:
    """Serves discovery, keys, ``/authorize``, ``/end_session`` and ``/device_authorization``, whatever the method."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def discovery(self, call: Call) -> Answer:
        """The discovery document, of the issuer that the caller asked for."""
        issuer = self._authority.issuer_for(asked_host(call))
        endpoints = {name: f"{issuer}/{path}" for name, path in _ENDPOINTS.items()}
        return replies.json({"issuer": issuer, **endpoints, **_ANNOUNCED})

    async def keys(self, call: Call) -> Answer:
        """The public keys that verify tokens (RFC 7517)."""
        return replies.json({"keys": [keys.public(key) for key in await self._authority.keys()]})

    async def authorize(self, call: Call) -> Answer:
        """Refuse: nobody can log in without a delegated provider. What is wrong besides is said first."""
        form = await forms.read(call)
        redirect = form.last("redirect_uri")
        if form.last("request"):
            return replies.text("request objects are not supported", 400)
        for needed in ("client_id", "redirect_uri"):
            if not form.last(needed):
                return replies.text(f"{needed} is missing", 400)
        client = await self._authority.find(form.last("client_id"))
        if client is None:
            return replies.text("there is no such client", 400)
        problem = _redirect_problem(client, redirect, form.last("response_type"))
        if problem:
            return replies.text(problem, 400)
        error = _request_error(form)
        if error is not None:
            return replies.redirect(_error_url(redirect, form, *error))
        return replies.text("nobody can log in: the server has no delegated provider", 400)

    async def callback(self, call: Call) -> Answer:
        """Refuse: there are no logins to come back from."""
        if "id" not in call.query:
            return replies.text("404 page not found", 404)
        return replies.text("there is no such authorization request", 400)

    async def end_session(self, call: Call) -> Answer:
        """Send the browser to where the client allows, or to a page of the server that does not exist."""
        form = await forms.read(call)
        if form.last("id_token_hint"):
            return replies.oauth_error("invalid_request", "id_token_hint invalid")
        target = LOGGED_OUT
        wanted = form.last("post_logout_redirect_uri")
        if form.last("client_id"):
            client = await self._authority.find(form.last("client_id"))
            if client is None:
                return replies.oauth_error("server_error")
            if wanted and wanted not in (client.post_logout_redirect_uris or ()):
                return replies.oauth_error("invalid_request", "post_logout_redirect_uri invalid")
            target = wanted or target
        state = form.last("state")
        return replies.redirect(_with_parameters(target, {"state": state}) if state else target)

    async def device(self, call: Call) -> Answer:
        """Refuse: the grant is announced and not to be had."""
        return replies.oauth_error("unsupported_grant_type", "device_code grant not supported")


def _redirect_problem(client: ClientOptions, uri: str, response_type: str) -> str:
    """Why the browser must not be sent there; "" when it may."""
    if uri not in (client.redirect_uris or ()):
        return "the redirect_uri is not registered for this client"
    if uri.startswith("https://"):
        return ""
    if not uri.startswith("http://"):
        return "a redirect_uri is https or http"
    return "" if response_type == "code" else "a redirect_uri without TLS needs the response_type code"


def _request_error(form: Form) -> tuple[str, str] | None:
    """What is wrong with a request whose redirect_uri is good, as error and description."""
    prompts, scopes = form.last("prompt").split(), form.last("scope").split()
    response_type = form.last("response_type")
    if "none" in prompts and len(prompts) > 1:
        return "invalid_request", "the prompt none stands alone"
    if not scopes:
        return "invalid_request", "the scope is missing"
    if "openid" not in scopes:
        return "invalid_scope", "the scope openid is missing"
    if not response_type:
        return "invalid_request", "the response_type is missing"
    if response_type != "code":
        return "unauthorized_client", "the client may only use the response_type code"
    if form.last("id_token_hint"):
        return "login_required", "the id_token_hint is invalid"
    return None


def _error_url(uri: str, form: Form, error: str, description: str) -> str:
    parameters = {"error": error, "error_description": description}
    if form.last("state"):
        parameters["state"] = form.last("state")
    mode = form.last("response_mode")
    implicit = form.last("response_type") in ("id_token", "id_token token") and mode != "query"
    if mode == "fragment" or implicit:
        return urlunsplit(urlsplit(uri)._replace(fragment=urlencode(parameters)))
    return _with_parameters(uri, parameters)


def _with_parameters(uri: str, parameters: dict[str, str]) -> str:
    parts = urlsplit(uri)
    merged = sorted([*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()])
    return urlunsplit(parts._replace(query=urlencode(merged)))
