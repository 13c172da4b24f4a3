"""Servers as processes: start, wait until they answer, measure, stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def vendor_python() -> str | None:
    """Return the interpreter that has the vendor's client, if scripts/test made it."""
    own = ROOT / ".venv-vendor" / "bin" / "python"
    return os.environ.get("BURSAR_VENDOR_PYTHON") or (str(own) if own.exists() else None)


def serve(database: str, port: int, *options: str) -> subprocess.Popen[bytes]:
    """Start `bursar serve --sandbox` and return at once."""
    command = [sys.executable, "-m", "bursar.cli", "serve", "--sandbox"]
    command += ["--port", str(port), "--database", database, *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)


@contextlib.contextmanager
def serving(database: str, *options: str) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Run a sandbox server for the length of a block; gives its process and port."""
    port = free_port()
    process = serve(database, port, *options)
    try:
        await_port(port, process)
        yield process, port
    finally:
        stop(process)


def await_port(port: int, process: subprocess.Popen[bytes], within_s: float = 20.0) -> None:
    """Wait until the server answers `/healthz`."""
    limit = time.monotonic() + within_s
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        time.sleep(0.005)
    raise TimeoutError(f"the server did not answer within {within_s} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, and kill it if it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def rss_mb(pid: int) -> float:
    """Return a process's resident memory in MB (10^6 bytes)."""
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(answer.stdout) * 1024 / 1e6


def pin(pid: int, core: int) -> bool:
    """Keep a process (0: this one) on one core, where the system can; says whether it did."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) <= core:
        return False
    os.sched_setaffinity(pid, {core})
    return True


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
