"""Raw requests to an in-process sandbox's Piaxis, below the typed clients."""

import json as jsonlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bursar.contract import Request, Response
from bursar.embedded import Engine
from tests.server.piaxis.scene import CALLBACK, CLIENT, KEY, MERCHANT, challenge


@dataclass
class Http:
    """Sends whatever it is told to."""

    engine: Engine
    base: str = "/piaxis/api"

    def __call__(
        self,
        method,
        path,
        *,
        json=None,
        body=None,
        key: str | None = KEY,
        token: str | None = None,
        headers=(),
    ) -> Response:
        fields = dict(headers)
        if json is not None:
            body = jsonlib.dumps(json).encode()
        if body is not None:
            fields.setdefault("content-type", "application/json")
        if key is not None and token is None:
            fields["api-key"] = key
        if token is not None:
            fields["authorization"] = f"Bearer {token}"
        url = self.engine.url + (path if path.startswith(("/piaxis", "/healthz")) else self.base + path)
        return self.engine.transport().send(Request(method, url, tuple(fields.items()), body), 10)

    def form(self, path, fields, **headers) -> Response:
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        return self("POST", path, body=urlencode(fields).encode(), key=None, headers=headers)

    def commit(self):
        """Number of commits, and the last log entry of each ledger with its hash."""
        health = jsonlib.loads(self("GET", "/healthz").body)
        return health["commit"], health["heads"]

    def code(self, *, external_user_id="customer-1", redirect_uri=CALLBACK, key=KEY, **more) -> str:
        """An authorization code, without a browser."""
        query = {
            "merchant_id": MERCHANT,
            "external_user_id": external_user_id,
            "redirect_uri": redirect_uri,
            **more,
        }
        answer = self("GET", f"/authorize?{urlencode(query)}", key=key, headers={"x-test-request": "true"})
        assert answer.status == 200, answer.text
        return jsonlib.loads(answer.body)["code"]

    def exchange(self, code, *, verifier=None, **changes) -> Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            **CLIENT,
            **changes,
        }
        return self.form("/token", fields if verifier is None else {**fields, "code_verifier": verifier})

    def refresh(self, token, **changes) -> Response:
        return self.form(
            "/token", {"grant_type": "refresh_token", "refresh_token": token, **CLIENT, **changes}
        )

    def tokens(self, **more) -> dict:
        """Tokens of the sandbox's customer."""
        return jsonlib.loads(self.exchange(self.code(**more)).body)

    def otp(self, phone="+256700000000") -> None:
        assert self("POST", "/request-otp", json={"phone_number": phone}).status == 200

    def pay(self, *, amount="15000", phone="+256700000000", **kwargs) -> Response:
        self.otp(phone)
        info = {"phone_number": phone, "otp": "123456"}
        body = {"amount": amount, "currency": "UGX", "payment_method": "mtn", "user_info": info}
        return self("POST", "/payments/create", json=body, **kwargs)


@dataclass
class Visit:
    """A customer's browser without a screen: it keeps the cookie, and fills in forms."""

    http: Http
    page: str = ""
    cookie: str = ""
    left: str = ""
    """Where it was sent."""

    def open(self, **changes) -> Response:
        query = {
            "merchant_id": MERCHANT,
            "external_user_id": "customer-1",
            "redirect_uri": CALLBACK,
            "state": "the state",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        } | changes
        query = {name: value for name, value in query.items() if value is not None}
        return self._seen(self.http("GET", f"/authorize?{urlencode(query)}", key=None))

    def press(self, step, **entered) -> Response:
        fields = {**hidden(self.page), "step": step, **entered}
        return self._seen(self.http.form("/authorize", fields, cookie=self.cookie))

    @property
    def brought_back(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.left).query).items()}

    def _seen(self, answer: Response) -> Response:
        if set_cookie := answer.headers.get("set-cookie"):
            self.cookie = set_cookie.partition(";")[0]
        self.left = answer.headers.get("location") or ""
        self.page = answer.text or ""
        return answer


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


@pytest.fixture
def http(bursar_sandbox):
    return Http(bursar_sandbox)


@pytest.fixture
def visit(http):
    return Visit(http)
