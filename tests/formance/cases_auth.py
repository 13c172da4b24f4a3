"""Calls of the auth service."""

from bursar.formance.auth import ClientOptions, SecretOptions
from tests.formance.case import TAGS, Case

_CLIENT = {
    "name": "c",
    "public": True,
    "redirectUris": ["https://a.example/cb"],
    "description": "d",
    "trusted": False,
    "postLogoutRedirectUris": ["https://a.example/out"],
    "metadata": TAGS,
    "scopes": ["ledger:read"],
}
_VENDOR_CLIENT = {
    **{name: value for name, value in _CLIENT.items() if not name.endswith("Uris")},
    "redirect_uris": _CLIENT["redirectUris"],
    "post_logout_redirect_uris": _CLIENT["postLogoutRedirectUris"],
}

AUTH = [
    Case(
        "auth.v1.get_oidc_well_knowns",
        lambda c: c.auth.v1.get_oidc_well_knowns(),
        "GET",
        "/api/auth/.well-known/openid-configuration",
    ),
    Case(
        "auth.v1.get_server_info_auth", lambda c: c.auth.v1.get_server_info_auth(), "GET", "/api/auth/_info"
    ),
    Case("auth.v1.list_clients", lambda c: c.auth.v1.list_clients(), "GET", "/api/auth/clients"),
    Case(
        "auth.v1.create_client",
        lambda c: c.auth.v1.create_client(
            ClientOptions(
                name="c",
                public=True,
                redirect_uris=["https://a.example/cb"],
                description="d",
                trusted=False,
                post_logout_redirect_uris=["https://a.example/out"],
                metadata=TAGS,
                scopes=["ledger:read"],
            )
        ),
        "POST",
        "/api/auth/clients",
        body=_CLIENT,
        vendor=_VENDOR_CLIENT,
    ),
    Case(
        "auth.v1.read_client",
        lambda c: c.auth.v1.read_client("i"),
        "GET",
        "/api/auth/clients/i",
        vendor={"client_id": "i"},
    ),
    Case(
        "auth.v1.update_client",
        lambda c: c.auth.v1.update_client("i", _CLIENT),
        "PUT",
        "/api/auth/clients/i",
        body=_CLIENT,
        vendor={"client_id": "i", "client_options": _VENDOR_CLIENT},
    ),
    Case(
        "auth.v1.delete_client",
        lambda c: c.auth.v1.delete_client("i"),
        "DELETE",
        "/api/auth/clients/i",
        vendor={"client_id": "i"},
    ),
    Case(
        "auth.v1.create_secret",
        lambda c: c.auth.v1.create_secret("i", SecretOptions(name="s", metadata=TAGS)),
        "POST",
        "/api/auth/clients/i/secrets",
        body={"name": "s", "metadata": TAGS},
        vendor={"client_id": "i", "secret_options": {"name": "s", "metadata": TAGS}},
    ),
    Case(
        "auth.v1.delete_secret",
        lambda c: c.auth.v1.delete_secret("i", "s"),
        "DELETE",
        "/api/auth/clients/i/secrets/s",
        vendor={"client_id": "i", "secret_id": "s"},
    ),
    Case("auth.v1.list_users", lambda c: c.auth.v1.list_users(), "GET", "/api/auth/users"),
    Case(
        "auth.v1.read_user",
        lambda c: c.auth.v1.read_user("u"),
        "GET",
        "/api/auth/users/u",
        vendor={"user_id": "u"},
    ),
]
