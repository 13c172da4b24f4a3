"""The auth service of a sandbox in this process, asked with raw requests."""

import json as jsonlib
from urllib.parse import urlencode

import pytest

from bursar.contract import Request
from bursar.embedded import Engine
from bursar.server.runtime import MEMORY, Settings

URL = "http://localhost"
AUTH = "/formance/api/auth"
LEDGER = "/formance/api/ledger"
START = 1_767_225_600_000_000


class Stack:
    """Sends whatever it is told to, without being the owner of the books."""

    def __init__(self, engine):
        self.engine = engine

    def __call__(self, method, path, json=None, *, text=None, token=None, headers=None, mount=AUTH):
        fields = dict(headers or {})
        body = None if text is None else text.encode()
        if json is not None:
            body = jsonlib.dumps(json).encode()
        # Without this field a request in process would be its owner's.
        fields.setdefault("Authorization", f"Bearer {token}" if token else "None")
        return self.engine.transport().send(
            Request(method, URL + mount + path, tuple(fields.items()), body), 10
        )

    def form(self, path, *, headers=None, **fields):
        kind = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return self("POST", path, text=urlencode(fields), headers=kind)

    def grant(self, client="admin", secret="admin-secret", scope="", **further):
        fields = {"client_id": client, "client_secret": secret, "scope": scope, **further}
        return self.form("/oauth/token", grant_type="client_credentials", **fields)

    def token(self, *scope, client="formance-sandbox", secret="formance-sandbox-secret"):
        return data(self.grant(client, secret, " ".join(scope)))["access_token"]


def data(answer):
    """The decoded body."""
    return jsonlib.loads(answer.body)


@pytest.fixture
def stacks():
    """Makes stacks with flags, and closes them."""
    engines = []

    def make(flags="", **settings):
        engine = Engine(
            Settings(MEMORY, URL, sandbox=True, seed=1, frozen_at=START, ledger_flags=flags, **settings)
        )
        engines.append(engine)
        return Stack(engine)

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def stack(stacks):
    return stacks()
