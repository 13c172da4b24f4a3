"""Clients, their secrets, and users (section 3.1 of the services' specification)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from bursar.engine.auth.formance import clients
from bursar.engine.auth.formance.tables import ClientOptions
from bursar.engine.core import Core
from bursar.engine.ledger.errors import Validation
from bursar.engine.ledger.wire import Members, first_value
from bursar.server import limits
from bursar.server.auth import replies
from bursar.server.ledger.answers import NO_CONTENT, Answer, data
from bursar.server.ledger.call import Call
from bursar.server.ledger.routes import Routes

_CLIENT: Final = "/clients/{client}"


class Clients:
    """Serves ``/clients`` and ``/users``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> Routes:
        """The paths; those of lists and items are served with a slash at the end, too."""
        table = Routes()
        item = {"GET": self._read, "PUT": self._update, "DELETE": self._delete}
        for slash in ("", "/"):
            table.add(f"/clients{slash}", {"GET": self._list, "POST": self._create})
            table.add(f"{_CLIENT}{slash}", item)
            table.add(f"{_CLIENT}/secrets{slash}", {"POST": self._create_secret})
            table.add(f"/users{slash}", {"GET": self._users})
            table.add(f"/users/{{user}}{slash}", {"GET": self._user})
        table.add(f"{_CLIENT}/secrets/{{secret}}", {"DELETE": self._delete_secret})
        return table

    async def _list(self, call: Call) -> Answer:
        found = await self._core.read(clients.listed)
        return data([replies.client(client, filled=True) for client in found])

    async def _create(self, call: Call) -> Answer:
        members = await _body(call)
        made = await self._core.submit(
            partial(clients.create, options=_options(members), client_id=_text(members, "id"))
        )
        return data(replies.client(made, filled=False), status=201)

    async def _read(self, call: Call) -> Answer:
        return data(replies.client(await self._known(call), filled=True))

    async def _update(self, call: Call) -> Answer:
        await self._known(call)  # said before what is wrong with the body
        options = _options(await _body(call))
        changed = await self._core.submit(
            partial(clients.update, client_id=call.path["client"], options=options)
        )
        return data(replies.client(changed, filled=False))

    async def _delete(self, call: Call) -> Answer:
        await self._core.submit(partial(clients.delete, client_id=call.path["client"]))
        return NO_CONTENT

    async def _create_secret(self, call: Call) -> Answer:
        await self._known(call)
        members = await _body(call)
        name, metadata, clear = _text(members, "name"), _metadata(members), clients.new_secret()
        made = await self._core.submit(
            partial(
                clients.add_secret, client_id=call.path["client"], clear=clear, name=name, metadata=metadata
            )
        )
        return data(replies.new_secret(made, clear))

    async def _delete_secret(self, call: Call) -> Answer:
        client, secret = call.path["client"], call.path["secret"]
        await self._core.submit(partial(clients.delete_secret, client_id=client, secret_id=secret))
        return NO_CONTENT

    async def _users(self, call: Call) -> Answer:
        """Users come with their first login through a delegated provider, which this server has not."""
        return data([])

    async def _user(self, call: Call) -> Answer:
        return replies.MISSING

    async def _known(self, call: Call) -> clients.Client:
        return await self._core.read(partial(clients.read, client_id=call.path["client"]))


async def _body(call: Call) -> Members:
    return Members(first_value(await call.body(limits.BODY_BYTES)))


def _options(members: Members) -> ClientOptions:
    return ClientOptions(
        public=members.flag("public"),
        redirect_uris=_texts(members, "redirectUris"),
        description=_text(members, "description"),
        name=_text(members, "name"),
        post_logout_redirect_uris=_texts(members, "postLogoutRedirectUris"),
        metadata=_metadata(members),
        trusted=members.flag("trusted"),
        scopes=_texts(members, "scopes"),
    )


def _texts(members: Members, name: str) -> tuple[str, ...] | None:
    """A list of texts, null ones being empty; None when absent."""
    if not members.has(name):
        return None
    return tuple(_storable(item, f"{name}[{at}]") for at, item in enumerate(members.array(name)))


def _text(members: Members, name: str) -> str:
    return _storable(members.text(name), name)


def _metadata(members: Members) -> dict[str, str] | None:
    found = members.metadata("metadata")
    for key, value in (found or {}).items():
        _storable(key, "metadata")
        _storable(value, f"metadata.{key}")
    return found


def _storable(value: Any, place: str) -> str:
    """A text that every store can keep. Raises Validation."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Validation(f"'{place}' must be a text")
    if "\0" in value:
        raise Validation(f"'{place}' must not contain the NUL character")
    return value
