"""Who may call the ledger API (section 17)."""

from __future__ import annotations

from typing import Final

from bursar.engine.auth.service import Realm
from bursar.engine.auth.tokens import InvalidToken
from bursar.server.ledger.app import Guard
from bursar.server.ledger.call import Call
from bursar.server.ledger.flags import Flags

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def guard(flags: Flags, realm: Realm, *, exposed: bool) -> Guard:
    """The guard that the flags ask for.

    Without `--auth-enabled` the API is open, as the real one is; but a server that other machines reach (`exposed`)
    always wants tokens, with their scopes.
    """
    if not flags.auth_enabled and not exposed:
        return _everybody
    scopes = flags.auth_check_scopes or not flags.auth_enabled
    service = flags.auth_service if flags.auth_enabled else "ledger"
    write = f"{service}:write"

    async def may(call: Call) -> bool:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            identity = await realm.identify(token.strip())
        except InvalidToken:
            return False
        call.scope["state"]["client_id"] = identity.client_id
        if not scopes:
            return True
        enough = {f"{service}:read", write} if call.scope["method"] in _READING else {write}
        return bool(enough & identity.scopes)

    return may


async def _everybody(call: Call) -> bool:
    return True
