"""What editors and type checkers see: typed.py holds the statements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TYPED = Path(__file__).with_name("typed.py")
ROOT = TYPED.parents[2]


def test_mypy_infers_the_types_of_calls() -> None:
    """pyright reads the same file in scripts/check, with all of tests/."""
    options = ["--strict", "--warn-unused-ignores"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(TYPED)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
