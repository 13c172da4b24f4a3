"""Export, import and bulks are streams: neither side waits for the whole."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import httpx2
import pytest

from bursar.contract import InvalidRequestError, Outcome
from bursar.contract.stream import MAX_LINE, Lines
from bursar.formance import (
    AsyncFormance,
    Formance,
    FormanceImportError,
    FormanceNotFoundError,
    FormanceOptions,
    FormanceUnavailableError,
    FormanceUnreadableAnswerError,
)
from bursar.formance.ledger.bulk import BulkCreate, BulkCreated, ScriptBlock, script_block
from bursar.formance.ledger.logs import (
    DeleteMetadataLog,
    LogType,
    NewTransactionLog,
    SetMetadataLog,
    UnknownLog,
)
from bursar.formance.ledger.models import NewTransaction, Posting
from tests.formance.streamer import PATIENCE, Streamer

Send = Callable[[bytes | None], None]
TRANSACTION = {
    "postings": [{"source": "world", "destination": "a", "amount": 10**30, "asset": "USD/2"}],
    "metadata": {},
    "timestamp": "2026-01-02T03:04:05.12Z",
    "id": 1,
    "reverted": False,
}


def log(id: int, type: str = "SET_METADATA", data: Any = None) -> dict[str, Any]:
    return {
        "type": type,
        "data": data or {"targetType": "ACCOUNT", "targetId": "a", "metadata": {"k": "line\u2028end"}},
        "date": "2026-01-02T03:04:05.12Z",
        "idempotencyKey": "",
        "idempotencyHash": "h",
        "id": id,
        "hash": None,
    }


def line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def client(url: str, session: object = None) -> Formance:
    return Formance(FormanceOptions(url, timeout=PATIENCE, max_retries=0), session=session)


def async_client(url: str, session: object = None) -> AsyncFormance:
    return AsyncFormance(FormanceOptions(url, timeout=PATIENCE, max_retries=0), session=session)


class Handshake:
    """An export whose second log is sent only after the first was read."""

    def __init__(self) -> None:
        self.read = threading.Event()

    def serve(self, pieces: Iterator[bytes], send: Send) -> None:
        list(pieces)
        send(line(log(1))[:20])
        send(line(log(1))[20:])
        if self.read.wait(PATIENCE):
            send(line(log(2)).rstrip(b"\n"))
        send(None)


@pytest.mark.parametrize("library", ["own", "httpx2"])
def test_export_is_read_while_it_arrives(library: str) -> None:
    steps = Handshake()
    session = None if library == "own" else httpx2.Client()
    with (
        Streamer(steps.serve) as server,
        client(server.url, session) as api,
        api.ledger.v2.export_logs("main") as logs,
    ):
        ids = []
        for entry in logs:
            ids.append(entry.id)
            steps.read.set()
    assert ids == [1, 2]
    if session is not None:
        session.close()


@pytest.mark.parametrize("library", ["own", "httpx2", "aiohttp"])
def test_export_is_read_while_it_arrives_asynchronously(library: str) -> None:
    steps = Handshake()

    async def main(url: str) -> list[int]:
        session: Any = None
        if library == "httpx2":
            session = httpx2.AsyncClient()
        elif library == "aiohttp":
            session = aiohttp.ClientSession()
        ids = []
        async with async_client(url, session) as api:
            async for entry in api.ledger.v2.export_logs("main"):
                ids.append(entry.id)
                steps.read.set()
        if library == "httpx2":
            await session.aclose()
        elif library == "aiohttp":
            await session.close()
        return ids

    with Streamer(steps.serve) as server:
        assert asyncio.run(main(server.url)) == [1, 2]


def whole(body: bytes) -> Callable[[Iterator[bytes], Send], None]:
    def serve(pieces: Iterator[bytes], send: Send) -> None:
        list(pieces)
        send(body)
        send(None)

    return serve


def test_logs_are_typed_and_unknown_types_are_kept() -> None:
    entries = [
        log(1, "NEW_TRANSACTION", {"transaction": TRANSACTION, "accountMetadata": {}}),
        log(2),
        log(3, "DELETE_METADATA", {"targetType": "TRANSACTION", "targetId": 1, "key": "k"}),
        log(4, "NEW_KIND", {"of": ["data"]}) | {"new": "member"},
    ]
    with Streamer(whole(b"".join(map(line, entries)))) as server, client(server.url) as api:
        first, second, third, fourth = api.ledger.v2.export_logs("main")
    assert isinstance(first, NewTransactionLog)
    assert first.data.transaction.postings[0].amount == 10**30
    assert isinstance(second, SetMetadataLog)
    assert second.data.metadata == {"k": "line\u2028end"}
    assert isinstance(third, DeleteMetadataLog)
    assert third.data.target_id == 1
    assert isinstance(fourth, UnknownLog)
    assert (fourth.type, fourth.type.is_known, fourth.data) == ("NEW_KIND", False, {"of": ["data"]})
    assert fourth.extra["new"] == "member"
    assert first.type is LogType.NEW_TRANSACTION


def test_lines_of_an_export_can_be_copied_byte_for_byte() -> None:
    body = line(log(1)) + b'{"odd":   "text" }\n'
    with Streamer(whole(body)) as server, client(server.url) as api:
        assert [*api.ledger.v2.export_logs("main").lines()] == body.splitlines()


def test_an_unreadable_line_says_so() -> None:
    with Streamer(whole(line(log(1)) + b"{broken\n")) as server, client(server.url) as api:
        logs = iter(api.ledger.v2.export_logs("main"))
        assert next(logs).id == 1
        with pytest.raises(FormanceUnreadableAnswerError) as error:
            next(logs)
    assert error.value.operation == "export_logs"


def test_a_stream_that_breaks_off_is_no_end() -> None:
    def serve(pieces: Iterator[bytes], send: Send) -> None:
        list(pieces)
        send(line(log(1)))
        raise ConnectionAbortedError

    with Streamer(serve) as server, client(server.url) as api:
        logs = iter(api.ledger.v2.export_logs("main"))
        assert next(logs).id == 1
        with pytest.raises(FormanceUnavailableError) as error:
            next(logs)
    assert error.value.outcome is Outcome.UNKNOWN


def test_a_refused_export_is_a_typed_error() -> None:
    body = b'{"errorCode":"LEDGER_NOT_FOUND","errorMessage":"not found"}'
    with (
        Streamer(lambda pieces, _: (404, b"".join([*pieces]) + body)) as server,
        client(server.url) as api,
        pytest.raises(FormanceNotFoundError, match="not found"),
    ):
        api.ledger.v2.export_logs("main")


def test_leaving_early_gives_the_connection_back() -> None:
    gone = threading.Event()

    def serve(pieces: Iterator[bytes], send: Send) -> None:
        list(pieces)
        try:
            while True:
                send(line(log(1)))
        except OSError:
            gone.set()

    with Streamer(serve) as server, client(server.url) as api:
        with api.ledger.v2.export_logs("main") as logs:
            assert next(iter(logs)).id == 1
        assert gone.wait(PATIENCE), "the answer is still being read"


class Receipts:
    """A server that tells how many lines of a request have come."""

    def __init__(self, answer: tuple[int, bytes]) -> None:
        self.answer = answer
        self.lines: list[bytes] = []
        self.came = threading.Semaphore(0)

    def serve(self, pieces: Iterator[bytes], _: Send) -> tuple[int, bytes]:
        for piece in pieces:
            self.lines += piece.splitlines(keepends=True)
            self.came.release()
        return self.answer


EMPTY_BULK = json.dumps({"data": [], "errorCode": "VALIDATION", "errorMessage": "EOF"}).encode()
CREATED = json.dumps(
    {
        "data": [{"data": TRANSACTION, "responseType": "CREATE_TRANSACTION", "logID": 1}],
        "errorCode": "VALIDATION",
        "errorMessage": "EOF",
    }
).encode()
ELEMENT = BulkCreate(data=NewTransaction(postings=[Posting("world", "a", 10**30, "USD/2")]))


@pytest.mark.parametrize("library", ["own", "httpx2"])
def test_a_bulk_is_sent_while_it_is_made(library: str) -> None:
    receipts = Receipts((200, CREATED))

    def elements() -> Iterator[BulkCreate]:
        for _ in range(3):
            yield ELEMENT
            assert receipts.came.acquire(timeout=PATIENCE), "the element before was not sent"

    session = None if library == "own" else httpx2.Client()
    with Streamer(receipts.serve) as server, client(server.url, session) as api:
        result = api.ledger.v2.create_bulk_stream("main", elements())
    assert isinstance(result.data[0], BulkCreated)
    assert not result.broken_off
    assert [json.loads(text)["data"]["postings"][0]["amount"] for text in receipts.lines] == [10**30] * 3
    assert server.headers[0]["content-type"] == "application/vnd.formance.ledger.api.v2.bulk+json-stream"
    if session is not None:
        session.close()


@pytest.mark.parametrize("library", ["own", "httpx2", "aiohttp"])
def test_a_bulk_is_sent_while_it_is_made_asynchronously(library: str) -> None:
    receipts = Receipts((200, CREATED))

    async def elements() -> AsyncIterator[BulkCreate]:
        for _ in range(3):
            yield ELEMENT
            assert await asyncio.to_thread(receipts.came.acquire, True, PATIENCE)

    async def main(url: str) -> None:
        session: Any = None
        if library == "httpx2":
            session = httpx2.AsyncClient()
        elif library == "aiohttp":
            session = aiohttp.ClientSession()
        async with async_client(url, session) as api:
            await api.ledger.v2.create_bulk_stream("main", elements())
        if session is not None:
            await (session.aclose() if library == "httpx2" else session.close())

    with Streamer(receipts.serve) as server:
        asyncio.run(main(server.url))
    assert len(receipts.lines) == 3


def test_export_goes_straight_into_import() -> None:
    receipts = Receipts((204, b""))
    body = line(log(1)) + line(log(2))
    with (
        Streamer(whole(body)) as source,
        Streamer(receipts.serve) as target,
        client(source.url) as one,
        client(target.url) as other,
    ):
        other.ledger.v2.import_logs("copy", one.ledger.v2.export_logs("main"))
    assert [json.loads(text) for text in receipts.lines] == [log(1), log(2)]
    assert target.headers[0]["transfer-encoding"] == "chunked"


def test_import_takes_files_and_bytes() -> None:
    receipts = Receipts((204, b""))
    body = line(log(1)) + line(log(2))
    with Streamer(receipts.serve) as server, client(server.url) as api:
        api.ledger.v2.import_logs("copy", body)
        api.ledger.v2.import_logs("copy", io.BytesIO(body))
    assert b"".join(receipts.lines) == body * 2
    assert server.headers[0]["content-length"] == str(len(body))


def test_a_refused_import_is_a_typed_error() -> None:
    body = b'{"errorCode":"IMPORT","errorMessage":"ledger is not in initializing state"}'
    with (
        Streamer(Receipts((400, body)).serve) as server,
        client(server.url) as api,
        pytest.raises(FormanceImportError, match="initializing"),
    ):
        api.ledger.v2.import_logs("copy", iter([log(1)]))


def test_a_bad_element_on_the_way_leaves_the_outcome_unknown() -> None:
    with Streamer(Receipts((200, EMPTY_BULK)).serve) as server, client(server.url) as api:
        bad: Any = {"action": "CREATE_TRANSACTION", "data": {"amount": float("nan")}}
        with pytest.raises(InvalidRequestError) as error:
            api.ledger.v2.create_bulk_stream("main", iter([ELEMENT, bad]))
    assert error.value.outcome is Outcome.UNKNOWN


def test_an_asynchronous_iterable_needs_an_asynchronous_client() -> None:
    async def elements() -> AsyncIterator[BulkCreate]:
        yield ELEMENT

    with (
        Streamer(Receipts((200, EMPTY_BULK)).serve) as server,
        client(server.url) as api,
        pytest.raises(InvalidRequestError, match="asynchronous client"),
    ):
        api.ledger.v2.create_bulk_stream("main", elements())


def test_a_bulk_stream_that_broke_off_says_so() -> None:
    body = json.dumps({"data": [], "errorCode": "VALIDATION", "errorMessage": "invalid header"}).encode()
    with Streamer(Receipts((200, body)).serve) as server, client(server.url) as api:
        assert api.ledger.v2.create_script_stream("main", b"//nonsense").broken_off


@pytest.mark.parametrize(
    "block",
    [
        "",
        " \n",
        "send\n//end\nsend",
        "send\n//end\r\nsend",
        ScriptBlock(plain="a", ik="x,y"),
        {"plain": "a", "ik": ""},
    ],
)
def test_scripts_that_a_stream_cannot_carry_are_refused(block: Any) -> None:
    with pytest.raises(InvalidRequestError):
        script_block(block)


def test_lines_are_cut_wherever_pieces_end() -> None:
    text = "ä\u2028b\n\nlast\r\nend".encode()
    for size in range(1, len(text) + 1):
        lines = Lines()
        found = [
            line for start in range(0, len(text), size) for line in lines.feed(text[start : start + size])
        ]
        assert [*found, *lines.end()] == ["ä\u2028b".encode(), b"last\r", b"end"]


def test_a_line_has_a_bound() -> None:
    lines = Lines()
    with pytest.raises(Exception, match="longer"):
        lines.feed(b"x" * (MAX_LINE + 1))
