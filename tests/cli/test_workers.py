"""`bursar serve --workers`: several processes on one PostgreSQL, one of them killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from bursar.formance import Formance, FormanceOptions

BURSAR = [sys.executable, "-m", "bursar.cli"]
POSTING = {"source": "world", "destination": "a", "amount": 1, "asset": "USD/2"}


@contextlib.contextmanager
def serving(*arguments):
    process = subprocess.Popen(
        [*BURSAR, "serve", "--json", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate()


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_that_is_killed_is_replaced_and_nothing_acknowledged_is_lost(postgres):
    database = postgres.database()
    with serving("--workers", "2", "--database", database) as (ready, process):
        assert ready["pid"] == process.pid
        client = Formance(FormanceOptions(ready["url"] + "/formance", max_retries=8, retry_base_delay=0.05))
        client.ledger.v2.create_ledger("books")
        before = children(process.pid)
        assert len(before) == 2
        for number in range(30):
            if number == 10:
                os.kill(before[0], signal.SIGKILL)
            client.ledger.v2.create_transaction("books", {"postings": [POSTING]}, idempotency_key=str(number))
        client.close()
        assert process.stderr is not None
        assert f"the worker with pid {before[0]} ended with -9" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    verified = subprocess.run(
        [*BURSAR, "verify", "--json", "--database", database], capture_output=True, check=True
    )
    report = json.loads(verified.stdout)
    assert (report["ok"], report["logs"]) == (True, 30)


def test_workers_that_cannot_start_end_the_server():
    ended = subprocess.run(
        [*BURSAR, "serve", "--port", "0", "--workers", "2", "--database", "postgresql://localhost:1/none"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "cannot open postgresql://localhost:1/none" in ended.stderr
