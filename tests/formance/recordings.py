"""Answers recorded from the real services, and which operation each belongs to.

The recordings are not part of this repository: BURSAR_SHARED names the directory that holds them, by default a sibling
of the checkout. Their placeholders (``{{now:1}}``, ``{{uuid:2}}``) are filled here with one value of the kind for each.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bursar.contract import BaseEndpoint, Headers, Response
from bursar.contract.openapi import endpoints
from bursar.formance.api import FormanceApi
from bursar.formance.auth import AuthV1
from bursar.formance.ledger.v1 import LedgerV1
from bursar.formance.ledger.v2 import LedgerV2
from bursar.formance.orchestration.v1 import OrchestrationV1
from bursar.formance.orchestration.v2 import OrchestrationV2
from bursar.formance.payments.v1 import PaymentsV1
from bursar.formance.payments.v3 import PaymentsV3
from bursar.formance.reconciliation.v1 import ReconciliationV1
from bursar.formance.search.v1 import SearchV1
from bursar.formance.wallets.v1 import WalletsV1
from bursar.formance.webhooks.v1 import WebhooksV1

HOME = Path(os.environ.get("BURSAR_SHARED") or Path(__file__).resolve().parents[3] / "shared")
SERVICES = ("auth", "flows", "ledger", "payments", "reconciliation", "wallets", "webhooks")
FILES = sorted(path for service in SERVICES for path in (HOME / "transcripts").glob(f"{service}_*.jsonl"))
GROUPS = {
    "sdk": FormanceApi,
    "auth.v1": AuthV1,
    "ledger.v1": LedgerV1,
    "ledger.v2": LedgerV2,
    "orchestration.v1": OrchestrationV1,
    "orchestration.v2": OrchestrationV2,
    "payments.v1": PaymentsV1,
    "payments.v3": PaymentsV3,
    "reconciliation.v1": ReconciliationV1,
    "search.v1": SearchV1,
    "wallets.v1": WalletsV1,
    "webhooks.v1": WebhooksV1,
}

_PLACE = re.compile(r"\{\{(\w+):([^{}]+)\}\}")
_NUMBER = re.compile(r'"\{\{number:(\d+)\}\}"')


@dataclass(frozen=True)
class Exchange:
    """A recorded request and its answer."""

    scenario: str
    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: str | None
    response: Response

    def __str__(self) -> str:
        return f"{self.scenario}: {self.method} {self.path} -> {self.response.status}"


def filled(text: str) -> str:
    """Put a value of its kind in the place of each placeholder."""
    return _PLACE.sub(lambda found: _value(found.group(1), found.group(2)), _NUMBER.sub(r"\1", text))


def _value(kind: str, name: str) -> str:
    if kind in ("now", "later"):
        # Fractions with zeros at the end are the ones that are easily written back differently.
        return f"2026-01-02T03:04:{int(name) % 60:02}.{'12' if int(name) % 2 else '000123'}Z"
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}:{name}")) if kind == "uuid" else f"{kind}-{name}"


def exchanges(path: Path) -> Iterator[Exchange]:
    """Go through the recorded exchanges of a file."""
    for line in path.read_text("utf-8").rstrip("\n").split("\n"):
        scenario = json.loads(line)
        for step in scenario["steps"]:
            if "request" in step:
                yield _exchange(scenario, step["request"], step["response"])


def _exchange(scenario: dict[str, Any], request: dict[str, Any], answer: dict[str, Any]) -> Exchange:
    return Exchange(
        scenario["id"],
        request.get("service", scenario["service"]),
        request["method"],
        filled(request["path"]),
        {name.lower(): value for name, value in request.get("headers", {}).items()},
        filled(request["text"]) if "text" in request else None,
        Response(answer["status"], Headers(answer.get("headers", {}).items()), _body(answer)),
    )


def _body(answer: dict[str, Any]) -> bytes:
    if "json" in answer:
        return filled(json.dumps(answer["json"])).encode()
    if "jsonl" in answer:
        return b"".join(filled(json.dumps(entry)).encode() + b"\n" for entry in answer["jsonl"])
    return filled(answer.get("text", "")).encode()


@cache
def vendor_operations() -> frozenset[str]:
    """The names of the 276 operations of the vendor's SDK, ``group.method``; empty when their table is not there."""
    table = HOME / "openapi" / "formance_operations.tsv"
    if not table.is_file():
        return frozenset()
    rows = table.read_text("utf-8").splitlines()[1:]
    return frozenset(".".join(row.split("\t")[:2]) for row in rows)


@cache
def operations() -> list[tuple[str, BaseEndpoint, re.Pattern[str]]]:
    """Every operation with its group and a pattern of its path, the most literal paths first."""
    found = [
        (
            group,
            endpoint,
            re.compile("[^/]*".join(map(re.escape, re.split(r"\{\w+\}", endpoint.description.path)))),
        )
        for group, resource in GROUPS.items()
        for endpoint in endpoints(resource)
    ]
    return sorted(found, key=lambda entry: entry[1].description.path.count("{"))


def operation(exchange: Exchange) -> tuple[str, BaseEndpoint] | None:
    """The operation that an exchange belongs to; None for what no operation asks."""
    asked = exchange.path.partition("?")[0].rstrip("/")
    path = f"/api/{exchange.service}{asked}"
    beyond = path.startswith("/api/ledger/v2")
    for group, endpoint, pattern in operations():
        if endpoint.description.verb != exchange.method or (beyond and group == "ledger.v1"):
            continue
        if pattern.fullmatch(path):
            return group, endpoint
    return None
