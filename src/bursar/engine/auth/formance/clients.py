"""Commands and queries on the stack's clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.engine import limits
from bursar.engine.auth import secrets
from bursar.engine.auth.formance.tables import CLIENTS, SECRETS, ClientOptions, ClientRow, SecretRow
from bursar.engine.errors import Conflict, InvalidInput, NotFound

if TYPE_CHECKING:
    from bursar.engine.view import ReadView, View

MAX_ID: Final = 255
_DIGITS: Final = 4
_NUMBERS: Final = "formance_clients"

_encode: Final = msgspec.json.Encoder().encode
_options: Final = msgspec.json.Decoder(ClientOptions).decode
_metadata: Final = msgspec.json.Decoder(dict[str, str]).decode


class Secret(msgspec.Struct, frozen=True):
    """A secret of a client, without the secret itself."""

    id: str
    name: str
    last_digits: str
    metadata: dict[str, str] | None


class Client(msgspec.Struct, frozen=True):
    """A client and its secrets, the oldest first."""

    id: str
    options: ClientOptions
    secrets: tuple[Secret, ...] = ()


def new_secret() -> str:
    """Return a fresh secret: a UUID, as the real service makes them."""
    return secrets.generate_uuid()


def create(view: View, options: ClientOptions, client_id: str = "") -> Client:
    """Add a client; without an id of the caller's it gets a UUID.

    Raises `Conflict` for an id that is taken, `InvalidInput` for one that is too long or not printable.
    """
    client_id = client_id or view.ids.uuid()
    _add(view, client_id, options, static=False)
    return Client(client_id, options)


def declare(view: View, client_id: str, options: ClientOptions, clear: Iterable[str]) -> None:
    """Add a static client with these secrets, unless there is a client of that id."""
    if view.get(CLIENTS, client_id) is not None:
        return
    _add(view, client_id, options, static=True)
    for number, secret in enumerate(clear, 1):
        view.put(SECRETS, _secret_row(client_id, str(number), number, "", None, secret))


def update(view: View, client_id: str, options: ClientOptions) -> Client:
    """Replace all options; secrets stay. Raises `NotFound`."""
    row = _known(view, client_id)
    view.put(CLIENTS, msgspec.structs.replace(row, options=_encode(options).decode()))
    return Client(client_id, options, _shown(view.scan(SECRETS, client_id)))


def delete(view: View, client_id: str) -> None:
    """Remove a client and its secrets; a static or unknown one is left as it is. Its tokens live on."""
    row = view.get(CLIENTS, client_id)
    if row is None or row.static:
        return
    for secret in view.scan(SECRETS, client_id):
        view.delete(SECRETS, client_id, secret.id)
    view.delete(CLIENTS, client_id)


def add_secret(
    view: View, client_id: str, clear: str, name: str, metadata: Mapping[str, str] | None = None
) -> Secret:
    """Give a client one more secret. Raises `NotFound`; `InvalidInput` when it has too many."""
    _known(view, client_id)
    present = view.scan(SECRETS, client_id)
    if len(present) >= limits.CLIENT_SECRETS:
        raise InvalidInput(f"a client has at most {limits.CLIENT_SECRETS} secrets: delete one")
    number = max((row.number for row in present), default=0) + 1
    described = None if metadata is None else _encode(metadata).decode()
    row = _secret_row(client_id, view.ids.uuid(), number, name, described, clear)
    view.put(SECRETS, row)
    return _secret(row)


def delete_secret(view: View, client_id: str, secret_id: str) -> None:
    """Remove a secret. Raises `NotFound`."""
    _known(view, client_id)
    if all(row.id != secret_id for row in view.scan(SECRETS, client_id)):
        raise NotFound("there is no such secret")
    view.delete(SECRETS, client_id, secret_id)


def read(view: ReadView, client_id: str) -> Client:
    """Return a client. Raises `NotFound`, also for a static one."""
    row = view.get(CLIENTS, client_id)
    if row is None or row.static:
        raise NotFound("there is no such client")
    return _client(row, view)


def listed(view: ReadView) -> list[Client]:
    """Return all clients but the static ones, the oldest first."""
    return [_client(row, view) for row in view.select(CLIENTS, {"static": False}, order=("number",))]


def options_of(row: ClientRow) -> ClientOptions:
    """Return the options of a stored client."""
    return _options(row.options)


def _add(view: View, client_id: str, options: ClientOptions, *, static: bool) -> None:
    if not client_id.isprintable() or len(client_id) > MAX_ID:
        raise InvalidInput(f"a client's id is at most {MAX_ID} printable characters")
    if view.get(CLIENTS, client_id) is not None:
        raise Conflict(f"client {client_id} exists already")
    number = view.next_id(_NUMBERS)
    view.put(CLIENTS, ClientRow(client_id, number, static, _encode(options).decode(), view.now))


def _known(view: View, client_id: str) -> ClientRow:
    row = view.get(CLIENTS, client_id)
    if row is None or row.static:
        raise NotFound("there is no such client")
    return row


def _client(row: ClientRow, view: ReadView) -> Client:
    return Client(row.id, options_of(row), _shown(view.scan(SECRETS, row.id)))


def _shown(rows: Iterable[SecretRow]) -> tuple[Secret, ...]:
    return tuple(_secret(row) for row in sorted(rows, key=lambda row: row.number))


def _secret(row: SecretRow) -> Secret:
    metadata = None if row.metadata is None else _metadata(row.metadata)
    return Secret(row.id, row.name, row.last_digits, metadata)


def _secret_row(
    client_id: str, secret_id: str, number: int, name: str, metadata: str | None, clear: str
) -> SecretRow:
    digest = secrets.digest(clear)
    return SecretRow(client_id, secret_id, number, name, metadata, clear[-_DIGITS:], digest)
