"""What every transport keeps to, on real sockets (bursar.client.transport)."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bursar.client import AsyncTransport, Transport, asynchronous, blocking
from bursar.client.transport.asgi import AsgiTransport, ConnectionDropped
from bursar.client.transport.async_pool import AsyncPoolTransport
from bursar.client.transport.pool import Budget, PoolTransport, _Backend
from bursar.contract import Headers, Request, Response, TransportError
from tests.client import carriers, certificate
from tests.client.carriers import Send
from tests.client.server import Answer, Bytes, Drip, Drop, Server, Silence
from tests.client.stopwatch import lasts

Serve = Callable[..., Server]


def get(server: Server, path: str = "/", **headers: str) -> Request:
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("GET", server.url + path, fields)


def post(server: Server, body: bytes) -> Request:
    return Request("POST", server.url, (("Content-Type", "application/json"),), body)


def test_a_request_arrives_as_it_was_made(send: Send, serve: Serve) -> None:
    server = serve(lambda request: Answer(201, "ü".encode(), (("X-A", "1"), ("x-a", "2"))))
    url = server.url + "/a%2Fb/%C3%A9?x=a%26b&y=%20"
    response = send(Request("POST", url, (("X-Custom", "v"), ("User-Agent", "me")), b'{"a":1.00}'), 5)
    assert (response.status, response.text, response.headers["X-A"]) == (201, "ü", "1, 2")
    request = server.requests[0]
    assert (request.method, request.target) == ("POST", "/a%2Fb/%C3%A9?x=a%26b&y=%20")
    assert request.body == b'{"a":1.00}'
    assert (request.header("X-Custom"), request.header("User-Agent")) == ("v", "me")
    assert request.header("Host") == f"127.0.0.1:{server.port}"
    assert request.header("Content-Length") == "10"


def test_mc05_a_request_without_body_has_no_length_nor_type(send_own: Send, serve: Serve) -> None:
    server = serve()
    send_own(get(server), 5)
    assert server.requests[0].header("Content-Length") is None
    assert server.requests[0].header("Content-Type") is None


def test_connections_are_reused(send: Send, serve: Serve) -> None:
    server = serve()
    for _ in range(5):
        send(get(server), 5)
    assert server.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_mc50_redirects_are_answers(send: Send, serve: Serve, status: int, method: str) -> None:
    other = serve()
    server = serve(lambda request: Answer(status, b"", (("Location", other.url + "/elsewhere"),)))
    response = send(Request(method, server.url, (("Authorization", "Bearer x"),), b"{}"), 5)
    assert response.status == status
    assert (len(server.requests), other.requests) == (1, [])


@pytest.mark.parametrize(
    "action", [Drop(), Drop(reset=True), Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")]
)
def test_mc44_a_lost_connection_may_have_left(send: Send, serve: Serve, action: Any) -> None:
    server = serve(lambda request: action)
    with pytest.raises(TransportError) as caught:
        send(post(server, b"{}"), 5)
    assert caught.value.sent
    assert not caught.value.timed_out
    assert len(server.requests) == 1, "a transport repeats nothing of its own accord"


def test_a_reused_connection_that_dies_is_not_repeated_silently(send_own: Send, serve: Serve) -> None:
    server = serve(lambda request: Answer() if len(server.requests) == 1 else Drop())
    send_own(get(server), 5)
    with pytest.raises(TransportError) as caught:
        send_own(post(server, b"{}"), 5)
    assert caught.value.sent
    assert len(server.requests) == 2


def test_a_refused_connection_was_never_sent(send: Send, serve: Serve) -> None:
    server = serve()
    request = get(server)
    server.close()
    with pytest.raises(TransportError) as caught:
        send(request, 5)
    assert not caught.value.sent


@pytest.mark.parametrize(
    "garbage",
    [b"hello\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"\x00\xff" * 50, b"\r\n\r\n\r\n"],
)
def test_garbage_is_a_transport_error(send: Send, serve: Serve, garbage: bytes) -> None:
    server = serve(lambda request: Bytes(garbage))
    with pytest.raises(TransportError) as caught:
        send(get(server), 5)
    assert caught.value.sent


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Filler: " + b"x" * 200 + b"\r\n\r\n"


@pytest.mark.parametrize("part", ["header", "body"])
def test_x2_a_slow_drip_does_not_outlast_the_deadline(send_own: Send, serve: Serve, part: str) -> None:
    """The one real wait of the suite: every operation of the drip succeeds within its own timeout."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    drip = Drip(HEAD, 4, 0.1) if part == "header" else Drip(body + b"x" * 1000, 45, 0.1)
    server = serve(lambda request: drip)

    def wait_for_it() -> None:
        with pytest.raises(TransportError) as caught:
            send_own(get(server), 1.0)
        assert caught.value.timed_out
        assert caught.value.sent

    assert lasts(wait_for_it, 0.9, 1.1)


