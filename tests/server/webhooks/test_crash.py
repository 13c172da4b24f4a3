"""At-least-once: no event of what was acknowledged is lost, whenever the sending process is killed."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bench.processes import ROOT, await_port, free_port, serve, stop
from bursar.piaxis import PiaxisApiError, PiaxisClient


@pytest.mark.crash
def test_workers_killed_under_load_lose_nothing_and_keep_the_order():
    """The small version of the bench: thousands of deliveries, kill -9 on the way."""
    command = [sys.executable, "-m", "bench.webhooks", "--json"]
    command += ["--deliveries", "2500", "--kill-every", "0.9", "--kills", "2"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    [result] = json.loads(run.stdout)["tables"]["result"]
    assert result["arrived"] == 2500
    assert (result["lost"], result["out of order"], result["badly signed"]) == (0, 0, 0)


class Sink:
    """A receiver that says when it has heard of all of a set of payments."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self.changed = threading.Condition()

    def take(self, body: bytes) -> None:
        with self.changed:
            self.heard.add(json.loads(body)["data"]["payment_id"])
            self.changed.notify_all()

    def await_all(self, payments: set[str], seconds: float) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: payments <= self.heard, seconds)


@pytest.mark.crash
def test_a_server_killed_while_paying_tells_of_every_acknowledged_payment(tmp_path):
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sink.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    database, port = f"sqlite:///{tmp_path / 'sandbox.db'}", free_port()
    acknowledged: set[str] = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        hook = f"http://127.0.0.1:{receiver.server_address[1]}/"
        for kill in range(3):
            server = serve(database, port)
            await_port(port, server)
            try:
                with client(port) as merchant:
                    if kill == 0:
                        new: Any = {"url": hook, "events": ["payment.succeeded"]}
                        merchant.webhooks.create_webhook_endpoint(new)
                    timer = threading.Timer(0.15 + 0.1 * kill, server.kill)
                    timer.start()
                    acknowledged |= pay_until_it_dies(merchant)
                    timer.join()
            finally:
                server.kill()
                server.wait()
        assert acknowledged
        server = serve(database, port)
        await_port(port, server)
        try:
            assert sink.await_all(acknowledged, 30), f"{len(acknowledged - sink.heard)} were lost"
        finally:
            stop(server)
            receiver.shutdown()


def client(port: int) -> PiaxisClient:
    return PiaxisClient(
        api_key="piaxis-sandbox-key", base_url=f"http://127.0.0.1:{port}/piaxis/api", max_retries=0
    )


def pay_until_it_dies(merchant: PiaxisClient) -> set[str]:
    """Pay one after another; the ids of the payments that were answered."""
    made: set[str] = set()
    phone = "+256700000000"
    try:
        while True:
            merchant.request_otp({"phone_number": phone})
            payment = merchant.create_payment(
                {
                    "amount": "5000",
                    "currency": "UGX",
                    "payment_method": "mtn",
                    "user_info": {"phone_number": phone, "otp": "123456"},
                }
            )
            made.add(payment.payment_id)
    except PiaxisApiError:
        return made
