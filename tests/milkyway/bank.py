"""A scripted MilkyWay API with its token endpoint, and one face for clients of both colours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    MilkywayOptions,
    MilkywayPaymentsClient,
    PayRequest,
    PrecheckRequest,
)
from tests.client.server import Action, Recorded, Server, reply

SECRET = "s3cr&t +é/="
TOKEN_PATH = "/realms/r/protocol/openid-connect/token"
QUOTE = (
    b'{"third_party_id":"bank-beta","service_id":"card-payout","recipient_id":"r-1","amount_credit":100.00,'
    b'"currency_credit":"USD","amount_debit":1267500.00,"currency_debit":"UZS","rate":12675.00,"commission":1.50}'
)
PAY = PayRequest("bank-beta", "card-payout", "s-1", "r-1", Decimal("100.00"), "USD")
PRECHECK = PrecheckRequest("bank-beta", "card-payout", "r-1", Decimal("100.00"), "USD")

Step = Action | Callable[[Recorded], Action]


def usual(request: Recorded) -> Action:
    """What a bank without troubles answers."""
    match request.path.rpartition("/")[2]:
        case "healthcheck":
            return reply(b"Service is available\n", Content_Type="text/plain")
        case "precheck":
            return reply(QUOTE)
        case "postcheck":
            return reply({"transaction_id": int(request.query[0][1]), "status": 1})
        case "cancel":
            return reply({"status": 2})
        case _:
            return reply({"transaction_id": 42})


def state(status: int, **members: Any) -> Action:
    return reply({"transaction_id": 42, "status": status, **members})


class Bank:
    """Answers calls of the API with `steps`, the last one again and again; without steps as a bank does."""

    def __init__(self, *steps: Step, tokens: Step | list[Step] | None = None, prefix: str = "") -> None:
        self.steps = list(steps)
        self.token_steps: list[Step] = tokens if isinstance(tokens, list) else [tokens] if tokens else []
        self.prefix = prefix
        self.server = Server(self._answer)

    @property
    def url(self) -> str:
        return self.server.url + self.prefix

    @property
    def calls(self) -> list[Recorded]:
        return [request for request in self.server.requests if request.path != TOKEN_PATH]

    @property
    def tokens(self) -> list[Recorded]:
        return [request for request in self.server.requests if request.path == TOKEN_PATH]

    @property
    def last(self) -> Recorded:
        return self.calls[-1]

    def options(self, **changes: Any) -> MilkywayOptions:
        settings: dict[str, Any] = {
            "base_url": self.url,
            "token_url": self.server.url + TOKEN_PATH,
            "client_id": "bank-alpha",
            "client_secret": SECRET,
        }
        return MilkywayOptions(**{**settings, **changes})

    def _answer(self, request: Recorded) -> Action:
        if request.path == TOKEN_PATH:
            number = len(self.tokens)
            usual_token = reply(
                {"access_token": f"token-{number}", "expires_in": 300, "token_type": "Bearer"}
            )
            return _step(self.token_steps, number, request) or usual_token
        return _step(self.steps, len(self.calls), request) or usual(request)

    def close(self) -> None:
        self.server.close()


def _step(steps: list[Step], number: int, request: Recorded) -> Action | None:
    if not steps:
        return None
    step = steps[min(number, len(steps)) - 1]
    return step(request) if callable(step) else step


class Blocking:
    """A client of either colour whose calls block."""

    def __init__(
        self, client: MilkywayPaymentsClient | AsyncMilkywayPaymentsClient, runner: asyncio.Runner
    ) -> None:
        self.client = client
        self.runner = runner

    @property
    def raw(self) -> Any:
        return _Face(self.client.raw, self.runner)

    def with_options(self, **changes: Any) -> Blocking:
        return Blocking(self.client.with_options(**changes), self.runner)

    def close(self) -> None:
        if isinstance(self.client, MilkywayPaymentsClient):
            self.client.close()
        else:
            self.runner.run(self.client.aclose())

    def __getattr__(self, name: str) -> Any:
        return getattr(_Face(self.client, self.runner), name)


class _Face:
    def __init__(self, resource: Any, runner: asyncio.Runner) -> None:
        self._resource = resource
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._resource, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            return self._runner.run(result) if asyncio.iscoroutine(result) else result

        return call


def dumped(request: Recorded) -> Any:
    """The body with its numbers as they were written."""
    return json.loads(request.body, parse_float=Decimal)
