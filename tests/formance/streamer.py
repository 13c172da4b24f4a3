"""An HTTP server whose answers and requests are streams under the test's control."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

PATIENCE = 10.0
"""Seconds after which a test that waits for the other side gives up."""


class Streamer:
    """Serves POSTs: `serve(pieces, send)` gets the pieces of the request as they come, and sends those of the answer.

    `send(None)` ends the answer; `send(piece)` begins it with a 200 when it has not begun. What `serve` returns, if
    anything, is the whole answer: status and body.
    """

    def __init__(
        self, serve: Callable[[Iterator[bytes], Callable[[bytes | None], None]], tuple[int, bytes] | None]
    ) -> None:
        self.headers: list[dict[str, str]] = []
        streamer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                streamer.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.begun = False
                try:
                    whole = serve(self.pieces(), self.send_piece)
                except ConnectionError:
                    self.close_connection = True
                    return
                if whole is not None:
                    self.send_response(whole[0])
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(whole[1])))
                    self.end_headers()
                    self.wfile.write(whole[1])

            def pieces(self) -> Iterator[bytes]:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
                    return
                while size := int(self.rfile.readline(), 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def send_piece(self, piece: bytes | None) -> None:
                if not self.begun:
                    self.begun = True
                    self.send_response(200)
                    self.send_header("Content-Type", "application/octet-stream")
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                data = piece or b""
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
