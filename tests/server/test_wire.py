"""Bytes on a real connection, below any HTTP client."""

import socket

import pytest


def exchange(server, *pieces, leave=False, until=None):
    """Send pieces of bytes and return what comes back until the server closes, or until some bytes.

    `leave` closes this end first.
    """
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if leave:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while (until is None or until not in received) and (chunk := connection.recv(65536)):
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
