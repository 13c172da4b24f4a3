"""A server killed under load, as `python -m bench.crash` does it a hundred times (MS67, invariant 6)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.crash
def test_ms67_kill_9_under_load_loses_no_acknowledged_payment():
    """Every acknowledged payment is there and its key still names it; the books and the rail's invariants hold."""
    command = [sys.executable, "-m", "bench.crash", "--cycles", "3", "--json"]
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=root)
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)["tables"]["result"][0]
    assert result["kills"] == 3
    assert result["acknowledged"] > 0
    assert result["lost"] == 0
