"""Webhooks over real sockets: kept connections, deadlines, bounds, TLS, pinned addresses."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bursar.engine.webhooks.sending import NO_ANSWER, Answer, Outgoing
from bursar.server.webhooks.guard import Guard
from bursar.server.webhooks.sender import HttpSender
from tests.client.certificate import client_context, make, server_context

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Site:
    """A receiver that gives these answers, one for each request; `requests` is what it read."""

    def __init__(self, *answers: bytes, then: bytes | None = OK) -> None:
        self.answers = list(answers)
        self.then = then
        self.requests: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0) if self.answers else self.then
                if answer is None:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def talk(
    site: Site, conversation: Callable[[str], Coroutine[Any, Any, Any]], tls: ssl.SSLContext | None = None
):
    async def run() -> Any:
        server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        try:
            return await conversation(f"{'http' if tls is None else 'https'}://127.0.0.1:{port}")
        finally:
            server.close()

    return asyncio.run(run())


def once(site: Site, *, timeout_s: float = 5.0) -> Answer:
    async def conversation(url: str) -> Answer:
        sender = HttpSender(Guard(local=True))
        try:
            return await sender.send(Outgoing(f"{url}/hooks?x=1", [("x-one", "1")], b'{"a": 1}'), timeout_s)
        finally:
            await sender.aclose()

    return talk(site, conversation)


def test_the_request_as_it_was_made():
    site = Site(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nth\xffnx")
    answer = once(site)
    assert (answer.status_code, answer.error, answer.excerpt) == (200, None, "th�nx")
    assert answer.duration_us > 0
    head, _, body = site.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hooks?x=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"x-one: 1" in head
    assert body == b'{"a": 1}'


def test_retry_after_is_passed_on():
    answer = once(Site(b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"))
    assert (answer.status_code, answer.retry_after, answer.error) == (503, "120", "answered 503")


def test_redirects_are_not_followed():
    site = Site(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    assert once(site).status_code == 302
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"]
)
def test_silence_and_halves_end_with_the_deadline(answer: bytes):
    got = once(Site(answer), timeout_s=0.2)
    assert (got.status_code, got.error) == (NO_ANSWER, "no answer within 0.2 s")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 200])
def test_what_is_not_http_is_no_answer(answer: bytes):
    got = once(Site(answer), timeout_s=1)
    assert got.status_code == NO_ANSWER
    assert got.error


def test_a_closed_connection_and_a_closed_port_are_no_answer():
    assert once(Site(then=None)).status_code == NO_ANSWER
    sender = HttpSender(Guard(local=True))
    answer = asyncio.run(sender.send(Outgoing("http://127.0.0.1:1/", [], b"{}"), 5))
    assert answer.status_code == NO_ANSWER
    assert answer.error


def test_a_long_body_is_read_in_part_and_its_connection_not_kept():
    site = Site(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 200_000)

    async def conversation(url: str) -> tuple[Answer, Answer]:
        sender = HttpSender(Guard(local=True))
        first = await sender.send(Outgoing(url + "/", [], b"{}"), 5)
        second = await sender.send(Outgoing(url + "/", [], b"{}"), 5)
        await sender.aclose()
        return first, second

    first, second = talk(site, conversation)
    assert first.status_code == 200
    assert len(first.excerpt) == 500
    assert second.status_code == 200
    assert site.connections == 2


def test_connections_are_kept_and_closed_ones_replaced():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    site = Site(OK, OK, closing, OK)

    async def conversation(url: str) -> list[int]:
        sender = HttpSender(Guard(local=True))
        sent = [await sender.send(Outgoing(url + "/", [], b"{}"), 5) for _ in range(4)]
        await sender.aclose()
        return [answer.status_code for answer in sent]

    assert talk(site, conversation) == [200] * 4
    assert site.connections == 2


def test_a_kept_connection_that_was_closed_meanwhile_costs_no_attempt():
    site = Site(OK)
    served = site.serve

    async def conversation(url: str) -> list[int]:
        sender = HttpSender(Guard(local=True))
        first = await sender.send(Outgoing(url + "/", [], b"{}"), 5)
        site.then = None  # from now on it reads and hangs up
        hung_up = await sender.send(Outgoing(url + "/", [], b"{}"), 5)
        await sender.aclose()
        return [first.status_code, hung_up.status_code]

    assert served is not None
    assert talk(site, conversation) == [200, NO_ANSWER]
    assert site.connections == 2, "it was tried again on a new connection"


def test_tls_verifies_the_host_and_not_the_address(tmp_path: Path):
    """The certificate is for 127.0.0.1: another name at the same address is refused, though the guard let it pass."""
    pem = make(tmp_path)

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def conversation(url: str) -> tuple[Answer, Answer, Answer]:
        body = b"{}"
        trusting = HttpSender(Guard(local=True, resolve=resolve), client_context(pem))
        good = await trusting.send(Outgoing(url + "/", [], body), 5)
        other = await trusting.send(Outgoing(url.replace("127.0.0.1", "shop.example.com") + "/", [], body), 5)
        stranger = await HttpSender(Guard(local=True)).send(Outgoing(url + "/", [], body), 5)
        await trusting.aclose()
        return good, other, stranger

    good, other, stranger = talk(Site(), conversation, server_context(pem))
    assert good.status_code == 200
    assert other.status_code == NO_ANSWER
    assert other.error is not None
    assert "certificate" in other.error.lower()
    assert stranger.status_code == NO_ANSWER


def test_the_connection_goes_to_the_address_that_was_checked():
    """The name is resolved once, by the guard; nothing resolves it a second time."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["93.184.216.34"]

    async def conversation(url: str) -> Answer:
        sender = HttpSender(Guard(local=True, resolve=resolve))
        answer = await sender.send(Outgoing(url.replace("127.0.0.1", "shop.example.com") + "/", [], b"{}"), 5)
        await sender.aclose()
        return answer

    site = Site()
    assert talk(site, conversation).status_code == 200
    assert asked == ["shop.example.com"]
    assert b"host: shop.example.com:" in site.requests[0]
