"""The examples run, and so do the code blocks of the pages that are marked `python runs`."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(path for path in (ROOT / "examples").glob("*.py") if not path.name.startswith("test_"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"^```python runs\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL), 1
    )
]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """A sandbox server as a process, as the examples' readers start it; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "bursar.cli",
        "serve",
        "--sandbox",
        "--port",
        str(port),
        "--database",
        "sqlite://",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        try:
            _await(url, server)
            yield url
        finally:
            server.terminate()


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=5).close()
            return
        except urllib.error.URLError:
            assert server.poll() is None, "the server ended"
            _pause()
    pytest.fail("the server did not start")


def _pause() -> None:
    """Give another process 50 ms: waiting for a port is the one thing that no injected clock can do."""
    time.sleep(0.05)


def _run(script: str | Path, url: str, cwd: Path) -> str:
    command = [sys.executable, "-W", "error", str(script)]
    environment = {**os.environ, "BURSAR_URL": url}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_example(script: Path, sandbox: str, tmp_path: Path) -> None:
    assert _run(script, sandbox, tmp_path)


@pytest.mark.parametrize("block", BLOCKS)
def test_code_in_pages(block: str, sandbox: str, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(block.replace("http://127.0.0.1:8787", sandbox), "utf-8")
    _run(script, sandbox, tmp_path)


def test_examples_of_tests_pass(tmp_path: Path) -> None:
    """What the testing page shows is a passing test suite."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(ROOT / "examples")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout
