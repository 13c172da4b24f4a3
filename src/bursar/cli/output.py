"""How commands speak: tables for people, JSON for programs, refusals to standard error."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from bursar.engine.errors import EngineError

if TYPE_CHECKING:
    from rich.console import Console


@cache
def console() -> Console:
    """Return the terminal. Loaded late: a server that prints JSON needs no tables."""
    from rich.console import Console

    return Console(highlight=False, emoji=False)  # `nostro:house:USD` is an account, not a house


def refuse(message: str, *, status: int = 1) -> NoReturn:
    """Say on standard error why the command does nothing, and exit."""
    print(f"bursar: {message}", file=sys.stderr)
    raise SystemExit(status)


@contextmanager
def refusals() -> Generator[None]:
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
    from rich.table import Table

    shown = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        # A narrow terminal folds a long account name; cutting it would hide what it is.
        is_number = column in right
        shown.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    console().print(shown)
