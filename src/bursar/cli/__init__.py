"""The `bursar` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line. Entry point of the `bursar` script."""
    if sys.argv[1:] == ["--version"]:  # no need to load a command line parser for it
        from bursar import __version__

        print(f"bursar {__version__}")
        return
    try:
        from bursar.cli.commands import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("bursar"):
            raise
        raise SystemExit(f"bursar: {error.name} is missing: pip install 'bursar[engine]'") from None
    run()
