"""How logs reach an exporter's destination. A driver raises `DeliveryFailed`, and the same logs are sent again."""

from __future__ import annotations

import asyncio
import importlib
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from msgspec import json

from bursar.engine.pipelines.config import Configuration

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]
"""Sends a body to a URL with header fields; the answer's status and body. Raises OSError when there is none."""

CLICKHOUSE_TABLE: Final = "logs"
_CREATE_TABLE: Final = (
    f"CREATE TABLE IF NOT EXISTS {CLICKHOUSE_TABLE} (ledger String, id Int64, type String, "
    "date DateTime64(6, 'UTC'), data String) ENGINE = ReplacingMergeTree PARTITION BY ledger PRIMARY KEY (ledger, id)"
)
_COLUMNS: Final = ("ledger", "id", "type", "date", "data")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_encode: Final = json.Encoder().encode


class DeliveryFailed(Exception):
    """The destination did not take the logs; the message says why, without secrets."""


class Exported(NamedTuple):
    """A log on its way: `shown` is what the API shows of it."""

    ledger: str
    id: int
    type: str
    date: int
    data: str
    shown: Mapping[str, Any]


Driver = Callable[[Sequence[Exported]], Awaitable[None]]
"""Delivers logs in order. Raises DeliveryFailed."""


def driver(config: Configuration, post: Post) -> Driver:
    """The driver of a configuration."""
    match config.driver:
        case "http":
            return partial(_http, config, post)
        case "elasticsearch":
            return partial(_elasticsearch, config, post)
        case "clickhouse":
            return partial(_clickhouse, config)
        case "stdout":
            return _stdout
        case _:
            return _noop


async def _http(config: Configuration, post: Post, logs: Sequence[Exported]) -> None:
    """A JSON array of logs, each with its ledger, without Content-Type; any 2xx is success."""
    status, _ = await _posted(post, config.url, {}, _encode([_document(log) for log in logs]))
    if not 200 <= status < 300:
        raise DeliveryFailed(f"the destination answered {status}")


async def _elasticsearch(config: Configuration, post: Post, logs: Sequence[Exported]) -> None:
    """The bulk API; a document's id is made of ledger and log, so that a repeated delivery overwrites itself."""
    lines: list[bytes] = []
    for log in logs:
        document = urlsafe_b64encode(_encode({"logID": log.id, "ledger": log.ledger})).decode()
        lines.append(_encode({"index": {"_index": config.index, "_id": document}}))
        lines.append(
            b'{"id":%b,"payload":%b,"module":%b}'
            % (_encode(document), log.data.encode(), _encode(log.ledger))
        )
    fields = {"Content-Type": "application/x-ndjson"}
    if config.username:
        login = b64encode(f"{config.username}:{config.password}".encode()).decode()
        fields["Authorization"] = f"Basic {login}"
    url = config.url.rstrip("/") + "/_bulk?refresh=true"
    status, body = await _posted(post, url, fields, b"\n".join([*lines, b""]))
    if status != 200:
        raise DeliveryFailed(f"elasticsearch answered {status}")
    if b'"errors":false' not in body.replace(b" ", b""):
        raise DeliveryFailed("elasticsearch refused some of the logs")


async def _clickhouse(config: Configuration, logs: Sequence[Exported]) -> None:
    """Rows of one table for all ledgers, which keeps one row for each ledger and id."""
    try:
        library = importlib.import_module("clickhouse_connect")
    except ImportError:
        raise DeliveryFailed(
            "the clickhouse driver needs clickhouse-connect: pip install clickhouse-connect"
        ) from None
    rows = [
        (log.ledger, log.id, log.type, _EPOCH + timedelta(microseconds=log.date), log.data) for log in logs
    ]
    try:
        await asyncio.to_thread(_insert, library, config.url, rows)
    except Exception as error:
        raise DeliveryFailed(f"clickhouse did not take the logs: {type(error).__name__}") from error


def _insert(library: Any, dsn: str, rows: Sequence[Sequence[Any]]) -> None:
    client = library.get_client(dsn=dsn)
    try:
        client.command(_CREATE_TABLE)
        client.insert(CLICKHOUSE_TABLE, rows, column_names=_COLUMNS)
    finally:
        client.close()


async def _stdout(logs: Sequence[Exported]) -> None:
    for log in logs:
        sys.stdout.write(json.format(_encode(_document(log)), indent=2).decode() + "\n")
    sys.stdout.flush()


async def _noop(logs: Sequence[Exported]) -> None:
    """Swallows them."""


async def _posted(post: Post, url: str, fields: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    try:
        return await post(url, fields, body)
    except OSError as error:
        raise DeliveryFailed(f"the destination cannot be reached: {error}") from error


def _document(log: Exported) -> Mapping[str, Any]:
    return {**log.shown, "ledger": log.ledger}
