"""`bursar listen` and `bursar trigger` as processes, against a running sandbox."""

import contextlib
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bursar.webhooks import Piaxis, Receiver
from tests.cli.test_cli import BURSAR, bursar, serving

SECRET = "piaxis-sandbox-webhook-secret"


class Program:
    """The program that webhooks are passed on to."""

    def __init__(self, url: str, arrived: "queue.Queue[tuple[dict[str, str], bytes]]") -> None:
        self.url = url
        self.arrived = arrived


@contextlib.contextmanager
def program(status: int = 204) -> Generator[Program]:
    arrived: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            arrived.put((dict(self.headers), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Program(f"http://127.0.0.1:{server.server_address[1]}/webhooks", arrived)
        server.shutdown()


@contextlib.contextmanager
def listening(url: str, *arguments: str) -> Generator[Any]:
    """Run `bursar listen`; stop it as Ctrl+C does and expect exit status 0."""
    process = subprocess.Popen(
        [*BURSAR, "listen", "--url", url, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield process.stdout
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_a_triggered_payment_is_shown_checked_and_passed_on(tmp_path):
    with serving("--sandbox", "--database", "sqlite://") as ready, program() as target:
        url = ready["url"]
        with listening(url, "--forward-to", target.url, "--event", "payment.succeeded", "--json") as output:
            started = json.loads(output.readline())
            assert started["secret"] == SECRET
            made = bursar("trigger", "payment.succeeded", "--url", url, "--json")
            assert made.returncode == 0, made.stderr
            told = json.loads(made.stdout)["made"]
            shown = json.loads(output.readline())
            assert (shown["event"], shown["signature"], shown["answer"]) == (
                "payment.succeeded",
                "verified",
                204,
            )
            assert shown["body"]["data"]["payment_id"] in told
            headers, body = target.arrived.get(timeout=10)
            event = Receiver(Piaxis(), SECRET).verify_and_parse(body, headers)
            assert event.id == shown["id"]
        with listening(url) as output:
            assert output.readline().startswith(f"Webhooks of {url} go to nowhere")
            left = bursar("trigger", "payment.failed", "--url", url)
            assert left.returncode == 0, left.stderr
            for expected in ("Verify", "Time", "payment.pending", "payment.failed"):
                line = output.readline()
                assert expected in line
            assert "verified" in line
            assert "200" in line


def test_events_that_can_be_triggered_are_listed_and_others_refused():
    listed = bursar("trigger", "--json")
    assert "escrow.released" in json.loads(listed.stdout)["events"]
    unknown = bursar("trigger", "payment.exploded")
    assert unknown.returncode == 2
    assert "payment.succeeded" in unknown.stderr


@pytest.mark.parametrize("command", [["listen"], ["trigger", "payment.succeeded"]])
def test_without_a_sandbox_there_is_a_word_of_advice(command: list[str]):
    run = bursar(*command, "--url", "http://127.0.0.1:1")
    assert run.returncode == 1
    assert "bursar serve --sandbox" in run.stderr
    assert "Traceback" not in run.stderr
