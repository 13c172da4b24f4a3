"""``/authorize``: a person's consent in a browser, or a test's without one (B2.1, PS07 to PS14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bursar.contract.http import Headers, Response
from bursar.engine.errors import EngineError, InvalidInput, NotFound
from bursar.engine.piaxis.caller import Caller
from bursar.engine.piaxis.errors import Refusal
from bursar.engine.piaxis.oauth import OAuthService
from bursar.engine.piaxis.oauth_apps import OAuthError
from bursar.engine.piaxis.oauth_asks import Ask, check_content
from bursar.engine.piaxis.oauth_redirects import with_parameters
from bursar.server.api import Guard
from bursar.server.exchange import Exchange
from bursar.server.failure import Failure
from bursar.server.piaxis.consent import FormGuard, Pages, with_field
from bursar.server.piaxis.token import NO_STORE, refusal
from bursar.server.replies import json_reply

_NAMES: Final = tuple(field.name for field in msgspec.structs.fields(Ask))


class Authorize:
    """Serves ``/authorize``.

    `owner` returns who calls with a merchant owner's key; None where the ``x-test-request`` header is ignored.
    """

    def __init__(
        self, oauth: OAuthService, pages: Pages, forms: FormGuard, owner: Guard[Caller] | None
    ) -> None:
        self._oauth = oauth
        self._pages = pages
        self._forms = forms
        self._owner = owner

    async def show(self, exchange: Exchange) -> Response:
        """Show the first page; or answer a test's request at once."""
        tester = await self._tester(exchange)
        try:
            ask = _ask(exchange.query)
            name = await self._oauth.merchant_name(ask)
        except (InvalidInput, NotFound) as error:
            if tester is not None:
                raise
            return self._pages.problem(_status(error), error.message)
        try:
            check_content(ask)
        except OAuthError as error:
            if tester is not None:
                return refusal(error)
            return _leave(ask, {"error": error.error, "error_description": error.message})
        if tester is not None:
            return await self._answer(tester, ask)
        nonce = self._forms.nonce(exchange)
        page = self._pages.sign_in(ask, name, self._forms.token(nonce, ask))
        return with_field(page, self._forms.cookie(nonce))

    async def act(self, exchange: Exchange) -> Response:
        """Take a form: send a code, allow, or deny."""
        try:
            form = await exchange.form()
        except Failure as failure:
            return self._pages.problem(failure.status, failure.message)
        try:
            ask = _ask(form.items())
            if not self._forms.accepts(exchange, ask, form.get("token", "")):
                return self._pages.problem(400, "The page was open for too long, or did not come from here.")
            name = await self._oauth.merchant_name(ask)
            check_content(ask)
        except (InvalidInput, NotFound, OAuthError) as error:
            return self._pages.problem(_status(error), error.message)
        if form.get("step") == "deny":
            return _leave(ask, {"error": "access_denied", "error_description": "the customer said no"})
        if form.get("step") == "allow":
            return await self._allow(ask, name, form)
        return await self._send_code(ask, name, form)

    async def _answer(self, tester: Caller, ask: Ask) -> Response:
        try:
            return json_reply(await self._oauth.test(tester, ask), headers=NO_STORE)
        except OAuthError as error:
            return refusal(error)

    async def _send_code(self, ask: Ask, merchant: str, form: Mapping[str, str]) -> Response:
        contact, token = form.get("contact", "").strip(), form["token"]
        try:
            await self._oauth.send_code(ask, contact)
        except EngineError as error:
            return self._pages.sign_in(ask, merchant, token, error.message, contact)
        return self._pages.code(ask, merchant, token, contact)

    async def _allow(self, ask: Ask, merchant: str, form: Mapping[str, str]) -> Response:
        contact, token = form.get("contact", ""), form["token"]
        try:
            code = await self._oauth.allow(ask, contact, form.get("otp", ""))
        except Refusal as error:
            return self._pages.code(ask, merchant, token, contact, error.message)
        return _leave(ask, {"code": code})

    async def _tester(self, exchange: Exchange) -> Caller | None:
        """Who asks for a code without a browser; None for everybody else (PS14)."""
        if self._owner is None or exchange.headers.get("x-test-request", "").lower() != "true":
            return None
        try:
            caller = await self._owner(exchange)
        except Refusal:
            return None
        return caller if caller.owner else None


def _ask(pairs: Iterable[tuple[str, str]]) -> Ask:
    """Read the request. Raises `InvalidInput` for what is missing or repeated (RFC 6749 section 3.1)."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise InvalidInput(f"{name} is repeated")
        if name in _NAMES:
            given[name] = value
    missing = [name for name in ("merchant_id", "external_user_id", "redirect_uri") if not given.get(name)]
    if missing:
        raise InvalidInput(f"{' and '.join(missing)} must be in the request")
    return Ask(**given)


def _leave(ask: Ask, outcome: Mapping[str, str]) -> Response:
    """Send the browser back; `state` comes back unchanged (PS11)."""
    told = dict(outcome) if ask.state is None else {**outcome, "state": ask.state}
    fields = [("location", with_parameters(ask.redirect_uri, told)), ("cache-control", "no-store")]
    return Response(303, Headers(fields), b"")


def _status(error: EngineError) -> int:
    return 404 if isinstance(error, NotFound) else 400