def test_a_silent_server_does_not_outlast_the_deadline(send: Send, serve: Serve) -> None:
    server = serve(lambda request: Silence())
    started = time.monotonic()
    with pytest.raises(TransportError) as caught:
        send(get(server), 0.15)
    assert time.monotonic() - started < 5
    assert caught.value.timed_out
    assert caught.value.sent


def test_after_a_timeout_the_connection_is_not_used_again(send: Send, serve: Serve) -> None:
    """Else the late answer would be read as the answer to the next request."""
    late = threading.Event()
    server = serve(
        lambda request: Answer(200, b"first", hold=late) if request.path == "/1" else Answer(200, b"second")
    )
    with pytest.raises(TransportError):
        send(get(server, "/1"), 0.1)
    late.set()
    assert send(get(server, "/2"), 5).body == b"second"
    assert server.requests[0].connection != server.requests[1].connection


def test_an_answer_nobody_asked_for_is_not_given_to_the_next_call(send_own: Send, serve: Serve) -> None:
    """A second answer in the same packet must not be taken for the next request's."""
    one = Answer(200, b"mine").encoded()
    two = Answer(200, b"FOREIGN").encoded()
    server = serve(
        lambda request: Bytes(one + two, keep=True) if request.path == "/1" else Answer(200, b"yours")
    )
    assert send_own(get(server, "/1"), 5).body == b"mine"
    assert send_own(get(server, "/2"), 5).body == b"yours"


