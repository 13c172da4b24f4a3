"""Requests of each kind, and ways to spoil them."""

from __future__ import annotations

import base64
import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

STREAM = "application/vnd.formance.ledger.api.v2.bulk+"
POSTING = {"source": "world", "destination": "users:1", "amount": 100, "asset": "USD/2"}
SCRIPT = "vars {\n account $to\n}\nsend [USD/2 40] (\n source = @world\n destination = $to\n)\n"
ELEMENTS: list[dict[str, Any]] = [
    {"action": "CREATE_TRANSACTION", "ik": "e-1", "data": {"postings": [POSTING], "metadata": {"a": "b"}}},
    {"action": "ADD_METADATA", "data": {"targetType": "ACCOUNT", "targetId": "a", "metadata": {"k": "v"}}},
    {"action": "REVERT_TRANSACTION", "data": {"id": 1, "force": True}},
    {"action": "DELETE_METADATA", "data": {"targetType": "TRANSACTION", "targetId": 1, "key": "k"}},
]
FILTER: dict[str, Any] = {
    "$and": [
        {"$or": [{"$match": {"address": "users:"}}, {"$match": {"metadata[k]": "v"}}]},
        {"$not": {"$gt": {"balance[USD/2]": 10**30}}},
    ]
}


@dataclass(frozen=True)
class Sent:
    """A request; `body` is JSON, or bytes as they are."""

    method: str
    path: str
    body: Any = None
    query: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


