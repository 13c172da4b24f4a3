"""Raw requests to an in-process sandbox, below the typed clients."""

import json as jsonlib
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from bursar.contract import Request, Response
from bursar.embedded import Engine

TOKEN_PATH = "/milkyway/realms/sandbox/protocol/openid-connect/token"
FORM = ("content-type", "application/x-www-form-urlencoded")
PAYMENT = {
    "third_party_id_debit": "bank-beta",
    "service_id": "card-payout",
    "sender_id": "sender-1",
    "recipient_id": "card-1",
    "amount_credit": 100,
    "currency_credit": "USD",
    "data": {"passport": "AA1234567"},
}


@dataclass
class Http:
    """Sends whatever it is told to."""

    engine: Engine
    tokens: dict[str, str] = field(default_factory=dict)

    def __call__(self, method, path, *, json=None, body=None, headers=(), token=None) -> Response:
        fields = list(headers)
        if json is not None:
            body = jsonlib.dumps(json).encode()
            fields.append(("content-type", "application/json"))
        if token is not None:
            fields.append(("authorization", f"Bearer {token}"))
        return self.engine.transport().send(Request(method, self.engine.url + path, tuple(fields), body), 10)

    def form(self, fields, *, headers=(), path=TOKEN_PATH) -> Response:
        return self("POST", path, body=urlencode(fields).encode(), headers=[FORM, *headers])

    def token(self, client_id="bank-alpha", client_secret="alpha-secret") -> str:
        if client_id not in self.tokens:
            answer = self.form(
                {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
            )
            self.tokens[client_id] = jsonlib.loads(answer.body)["access_token"]
        return self.tokens[client_id]

    def pay(self, **changes) -> Response:
        return self("POST", "/milkyway/payments/v1", json={**PAYMENT, **changes}, token=self.token())


@pytest.fixture
def http(bursar_sandbox):
    return Http(bursar_sandbox)


@pytest.fixture
def request_body():
    """A good body of a pay request."""
    return dict(PAYMENT)
