"""Events leave a server that is killed, and reach a NATS that is killed: each at least once, in order."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nats
import pytest

BURSAR = [sys.executable, "-m", "bursar.cli"]
CREATED = 40


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def endpoint(answers):
    """An HTTP server that keeps what it is sent and answers with these statuses in turn, then 200."""
    came, news = [], threading.Condition()
    waiting = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = waiting.pop(0) if waiting else 200
            with news:
                came.append((self.headers["Event-Id"], json.loads(body), status))
                news.notify_all()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/events", came, news
    finally:
        server.shutdown()
        server.server_close()


class Serving:
    """`bursar serve` on a database, to be killed and started again."""

    def __init__(self, database, *arguments):
        self._command = [*BURSAR, "serve", "--json", "--port", "0", "--database", database, *arguments]

    def start(self):
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"] + "/formance/api/ledger/v2"

    def write(self, number):
        posting = {"source": "world", "destination": "a", "amount": 1, "asset": "USD/2"}
        body = json.dumps({"postings": [posting], "metadata": {"n": str(number)}}).encode()
        urllib.request.urlopen(f"{self.url}/l/transactions", body, timeout=20).close()

    def kill(self):
        self.process.kill()
        self.process.communicate()


def in_order(events):
    """What came first of each, as numbers."""
    first = dict.fromkeys(event["payload"]["transactions"][0]["metadata"]["n"] for event in events)
    return [int(number) for number in first]


def test_every_event_reaches_an_endpoint_that_fails_from_a_server_that_is_killed(tmp_path):
    with endpoint([500, 503, 200, 200, 500]) as (url, came, news):
        server = Serving(f"sqlite:///{tmp_path}/books.db", "--events-http-url", url)
        server.start()
        try:
            urllib.request.urlopen(urllib.request.Request(f"{server.url}/l", b"{}"), timeout=20).close()
            for number in range(CREATED):
                if number in (15, 30):
                    server.kill()
                    server.start()
                server.write(number)
            with news:
                taken = lambda: {id_ for id_, _, status in came if status == 200}  # noqa: E731 - read in a loop
                assert news.wait_for(lambda: len(taken()) == CREATED, timeout=60)
        finally:
            server.kill()
    assert in_order([body for _, body, _ in came]) == list(range(CREATED))


@contextlib.contextmanager
def nats_server(place, port):
    program = shutil.which("nats-server") or "/usr/sbin/nats-server"
    process = subprocess.Popen(
        [program, "-js", "-sd", str(place), "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def nats_port():
    if not (shutil.which("nats-server") or Path("/usr/sbin/nats-server").exists()):
        message = "nats-server is missing: apt-get install nats-server (docs/testing of this project: CONTRIBUTING.md)"
        if os.environ.get("BURSAR_NATS") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return free_port()


async def stored(port, count):
    """The messages of a stream of committed transactions, oldest first, once there are so many."""
    connection = await nats.connect(f"nats://127.0.0.1:{port}")
    try:
        stream = connection.jetstream()
        await stream.add_stream(name="operators-own", subjects=["COMMITTED_TRANSACTIONS"])
        subscription = await stream.subscribe("COMMITTED_TRANSACTIONS", ordered_consumer=True)
        return [json.loads((await subscription.next_msg(timeout=60)).data) for _ in range(count)]
    finally:
        await connection.close()


def test_every_event_reaches_jetstream_though_it_and_the_server_are_killed(tmp_path, nats_port):
    server = Serving(f"sqlite:///{tmp_path}/books.db", "--events-nats-url", f"nats://127.0.0.1:{nats_port}")
    server.start()
    try:
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/l", b"{}"), timeout=20).close()
        server.write(0)  # nobody listens yet
        with nats_server(tmp_path / "js", nats_port):
            for number in range(1, 15):
                server.write(number)
            asyncio.run(stored(nats_port, 5))
        for number in range(15, 20):
            server.write(number)  # nobody listens any more
        server.kill()
        server.start()
        with nats_server(tmp_path / "js", nats_port):
            for number in range(20, CREATED):
                server.write(number)
            events = asyncio.run(stored(nats_port, CREATED))
    finally:
        server.kill()
    assert in_order(events) == list(range(CREATED))
