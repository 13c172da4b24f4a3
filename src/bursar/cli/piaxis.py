"""`bursar piaxis`: merchants of the Piaxis rail, on a database that no server has open."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, to_builtins

from bursar.cli.clients import on_database
from bursar.cli.output import print_json
from bursar.engine.auth import secrets
from bursar.engine.core import Core
from bursar.engine.piaxis import merchants, oauth_apps
from bursar.engine.piaxis.merchants import MERCHANT
from bursar.engine.view import View

WHO = "command line"


class Made(Struct, frozen=True):
    """A merchant's credentials; the key and the secret are stored only as digests."""

    merchant_id: str
    api_key: str
    client_id: str
    client_secret: str


def create(database: str, name: str, email: str | None, redirects: Sequence[str], *, as_json: bool) -> None:
    """Add a merchant with an API key and an OAuth client, and print them."""
    _show(on_database(database, lambda core: _create(core, name, email, redirects)), as_json=as_json)


def add_key(database: str, merchant: str, label: str, *, as_json: bool) -> None:
    """Give a merchant one more API key and print it."""

    def command(view: View) -> str:
        key = merchants.new_key(view)
        merchants.add_key(view, WHO, merchant, key, label=label)
        return key

    key = on_database(database, lambda core: core.submit(command))
    if as_json:
        print_json({"merchant_id": merchant, "api_key": key})
    else:
        print(f"API key: {key}\nIt is stored only as a digest: keep it now.")


async def _create(core: Core, name: str, email: str | None, redirects: Sequence[str]) -> Made:
    secret = secrets.generate()

    def command(view: View) -> Made:
        merchant = merchants.create_account(view, WHO, MERCHANT, name, email=email).id
        key, client_id = merchants.new_key(view), view.ids.uuid()
        merchants.add_key(view, WHO, merchant, key, label="first")
        oauth_apps.add(view, client_id, merchant, secret)
        for uri in redirects:
            oauth_apps.add_redirect(view, merchant, uri)
        return Made(merchant, key, client_id, secret)

    return await core.submit(command)


def _show(made: Made, *, as_json: bool) -> None:
    if as_json:
        print_json(to_builtins(made))
        return
    print(f"Merchant id:   {made.merchant_id}\nAPI key:       {made.api_key}")
    print(f"Client id:     {made.client_id}\nClient secret: {made.client_secret}")
    print("The key and the secret are stored only as digests: keep them now.")