SEEDS = [
    Sent("POST", "/v2/l/transactions", {"postings": [POSTING], "reference": "r-1", "metadata": {"a": "b"}}),
    Sent(
        "POST",
        "/v2/l/transactions",
        {
            "script": {"plain": SCRIPT, "vars": {"to": "users:2"}},
            "timestamp": "2024-01-02T03:04:05Z",
            "accountMetadata": {"users:2": {"k": "v"}},
            "runtime": "machine",
            "force": True,
        },
        {"dryRun": "true", "force": "1", "schemaVersion": ""},
        {"Idempotency-Key": "k-1"},
    ),
    Sent("POST", "/v2/l/transactions/1/revert", {"metadata": {"a": "b"}}, {"atEffectiveDate": "true"}),
    Sent("POST", "/v2/l/transactions/1/metadata", {"k": "v"}),
    Sent("DELETE", "/v2/l/transactions/1/metadata/k"),
    Sent("POST", "/v2/l/accounts/users:1/metadata", {"k": "v"}),
    Sent("DELETE", "/v2/l/accounts/users:1/metadata/k"),
    Sent("PUT", "/v2/l/metadata", {"k": "v"}),
    Sent("DELETE", "/v2/l/metadata/k"),
    Sent("POST", "/v2/other", {"bucket": "b", "metadata": {"k": "v"}, "features": {"HASH_LOGS": "SYNC"}}),
    Sent("POST", "/v2/l/_bulk", ELEMENTS, {"atomic": "true", "continueOnFailure": "false"}),
    Sent("POST", "/v2/l/_bulk", ELEMENTS, {"continueOnFailure": "true"}),
    Sent(
        "POST",
        "/v2/l/_bulk",
        b"\n".join(json.dumps(each).encode() for each in ELEMENTS),
        headers={"Content-Type": f"{STREAM}json-stream"},
    ),
    Sent(
        "POST",
        "/v2/l/_bulk",
        f"//script ik=s-1\n{SCRIPT.replace('$to', '@a').partition('}')[2]}//end\n//script\nsend\n//end\n".encode(),
        headers={"Content-Type": f"{STREAM}script-stream"},
    ),
    Sent(
        "POST",
        "/v2/l/schemas/v1",
        {
            "chart": {"users": {"$id": {".pattern": "^[0-9]+$"}}, "world": {".self": {}}},
            "transactions": {"PAY": {"script": SCRIPT, "runtime": "machine"}},
            "queries": {
                "ALL": {
                    "resource": "accounts",
                    "vars": {"who": {"type": "string", "default": "users:"}},
                    "params": {"pageSize": 5, "expand": ["volumes"]},
                    "body": {"$match": {"address": "${who}"}},
                }
            },
        },
    ),
    Sent("POST", "/v2/q/queries/ALL/run", {"vars": {"who": "a"}, "params": {}}, {"schemaVersion": "v1"}),
    Sent("GET", "/v2/l/accounts", FILTER, {"expand": "volumes", "sort": "address:asc", "pageSize": "5"}),
    Sent("GET", "/v2/l/accounts/users:1", None, {"expand": "volumes", "pit": "2026-01-02T03:04:05Z"}),
    Sent(
        "GET",
        "/v2/l/transactions",
        {"$and": [{"$match": {"account": "users:"}}, {"$lt": {"timestamp": "2030-01-01T00:00:00Z"}}]},
        {"expand": "effectiveVolumes", "pit": "2026-01-02T03:04:05Z", "order": "effective", "reverse": "1"},
    ),
    Sent("GET", "/v2/l/transactions/1", None, {"expand": "volumes"}),
    Sent("HEAD", "/v2/l/transactions", {"$in": {"reference": ["r-1", "r-2"]}}),
    Sent(
        "GET",
        "/v2/l/volumes",
        {"$match": {"account": "users:"}},
        {
            "startTime": "2024-01-02T03:04:05Z",
            "endTime": "2030-01-01T00:00:00Z",
            "groupBy": "1",
            "insertionDate": "true",
        },
    ),
    Sent(
        "GET",
        "/v2/l/aggregate/balances",
        {"$match": {"address": "users:"}},
        {"useInsertionDate": "true", "pit": "2026-01-02T03:04:05Z"},
    ),
    Sent("GET", "/v2/l/logs", {"$gte": {"date": "2024-01-01T00:00:00Z"}}, {"pageSize": "3"}),
    Sent("GET", "/v2/l/schemas", None, {"sort": "created_at", "order": "desc"}),
    Sent("GET", "/v2", {"$match": {"bucket": "_default"}}, {"includeDeleted": "true", "sort": "id:desc"}),
    Sent(
        "POST",
        "/l/transactions",
        {"postings": [POSTING], "reference": "r-2", "metadata": {"a": "b"}},
        {"preview": "yes"},
    ),
    Sent("POST", "/l/transactions", {"script": {"plain": SCRIPT, "vars": {"to": "users:2"}}}),
    Sent("POST", "/l/transactions/1/revert", None, {"disableChecks": "true"}),
    Sent("POST", "/l/accounts/users:1/metadata", {"k": "v"}),
    Sent(
        "GET",
        "/l/accounts",
        None,
        {"balance": "5", "balanceOperator": "gte", "address": "users:", "metadata[k]": "v"},
    ),
    Sent(
        "GET",
        "/l/transactions",
        None,
        {"account": "users:1", "startTime": "2024-01-01T00:00:00Z", "end_time": "2030-01-01T00:00:00Z"},
    ),
    Sent("GET", "/l/balances", None, {"address": "users:", "pageSize": "3"}),
    Sent("GET", "/l/logs", None, {"start_time": "2024-01-01T00:00:00Z"}),
]

TEXTS = [
    "",
    " ",
    "\0",
    "\ud800",
    "é" * 300,
    "x" * 5000,
    "a:" * 400,
    ":::",
    "...",
    "a:...",
    "%",
    "%zz",
    "%00",
    "'; DROP TABLE logs; --",
    "$x",
    "${who}",
    "${",
    "world",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999-23:59",
    "2024-02-30T00:00:00Z",
    "1e400",
    "-1",
    "9" * 200,
    "9" * 5000,
    "NaN",
    "null",
    "true",
    "USD/2",
    "USD/9999999",
    "usd",
    "metadata[",
    "balance[",
    "balance[]",
    "address",
    "volumes,effectiveVolumes",
    "id:sideways",
    "a\nb",
    "\\",
    "\u2028",
    "[" * 200,
    "$match",
    "SET_METADATA",
    "/",
    "../..",
    "٣",
    "²",
]
NUMBERS: list[Any] = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**200, -(10**200)]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], [None], {"": None}, 1.5, 1e300, -0.0, {"$match": {}}]


