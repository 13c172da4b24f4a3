"""The auth service: OAuth clients and their secrets, users, discovery. Its own calls always want a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

from bursar.contract import Body, C, Effect, Resource, delete, get, post, put

from .wire import Metadata, Wire

_AUTH: Final = "/api/auth"
_CLIENT: Final = f"{_AUTH}/clients/{{client_id}}"
_REFUSED: Final = {
    400: "The request breaks a rule.",
    401: "No good token, or one without auth:read or auth:write.",
}
_MISSING: Final = {**_REFUSED, 404: "There is none of that id."}


class ClientOptions(Wire, kw_only=True):
    """What is decided about a client. Replacing them replaces all; None leaves a member out, which empties it.

    `scopes` are what its tokens may hold at most, for example ``ledger:read``.
    """

    name: str | None = None
    id: str | None = None
    """Only read when creating; None: a fresh UUID."""
    public: bool | None = None
    redirect_uris: Sequence[str] | None = None
    description: str | None = None
    trusted: bool | None = None
    post_logout_redirect_uris: Sequence[str] | None = None
    metadata: Mapping[str, str] | None = None
    scopes: Sequence[str] | None = None


class ClientSecret(Wire, omit_defaults=False, kw_only=True):
    """A secret of a client, without the secret itself."""

    id: str
    name: str
    last_digits: str
    metadata: Metadata | None = None


class Client(Wire, omit_defaults=False, kw_only=True):
    """An OAuth client. Answers to creating and updating have None for lists and metadata that were not given."""

    id: str
    name: str = ""
    public: bool = False
    redirect_uris: list[str] | None = None
    description: str = ""
    trusted: bool = False
    post_logout_redirect_uris: list[str] | None = None
    metadata: Metadata | None = None
    scopes: list[str] | None = None
    secrets: list[ClientSecret] | None = None


class SecretOptions(Wire, kw_only=True):
    """A secret to make."""

    name: str
    metadata: Mapping[str, str] | None = None


class CreatedSecret(Wire, kw_only=True):
    """A new secret. `clear` is shown this once."""

    id: str
    name: str
    last_digits: str
    clear: str
    metadata: Metadata | None = None

    hidden: ClassVar[frozenset[str]] = frozenset({"clear"})


class User(Wire, kw_only=True):
    """Somebody who logged in through the delegated provider."""

    id: str | None = None
    subject: str | None = None
    email: str | None = None


class AuthServerInfo(Wire, kw_only=True):
    """Which version of the auth service answers."""

    version: str
    debug: bool | None = None


class OpenIdConfiguration(Wire, rename=None, kw_only=True):
    """The discovery document (OpenID Connect Discovery 1.0 section 3); what it has besides is in `extra`."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    introspection_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    jwks_uri: str | None = None


class AuthApi(Resource[C]):
    """The versions of the auth service's API."""

    @property
    def v1(self) -> AuthV1[C]:
        """The auth service's API."""
        return AuthV1(self.caller)


class AuthV1(Resource[C]):
    """OAuth clients, secrets, users."""

    @get(f"{_AUTH}/.well-known/openid-configuration")
    def get_oidc_well_knowns(self) -> OpenIdConfiguration:
        """Return the discovery document."""
        ...

    @get(f"{_AUTH}/_info")
    def get_server_info_auth(self) -> AuthServerInfo:
        """Return the version of the service."""
        ...

    @get(f"{_AUTH}/clients", unwrap="data", errors=_REFUSED)
    def list_clients(self) -> list[Client]:
        """Return all clients but those of the server's configuration. There are no pages."""
        ...

    @post(f"{_AUTH}/clients", effect=Effect.ONCE, status=201, unwrap="data", errors=_REFUSED)
    def create_client(
        self, options: Annotated[ClientOptions | Mapping[str, Any] | None, Body()] = None
    ) -> Client:
        """Create a client. It needs a secret to get tokens: `create_secret`."""
        ...

    @get(_CLIENT, unwrap="data", errors=_MISSING)
    def read_client(self, client_id: str) -> Client:
        """Return a client."""
        ...

    @put(_CLIENT, unwrap="data", errors=_MISSING)
    def update_client(
        self, client_id: str, options: Annotated[ClientOptions | Mapping[str, Any] | None, Body()] = None
    ) -> Client:
        """Replace a client's options; its secrets stay. Tokens already issued keep their scopes."""
        ...

    @delete(_CLIENT, errors=_REFUSED)
    def delete_client(self, client_id: str) -> None:
        """Delete a client; an unknown one is no error. Tokens already issued run to their end."""
        ...

    @post(f"{_CLIENT}/secrets", effect=Effect.ONCE, unwrap="data", errors=_MISSING)
    def create_secret(
        self, client_id: str, options: Annotated[SecretOptions | Mapping[str, Any] | None, Body()] = None
    ) -> CreatedSecret:
        """Make a secret for a client; it is shown in this answer only."""
        ...

    @delete(f"{_CLIENT}/secrets/{{secret_id}}", errors=_MISSING)
    def delete_secret(self, client_id: str, secret_id: str) -> None:
        """Delete a secret."""
        ...

    @get(f"{_AUTH}/users", unwrap="data", errors=_REFUSED)
    def list_users(self) -> list[User]:
        """Return all users. There are no pages."""
        ...

    @get(f"{_AUTH}/users/{{user_id}}", unwrap="data", errors=_MISSING)
    def read_user(self, user_id: str) -> User:
        """Return a user."""
        ...
