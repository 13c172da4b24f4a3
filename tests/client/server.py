"""A loopback HTTP server that does what a script says and remembers every byte it was sent.

One thread for each connection, blocking sockets, no waiting but for events: closing the server wakes everything.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Recorded:
    """A request as it came over the wire."""

    raw: bytes
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """Number of the connection it came on."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("ascii"), keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known.lower() == name.lower()]


@dataclass(frozen=True)
class Answer:
    """A well-formed answer, given when `hold` is set."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    hold: threading.Event | None = None

    def encoded(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Scripted", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@dataclass(frozen=True)
class Drop:
    """The request is read whole, then the connection ends without an answer."""

    reset: bool = False
    """With a TCP reset instead of an orderly end."""


@dataclass(frozen=True)
class Bytes:
    """These bytes, whatever they are, then the end of the connection unless it is kept."""

    data: bytes
    keep: bool = False


@dataclass(frozen=True)
class Drip:
    """These bytes, a few now and then."""

    data: bytes
    size: int = 4
    every: float = 0.1


@dataclass(frozen=True)
class Silence:
    """No answer until the server closes."""

    heard: threading.Event = field(default_factory=threading.Event)
    """Set when a request is waiting for the answer that does not come."""


Action = Answer | Drop | Bytes | Drip | Silence
Script = Callable[[Recorded], Action]


def reply(body: object = None, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; bytes go out as they are. Underscores in header names become hyphens."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content_Type": "application/json", **headers}
    return Answer(status, raw, tuple((name.replace("_", "-"), value) for name, value in fields.items()))


class Server:
    """Serves until closed; `requests` grows with each request."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[Recorded] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._start(self._accept)

    @property
    def connections(self) -> int:
        """How many connections were ever accepted."""
        return len(self._sockets)

    def close(self) -> None:
        self._stopping.set()
        with self._lock:
            sockets = [self._listener, *self._sockets]
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.append(sock)
                number = len(self._sockets)
            self._start(self._serve, sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                with self._lock:
                    self._sockets[number - 1] = sock
            with contextlib.closing(sock):
                for request in _requests(sock, number):
                    with self._lock:
                        self.requests.append(request)
                    if not self._act(sock, self._script(request)):
                        return

    def _act(self, sock: socket.socket, action: Action) -> bool:
        """Do what the script says; False when the connection ends with it."""
        match action:
            case Answer():
                if action.hold is not None:
                    action.hold.wait(10)
                sock.sendall(action.encoded())
                return True
            case Drop(reset):
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            case Bytes(data, keep):
                sock.sendall(data)
                return keep
            case Drip(data, size, every):
                for start in range(0, len(data), size):
                    sock.sendall(data[start : start + size])
                    if self._stopping.wait(every):
                        return False
                return True
            case Silence(heard):
                heard.set()
                self._stopping.wait()
                return False


def _requests(sock: socket.socket, number: int) -> Iterator[Recorded]:
    received = b""
    while True:
        while (end := received.find(b"\r\n\r\n")) < 0:
            chunk = sock.recv(65536)
            if not chunk:
                return
            received += chunk
        first, *lines = received[:end].decode("latin-1").split("\r\n")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
        total = end + 4 + length
        while len(received) < total:
            chunk = sock.recv(65536)
            if not chunk:
                return
            received += chunk
        method, target, _ = first.split(" ")
        yield Recorded(received[:total], method, target, headers, received[end + 4 : total], number)
        received = received[total:]