def odd(chance: random.Random) -> Any:
    """A value that is rarely right."""
    return chance.choice([TEXTS, NUMBERS, OTHERS])[0:] and chance.choice(
        chance.choice([TEXTS, NUMBERS, OTHERS])
    )


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All (container, key) of a JSON value."""
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from places(value[key])
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield value, index
            yield from places(item)


def spoil_json(body: Any, chance: random.Random) -> Any:
    """Change a value somewhere: replace, drop, rename, double, nest."""
    root = [copy.deepcopy(body)]
    container, key = chance.choice(list(places(root)))
    match chance.randrange(6):
        case 0 | 1:
            container[key] = odd(chance)
        case 2:
            if container is not root:
                del container[key]
        case 3 if isinstance(container, dict):
            container[str(odd(chance))] = container.pop(key)
        case 4:
            container[key] = [copy.deepcopy(container[key]), copy.deepcopy(container[key])]
        case _:
            container[key] = {str(odd(chance)): container[key]}
    return root[0]


def spoil_bytes(body: bytes, chance: random.Random) -> bytes:
    """Change some bytes: cut, double, replace, insert."""
    at = chance.randrange(len(body) + 1)
    end = min(len(body), at + chance.randrange(1, 12))
    match chance.randrange(6):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + body[end:]
        case 2:
            return body[:end] + body[at:]
        case 3:
            return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
        case 4:
            return body[:at] + chance.choice(TEXTS).encode("utf-8", "surrogatepass") + body[at:]
        case _:
            number = chance.choice([b"1" * 5000, b"-1", b"1e9", b"1E+999", b"0.1", b"NaN", b"01", b"1" * 200])
            return body[:at] + number + body[end:]


def spoil_query(sent: Sent, chance: random.Random) -> Sent:
    """Other parameters."""
    query = dict(sent.query)
    names = [*query, "pit", "oot", "expand", "sort", "pageSize", "cursor", "order", "schemaVersion", "after"]
    query[chance.choice(names)] = token(chance) if chance.random() < 0.2 else str(odd(chance))
    return replace(sent, query=query)


def spoil_path(sent: Sent, chance: random.Random) -> Sent:
    """Another segment."""
    segments = sent.path.split("/")
    segments[chance.randrange(1, len(segments))] = str(odd(chance))
    return replace(sent, path="/".join(segments))


def spoil_headers(sent: Sent, chance: random.Random) -> Sent:
    """Other header fields."""
    name = chance.choice(["Content-Type", "Idempotency-Key", "Formance-Bigint-As-String"])
    return replace(sent, headers={**sent.headers, name: str(odd(chance))})


def token(chance: random.Random) -> str:
    """A forged cursor."""
    forged = {
        "resource": "transactions",
        "size": 5,
        "column": "id",
        "descending": True,
        "filter": json.dumps(FILTER),
        "at": [1],
        "expand": ["volumes"],
        "pit": 1,
        "oot": 1,
        "group": 1,
    }
    return base64.urlsafe_b64encode(json.dumps(spoil_json(forged, chance)).encode()).decode()


def spoiled(sent: Sent, chance: random.Random) -> Sent:
    """A request with one to three faults."""
    ways: list[Callable[[Sent, random.Random], Sent]] = [spoil_query, spoil_path, spoil_headers]
    for _ in range(chance.randrange(1, 4)):
        if sent.body is None or chance.random() < 0.3:
            sent = chance.choice(ways)(sent, chance)
        elif isinstance(sent.body, bytes) or chance.random() < 0.3:
            sent = replace(sent, body=spoil_bytes(sent.content, chance))
        else:
            sent = replace(sent, body=spoil_json(sent.body, chance))
    return sent
