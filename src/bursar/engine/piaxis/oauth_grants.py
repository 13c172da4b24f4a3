"""Codes, grants and tokens: the commands behind the token endpoint (RFC 6749, 7636, 9700).

What is refused *and* ends a family of tokens is returned, not raised: a command that raises has changed nothing.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bursar.engine.auth.tables import CLIENTS
from bursar.engine.core import Core
from bursar.engine.limits import SECOND_US
from bursar.engine.piaxis import pkce
from bursar.engine.piaxis.oauth_apps import REALM, App, OAuthError, is_alive
from bursar.engine.piaxis.oauth_asks import Ask
from bursar.engine.piaxis.oauth_tables import (
    CODES,
    GRANTS,
    LINKS,
    TOKENS,
    CodeRow,
    GrantRow,
    LinkRow,
    TokenRow,
)
from bursar.engine.store.table import AnyTable
from bursar.engine.view import ReadView, View
from bursar.engine.work import Claimed, Work

CODE_SECONDS: Final = 300
"""Life of a code: long enough to copy it by hand, within the 60 s to 10 min of PS10."""
ACCESS_SECONDS: Final = 3600
REFRESH_SECONDS: Final = 30 * 86_400
EXPIRY: Final = "piaxis.oauth.expiry"
"""Kind of the work that forgets the codes and tokens that expired on one day; its key is the day since the epoch."""
_DAY: Final = 86_400 * SECOND_US
_FORGOTTEN_AT_ONCE: Final = 500


class Tokens(Struct, frozen=True):
    """What a grant is worth. `expires_in` is seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    scope: str
    user_id: str

    def __repr__(self) -> str:
        return f"Tokens(expires_in={self.expires_in}, scope={self.scope!r}, user_id={self.user_id!r})"


class Access(Struct, frozen=True):
    """Who a good access token speaks for: a user, towards one merchant."""

    merchant: str
    client_id: str
    user: str
    external_user_id: str
    scopes: frozenset[str]


def issue_code(view: View, ask: Ask, user: str) -> str:
    """Return a code for a consent that `user` gave, and remember who the merchant's customer is."""
    code = view.ids.token()
    expires_at = view.now + CODE_SECONDS * SECOND_US
    scope = " ".join(ask.scopes)
    bound = (ask.merchant_id, user, ask.external_user_id, ask.redirect_uri, ask.challenge, scope)
    view.put(CODES, CodeRow(_digest(code), *bound, expires_at))
    view.put(LINKS, LinkRow(ask.merchant_id, ask.external_user_id, user, view.now))
    _forget_on_the_day(view, expires_at)
    return code


def exchange(view: View, app: App, code: str, redirect_uri: str, verifier: str) -> Tokens | OAuthError:
    """Turn a code into tokens, once (PS10, PS12, PS13). A second time ends the tokens of the first (PS19)."""
    row = view.get(CODES, _digest(code))
    if row is None or row.merchant != app.merchant:
        raise _bad_code("it is not known")
    if row.grant:
        revoke(view, row.grant, "code used twice")
        return _bad_code("it was used before; the tokens from it are revoked")
    if view.now >= row.expires_at:
        raise _bad_code("it has expired")
    if row.redirect_uri != redirect_uri:
        raise _bad_code("redirect_uri is not the one of the authorization request")
    if row.challenge and not pkce.proves(verifier, row.challenge):
        raise _bad_code("code_verifier does not fit the code_challenge")
    if verifier and not row.challenge:
        # Else whoever strips the challenge from a request could use a code of his own (RFC 9700 section 4.8.2).
        raise _bad_code("there was no code_challenge in the authorization request")
    grant = GrantRow(
        id=view.ids.uuid(),
        merchant=app.merchant,
        client_id=app.client_id,
        user=row.user,
        external_user_id=row.external_user_id,
        scope=row.scope,
        generation=app.generation,
        created_at=view.now,
        revoked_at=None,
    )
    view.put(GRANTS, grant)
    view.put(CODES, replace(row, grant=grant.id))
    return _issue(view, grant, grant.scope)


