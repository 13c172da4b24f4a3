"""The log's hash chain and the hash of an input, from the specification alone (sections 10.3 and 12.2).

Nothing of Bursar is imported here: what the engine writes is compared with what this says.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = "0001-01-01T00:00:00Z"
ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}

Posting = dict[str, Any]


@lru_cache(maxsize=4096)
def shown(us: int) -> str:
    """A time in microseconds since 1970 as the API writes it."""
    moment = EPOCH + timedelta(microseconds=us)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}".rstrip("0") + "Z" if moment.microsecond else text + "Z"


def go_json(value: Any) -> str:
    """Compact JSON in the order given, escaped as Go does."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for raw, escape in ESCAPED.items():
        if raw in text:
            text = text.replace(raw, escape)
    return text


def in_order(mapping: dict[str, Any] | None) -> dict[str, Any] | None:
    """A map sorted by key, and the maps in it."""
    if mapping is None:
        return None
    return {
        key: in_order(value) if isinstance(value := mapping[key], dict) else value for key in sorted(mapping)
    }


def new_memento(transaction: dict[str, Any], accounts: dict[str, Any]) -> dict[str, Any]:
    """What the chain protects of a NEW_TRANSACTION."""
    return {"transaction": _protected(transaction), "accountMetadata": in_order(accounts)}


def revert_memento(reverted: int, transaction: dict[str, Any]) -> dict[str, Any]:
    """What the chain protects of a REVERTED_TRANSACTION."""
    return {"revertedTransactionID": reverted, "transaction": _protected(transaction)}


def _protected(transaction: dict[str, Any]) -> dict[str, Any]:
    reference = {"reference": transaction["reference"]} if "reference" in transaction else {}
    return {
        "postings": [_posting(posting) for posting in transaction["postings"]],
        "metadata": in_order(transaction["metadata"]),
        "timestamp": transaction["timestamp"],
        **reference,
        "id": transaction["id"],
        "reverted": False,
    }


def _posting(posting: Posting) -> Posting:
    return {name: posting[name] for name in ("source", "destination", "amount", "asset")}


def link(previous: bytes, kind: str, memento: dict[str, Any], date: int, key: str) -> bytes:
    """The hash of a log; the key is not escaped."""
    line = (
        f'{{"type":"{kind}","data":{go_json(memento)},"date":"{shown(date)}","idempotencyKey":"{key}",'
        '"id":0,"hash":null}\n'
    )
    before = f'"{base64.b64encode(previous).decode()}"\n' if previous else ""
    return hashlib.sha256((before + line).encode()).digest()


def input_hash(value: dict[str, Any]) -> str:
    """The hash of an operation's input, its members in the order of the specification."""
    return base64.urlsafe_b64encode(hashlib.sha256((go_json(value) + "\n").encode()).digest()).decode()


def create_input(body: dict[str, Any], timestamp: int | None, *, force: bool) -> dict[str, Any]:
    """The input of a new transaction, its postings turned into a script."""
    plain, variables = _script(body["postings"], force=force)
    return {
        "plain": plain,
        "vars": in_order(variables),
        "timestamp": NO_TIME if timestamp is None else shown(timestamp),
        "metadata": in_order(body.get("metadata") or {}),
        "reference": body.get("reference", ""),
        "AccountMetadata": in_order(body.get("accountMetadata")),
        "Runtime": "",
    }


def _script(postings: list[Posting], *, force: bool) -> tuple[str, dict[str, str]]:
    names: dict[str, str] = {}
    amounts: dict[str, str] = {}
    sends: list[str] = []
    for posting in postings:
        for end in ("source", "destination"):
            if posting[end] != "world":
                names.setdefault(posting[end], f"va{len(names)}")
        money = amounts.setdefault(f"{posting['asset']} {posting['amount']}", f"vm{len(amounts)}")
        source = "@world" if posting["source"] == "world" else "$" + names[posting["source"]]
        if force and source != "@world":
            source += " allowing unbounded overdraft"
        destination = "@world" if posting["destination"] == "world" else "$" + names[posting["destination"]]
        sends.append(f"send ${money} (\n\tsource = {source}\n\tdestination = {destination}\n)\n")
    declared = [f"\taccount ${name}\n" for name in sorted(names.values())]
    declared += [f"\tmonetary ${name}\n" for name in sorted(amounts.values())]
    variables = {name: value for value, name in [*names.items(), *amounts.items()]}
    return "".join(["vars {\n", *declared, "}\n", *sends]), variables
