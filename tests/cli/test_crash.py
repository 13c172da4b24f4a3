"""A server under load: killed, as `python -m bench.crash` does it a hundred times, and stopped (MS67, invariant 6)."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest

from bench.processes import ROOT, serving


@pytest.mark.crash
def test_ms67_kill_9_under_load_loses_no_acknowledged_payment():
    """Every acknowledged payment is there and its key still names it; the books and the rail's invariants hold."""
    command = [sys.executable, "-m", "bench.crash", "--cycles", "3", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)["tables"]["result"][0]
    assert result["kills"] == 3
    assert result["acknowledged"] > 0
    assert result["lost"] == 0


@pytest.mark.crash
def test_sigterm_under_load_answers_all_that_was_taken_in(tmp_path):
    """32 connections pay as fast as they can; what is in the books was acknowledged, and the server exits 0."""
    database, log = tmp_path / "hub.db", tmp_path / "acknowledged"
    os.mkfifo(log)
    command = [sys.executable, "-m", "bench.load", "--amount", "0.01", "--log", str(log)]
    with serving(f"sqlite:///{database}") as (server, port):
        loader = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, cwd=ROOT)
        with loader, log.open() as told:
            lines = [told.readline() for _ in range(64)]
            server.terminate()
            assert server.wait(30) == 0
            lines += told.readlines()
    acknowledged = {int(line.split()[1]) for line in lines}
    with contextlib.closing(sqlite3.connect(database)) as books:
        made = {payment for (payment,) in books.execute("SELECT id FROM milkyway_payments")}
    assert made == acknowledged