def refresh(view: View, app: App, token: str, scope: str) -> Tokens | OAuthError:
    """Turn a refresh token into new tokens, once: using one again ends the family (PS17)."""
    row = view.get(TOKENS, _digest(token))
    grant = None if row is None or not row.refresh else view.get(GRANTS, row.grant)
    if row is None or grant is None or grant.client_id != app.client_id:
        raise _bad_token("it is not known")
    if row.used:
        revoke(view, grant.id, "refresh token used twice")
        return _bad_token("it was used before; all tokens of this consent are revoked")
    if view.now >= row.expires_at or grant.revoked_at is not None or grant.generation != app.generation:
        raise _bad_token("it has expired or was revoked")
    if not set(scope.split()) <= set(row.scope.split()):
        raise OAuthError("invalid_scope", "a refresh cannot widen the scope")
    view.put(TOKENS, replace(row, used=True))
    return _issue(view, grant, scope or row.scope)


def revoke(view: View, grant: str, reason: str) -> None:
    """End all tokens of a grant; nothing happens to one that has ended already."""
    row = view.get(GRANTS, grant)
    if row is not None and row.revoked_at is None:
        view.put(GRANTS, replace(row, revoked_at=view.now, reason=reason))


def access(view: ReadView, token: str) -> Access | None:
    """Return who an access token speaks for; None for one that is unknown, expired or revoked."""
    row = view.get(TOKENS, _digest(token))
    if row is None or row.refresh or view.now >= row.expires_at:
        return None
    grant = view.get(GRANTS, row.grant)
    if grant is None or grant.revoked_at is not None:
        return None
    if not is_alive(view.get(CLIENTS, REALM, grant.client_id), grant.generation):
        return None
    scopes = frozenset(row.scope.split())
    return Access(grant.merchant, grant.client_id, grant.user, grant.external_user_id, scopes)


def register(core: Core) -> None:
    """Name the handler of the domain's work; once for each core, before its worker starts."""
    core.worker.register(EXPIRY, _forget)


def _issue(view: View, grant: GrantRow, scope: str) -> Tokens:
    made = Tokens(view.ids.token(), view.ids.token(), ACCESS_SECONDS, scope, grant.user)
    lives = (made.access_token, False, ACCESS_SECONDS), (made.refresh_token, True, REFRESH_SECONDS)
    for token, refreshing, seconds in lives:
        expires_at = view.now + seconds * SECOND_US
        view.put(TOKENS, TokenRow(_digest(token), refreshing, grant.id, scope, expires_at))
        _forget_on_the_day(view, expires_at)
    return made


def _forget_on_the_day(view: View, expires_at: int) -> None:
    day = expires_at // _DAY
    view.schedule(Work(EXPIRY, str(day), (day + 1) * _DAY))


async def _forget(core: Core, claimed: Claimed) -> None:
    """Delete what expired until the end of a day."""
    end = (int(claimed.key) + 1) * _DAY
    for table in (CODES, TOKENS):
        while digests := await core.read(partial(_expired, table, end)):
            await core.submit(partial(_delete, table, digests))
    await core.submit(lambda view: view.unschedule(claimed.kind, claimed.key))


def _expired(table: AnyTable, end: int, view: ReadView) -> list[str]:
    rows = view.select(table, {"expires_at <": end}, limit=_FORGOTTEN_AT_ONCE)
    return [row.digest for row in rows]


def _delete(table: AnyTable, digests: list[str], view: View) -> None:
    for digest in digests:
        view.delete(table, digest)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _bad_code(reason: str) -> OAuthError:
    return OAuthError("invalid_grant", f"the code is not good: {reason}")


def _bad_token(reason: str) -> OAuthError:
    return OAuthError("invalid_grant", f"the refresh token is not good: {reason}")
