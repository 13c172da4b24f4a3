"""Bytes on a real connection, below any HTTP client."""

import socket

import pytest

from bursar.server import limits


def exchange(server, *pieces, leave=False, until=None, times=1):
    """Send pieces of bytes and return what comes back until the server closes, or until some bytes came so often.

    `leave` closes this end first.
    """
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if leave:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while (until is None or received.count(until) < times) and (chunk := connection.recv(65536)):
            received += chunk
    return received


def head(*fields, method="POST", path):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def test_ms70_a_huge_body_is_refused_before_a_byte_of_it_arrives(bursar_server):
    path = "/milkyway/realms/sandbox/protocol/openid-connect/token"
    form = "Content-Type: application/x-www-form-urlencoded"
    for fields in (["Content-Length: 99999999999"], ["Content-Length: 99999999999", "Expect: 100-continue"]):
        answer = exchange(bursar_server, head(form, "Connection: close", *fields, path=path))
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"100 Continue" not in answer


def test_ms70_an_undeclared_huge_body_is_cut_off(bursar_server):
    request = head("Transfer-Encoding: chunked", path="/_bursar/clock/advance")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = exchange(bursar_server, request, chunk * 17, b"0\r\n\r\n", until=b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "nonsense", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\xff" * 100_000]
)
def test_what_is_no_http_is_400_or_closed(bursar_server, nonsense):
    try:
        answer = exchange(bursar_server, nonsense, leave=True)
    except ConnectionError:
        return
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_a_caller_that_leaves_in_the_middle_harms_nobody(bursar_server, caplog):
    assert (
        exchange(bursar_server, head("Content-Length: 10", path="/_bursar/faults"), b"12345", leave=True)
        == b""
    )
    assert exchange(bursar_server, head("Connection: close", method="GET", path="/healthz")).startswith(
        b"HTTP/1.1 200 "
    )
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_requests_on_one_connection_are_answered_in_order(bursar_server):
    twice = head(method="GET", path="/healthz") + head("Connection: close", method="GET", path="/nothing")
    answer = exchange(bursar_server, twice)
    assert answer.index(b"HTTP/1.1 200 ") < answer.index(b"HTTP/1.1 404 ")


def test_ms70_a_head_without_end_is_cut_off(bursar_server):
    """Nothing of it waits in memory for an end that never comes."""
    for filler in (b"X-Long: " + b"a" * limits.HEAD_BYTES, b"X: a\r\n" * limits.HEAD_BYTES):
        endless = (b"GET /healthz HTTP/1.1\r\n" + filler)[: limits.HEAD_BYTES + 1]
        assert exchange(bursar_server, endless).startswith(b"HTTP/1.1 400 ")


def test_ms70_a_long_head_is_refused_and_the_longest_is_not(bursar_server):
    def asking(size):
        return head("Connection: close", "X-Long: " + "a" * size, method="GET", path="/healthz")

    assert exchange(bursar_server, asking(limits.HEAD_BYTES)).startswith(b"HTTP/1.1 400 ")
    assert exchange(bursar_server, asking(limits.HEAD_BYTES - 100)).startswith(b"HTTP/1.1 200 ")


def test_a_body_does_not_count_as_head(bursar_server):
    """Nor do the heads of requests before it on the connection."""
    body = b" " * (limits.HEAD_BYTES * 2)
    field = f"Content-Length: {len(body)}"
    request = head(field, path="/_bursar/clock/freeze") + body
    answer = exchange(bursar_server, *[request] * 4, until=b"HTTP/1.1 200 ", times=4)
    assert answer.count(b"HTTP/1.1 200 ") == 4
