"""How `bursar api` shows answers: tables and indented JSON for people, exact JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from bursar.cli.output import console, table
from bursar.contract import ApiError, ItemStream, Page
from bursar.contract.json import dumps, loads, members


class Incomplete(Exception):
    """Something of the answer could not be read; the rest was shown."""


def show(answer: Any, *, as_json: bool, limit: int | None, everything: bool) -> None:
    """Show the value of a call, the pages of a listing, the lines of a stream. Raises `Incomplete`, `ApiError`."""
    if isinstance(answer, ItemStream):
        _copy(answer)
    elif isinstance(answer, Page):
        _show_page(answer, as_json=as_json, limit=limit, everything=everything)
    elif as_json:
        _print_exactly(answer)
    elif answer is not None:
        _show_value(answer)


def _copy(stream: ItemStream[Any]) -> None:
    """Write the lines of a stream as they come, byte for byte."""
    with stream:
        for line in stream.lines():
            sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _show_page(page: Page[Any], *, as_json: bool, limit: int | None, everything: bool) -> None:
    turned: list[Page[Any]] = []
    wanted = islice(_items(page, turned, further=everything or limit is not None), limit)
    if as_json:
        for item in wanted:
            _print_exactly(item)
    else:
        _show_table(list(wanted))
        if turned and turned[-1].has_next:
            _remark("there is more: --all, or --limit")
    unreadable = [(entry.reason, entry.value) for shown in turned for entry in shown.unreadable]
    for reason, _ in unreadable:
        _remark(f"an item could not be read: {reason}")
    if unreadable:
        raise Incomplete


def _items(page: Page[Any], turned: list[Page[Any]], *, further: bool) -> Iterator[Any]:
    """Go through the items, of the following pages as well, and note the pages."""
    for shown in page.pages():
        turned.append(shown)
        yield from shown.items
        if not further:
            return


def _print_exactly(value: Any) -> None:
    sys.stdout.buffer.write(dumps(value) + b"\n")
    sys.stdout.flush()


def _show_value(value: Any) -> None:
    if isinstance(value, str):
        print(printable(value))
    elif isinstance(value, list):
        items: list[Any] = value
        _show_table(items)
    else:
        _show_json(dumps(value))


def _show_json(body: bytes) -> None:
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    text = Text(printable(msgspec.json.format(body, indent=2).decode(), kept="\n"))
    JSONHighlighter().highlight(text)
    console().print(text, soft_wrap=True)


def _show_table(items: Sequence[Any]) -> None:
    """Print items as a table of their members; what they are made of themselves is JSON in its cell."""
    rows = [members(loads(dumps(item))) for item in items]
    if not all(row is not None for row in rows):
        _show_json(dumps(list(items)))
        return
    known = [row for row in rows if row is not None]
    columns = list(dict.fromkeys(name for row in known for name in row))
    numbers = [name for name in columns if all(_is_number(row.get(name)) for row in known)]
    if columns:
        table("", columns, ([_cell(row.get(name)) for name in columns] for row in known), right=numbers)
    if not items:
        _remark("there are none")


def _is_number(value: object) -> bool:
    return not isinstance(value, (str, list, dict, bool, type(None)))


def _cell(value: object) -> str:
    if value is None:
        return ""
    from rich.markup import escape

    return escape(printable(value if isinstance(value, str) else dumps(value).decode()))


def _remark(text: str) -> None:
    print(f"bursar: {printable(text)}", file=sys.stderr)


def printable(text: str, kept: str = "") -> str:
    """Return a text of the server's without what would move a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() or letter in kept else letter.encode("unicode_escape").decode()
        for letter in text
    )


def complaint(error: ApiError) -> str:
    """Return what a failed call says, in one line: operation, status, code, words, and what is known of its effect."""
    code = getattr(error, "error_code", None) or getattr(error, "code", None)
    status = f"{error.status_code} {code}" if code else str(error.status_code)
    known: Iterable[tuple[str, object]] = (
        ("outcome", error.outcome.value),
        ("idempotency key", error.idempotency_key),
        ("request id", error.request_id),
        ("retry after seconds", error.retry_after),
    )
    rest = ", ".join(f"{name} {value}" for name, value in known if value is not None)
    return printable(
        f"{error.operation or 'the call'}: [{status}] {' '.join(error.message.split())} ({rest})"
    )
