"""Who may call the ledger API (section 17)."""

from __future__ import annotations

from bursar.engine.auth.formance.authority import Authority
from bursar.server.access import Access
from bursar.server.ledger.app import Guard
from bursar.server.ledger.call import Call
from bursar.server.ledger.flags import Flags


def guard(flags: Flags, authority: Authority, *, exposed: bool) -> Guard:
    """The guard that the flags ask for.

    Without `--auth-enabled` the API is open, as the real one is; but a server that other machines reach (`exposed`)
    always wants tokens, with their scopes.
    """
    if not flags.auth_enabled and not exposed:
        return _everybody
    scopes = flags.auth_check_scopes or not flags.auth_enabled
    access = Access(authority, flags.auth_service if flags.auth_enabled else "ledger", scopes=scopes)

    async def may(call: Call) -> bool:
        return await access.allows(call.scope, call.headers.get("authorization", ""))

    return may


async def _everybody(call: Call) -> bool:
    return True
