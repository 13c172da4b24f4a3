"""How commands speak: tables for people, JSON for programs, refusals to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import msgspec
from rich.console import Console
from rich.table import Table

from bursar.engine.errors import EngineError

console = Console(soft_wrap=False, highlight=False)


def refuse(message: str, *, status: int = 1) -> NoReturn:
    """Say on standard error why the command does nothing, and exit."""
    print(f"bursar: {message}", file=sys.stderr)
    raise SystemExit(status)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what the engine refuses into a message and exit status 1."""
    try:
        yield
    except EngineError as error:
        refuse(error.message)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(msgspec.json.encode(value).decode(), flush=True)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print a table; the columns named in `right` are numbers."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in right else "left", no_wrap=column in right)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