def test_a_cancelled_call_leaves_its_answer_to_nobody(serve: Serve) -> None:
    late, silent = threading.Event(), threading.Event()

    def script(request: Any) -> Answer:
        silent.set()
        return Answer(200, request.path.encode(), hold=late if request.path == "/1" else None)

    server = serve(script)

    async def cancel_one() -> bytes:
        transport = AsyncPoolTransport()
        call = asyncio.create_task(transport.send(get(server, "/1"), 5))
        await asyncio.to_thread(silent.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        late.set()
        answer = await transport.send(get(server, "/2"), 5)
        await transport.aclose()
        return answer.body

    assert asyncio.run(cancel_one()) == b"/2"


def test_a_deadline_that_passed_before_connecting_means_not_sent() -> None:
    import httpcore2

    with pytest.raises(httpcore2.ConnectTimeout):
        _Backend().connect_tcp("127.0.0.1", 1, Budget(0))


def test_a_reader_that_is_slow_to_read_does_not_outlast_the_deadline() -> None:
    """A peer that takes a few bytes at a time keeps every single write going."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        done = threading.Event()

        def sip() -> None:
            peer, _ = listener.accept()
            with peer:
                while not done.wait(0.05):
                    peer.recv(30_000)

        drinker = threading.Thread(target=sip, daemon=True)
        drinker.start()
        transport = PoolTransport()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        try:
            with pytest.raises(TransportError) as caught:
                transport.send(Request("POST", url, (), b"x" * 20_000_000), 0.4)
            assert time.monotonic() - started < 10, "it would take half a minute"
            assert caught.value.sent
        finally:
            done.set()
            drinker.join(5)
            transport.close()


@pytest.mark.parametrize("opener", carriers.ALL, ids=lambda opener: opener.__name__)
def test_tls_is_spoken_and_checked(opener: Any, serve: Serve, certificate_file: Path) -> None:
    server = serve(lambda request: Answer(200, b"safe"), tls=certificate.server_context(certificate_file))
    with opener(certificate.client_context(certificate_file)) as send:
        assert send(get(server), 5).body == b"safe"
    with opener(None) as send:
        with pytest.raises(TransportError) as caught:
            send(get(server), 5)
        assert not caught.value.sent, "nothing goes to a server that cannot prove who it is"
        assert len(server.requests) == 1


def test_mw7_netrc_and_proxy_settings_of_the_environment_are_not_used(
    send_own: Send, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password x\n")
    netrc.chmod(0o600)
    proxy = serve()
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server = serve()
    send_own(get(server, Authorization="Bearer token"), 5)
    assert server.requests[0].header("Authorization") == "Bearer token"
    assert proxy.requests == []


@pytest.mark.parametrize("opener", [carriers.httpx2_client, carriers.async_httpx2_client])
def test_mw7_a_netrc_does_not_replace_the_token_on_the_callers_client_either(
    opener: Any, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve()
    with httpx2.Client(auth=httpx2.NetRCAuth(str(netrc))) as client:
        blocking(client).send(get(server, Authorization="Bearer token"), 5)
    assert server.requests[0].all("Authorization") == ["Bearer token"]


def test_cookies_are_neither_kept_nor_sent(send: Send, serve: Serve) -> None:
    server = serve(lambda request: Answer(200, b"", (("Set-Cookie", "session=CANARY; Path=/"),)))
    send(get(server), 5)
    send(get(server), 5)
    assert server.requests[1].all("Cookie") == []


@pytest.mark.parametrize("closing", [True, False])
@pytest.mark.filterwarnings("ignore:unclosed transport", "ignore:Exception ignored in")
def test_one_asynchronous_transport_in_several_loops(serve: Serve, closing: bool) -> None:
    """Four of four asynchronous peers die on a second asyncio.run."""
    server = serve(lambda request: Answer(200, request.path.encode()))
    transport = AsyncPoolTransport()

    async def twice(path: str) -> list[bytes]:
        bodies = [(await transport.send(get(server, path), 5)).body for _ in range(2)]
        if closing:
            await transport.aclose()
        return bodies

    for number in range(3):
        assert asyncio.run(twice(f"/{number}")) == [f"/{number}".encode()] * 2
    assert server.connections == 3, "each loop has connections of its own"
    assert len(transport._pools[os.getpid()]) <= 1, "closed loops are not remembered"
    transport = AsyncPoolTransport()
    gc.collect()  # what a loop left open without aclose() shows here, not in another test


def test_many_threads_share_a_pool(serve: Serve) -> None:
    """MC77: every thread gets its own answers."""
    from concurrent.futures import ThreadPoolExecutor

    server = serve(lambda request: Answer(200, request.path.encode()))
    transport = PoolTransport()

    def ask(number: int) -> bool:
        path = f"/{number}"
        return transport.send(get(server, path), 10).body == path.encode()

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(400)))
    assert server.connections <= 16
    transport.close()


def test_threads_that_come_first_together_share_one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = PoolTransport()
    open_pool = transport._open_pool
    both = threading.Barrier(2)

    def open_together() -> Any:
        both.wait(5)
        return open_pool()

    monkeypatch.setattr(transport, "_open_pool", open_together)
    pools: list[Any] = []
    threads = [threading.Thread(target=lambda: pools.append(transport._own_pool())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert pools[0] is pools[1]


def test_what_is_no_transport_is_refused() -> None:
    for wrong in (object(), "http://proxy", 5):
        with pytest.raises(TypeError, match="session must be"):
            blocking(wrong)
        with pytest.raises(TypeError, match="session must be"):
            asynchronous(wrong)
    with httpx2.Client() as client, pytest.raises(TypeError, match="not Client"):
        asynchronous(client)
    with pytest.raises(TypeError, match="not AsyncClient"):
        blocking(httpx2.AsyncClient())


def test_a_subclass_of_a_known_client_and_any_object_of_the_protocol_are_taken() -> None:
    class Traced(httpx2.Client):
        pass

    class Handwritten:
        def send(self, request: Request, timeout: float) -> Response:
            return Response(200, Headers(), b"")

        def close(self) -> None:
            pass

    with Traced() as client:
        assert isinstance(blocking(client), Transport)
    mine = Handwritten()
    assert blocking(mine) is mine
    own = AsyncPoolTransport()
    assert asynchronous(own) is own
    assert isinstance(own, AsyncTransport)


async def application(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    path = scope["path"]
    if path == "/drop":
        raise ConnectionDropped
    if path == "/hang":
        await asyncio.Event().wait()
    if path == "/nothing":
        return
    shown = f"{scope['method']} {scope['raw_path'].decode()} {path} {scope['query_string'].decode()} "
    names = sorted(name.decode() for name, _ in scope["headers"])
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"x-names", " ".join(names).encode())]}
    )
    await send({"type": "http.response.body", "body": shown.encode(), "more_body": True})
    await send({"type": "http.response.body", "body": message["body"]})


def ask_application(
    path: str, body: bytes | None = None, timeout: float = 5, app: Any = application
) -> Response:
    request = Request("POST", f"http://localhost{path}", (("X-Custom", "v"),), body)
    return asyncio.run(AsgiTransport(app).send(request, timeout))


def test_an_application_in_this_process_is_a_transport() -> None:
    response = ask_application("/a%2Fb/%C3%A9?x=1", b"{}")
    assert response.text == "POST /a%2Fb/%C3%A9 /a/b/é x=1 {}"
    assert response.headers["x-names"] == "content-length host x-custom"


def test_an_application_may_play_every_failure() -> None:
    for path, timed_out in (("/drop", False), ("/nothing", False), ("/hang", True)):
        with pytest.raises(TransportError) as caught:
            ask_application(path, timeout=0.05)
        assert (caught.value.sent, caught.value.timed_out) == (True, timed_out)


def test_an_application_that_streams_its_answer_is_heard_to_the_end() -> None:
    """Frameworks stop streaming when the client seems gone; it is gone only after the answer."""
    from starlette.responses import StreamingResponse

    async def pieces() -> AsyncIterator[str]:
        for number in range(3):
            await asyncio.sleep(0)
            yield f"{number} "

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(pieces())(scope, receive, send)

    assert ask_application("/", app=streaming).text == "0 1 2 "


def test_an_answer_cut_short_by_the_application_is_no_answer() -> None:
    async def breaking(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"a":1', "more_body": True})

    with pytest.raises(TransportError):
        ask_application("/", app=breaking)
