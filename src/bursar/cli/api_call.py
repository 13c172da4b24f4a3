"""What a command of `bursar api` does: read its body, make the call, show the answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from bursar.cli.api_catalog import Group, Operation
from bursar.cli.api_connection import connect
from bursar.cli.api_options import Slot, body_of
from bursar.cli.api_output import Incomplete, complaint, printable, show
from bursar.cli.output import refuse
from bursar.contract import ApiError, BursarError, InvalidRequestError, UnreadableAnswer
from bursar.contract.json import loads, members
from bursar.contract.params import Param

_PIECE: Final = 65536


class Own(NamedTuple):
    """What is given besides the endpoint's parameters."""

    url: str = ""
    as_json: bool = False
    data: str | None = None
    limit: int | None = None
    everything: bool = False
    as_owner: bool = False


def perform(
    group: Group, operation: Operation, slots: list[Slot], given: Mapping[str, Any], own: Own
) -> None:
    """Make a call and show its answer; exits with status 1 when it fails, 2 when it cannot be made."""
    endpoint = operation.endpoint
    if endpoint.description.deprecated:
        print(
            f"bursar: {operation.command} is deprecated: {endpoint.description.deprecated}", file=sys.stderr
        )
    try:
        arguments = _arguments(operation, slots, given, own.data)
        with connect(group, own.url, public=operation.public and not own.as_owner) as client:
            answer = _answer(client, operation, arguments)
            show(
                answer,
                as_json=own.as_json or not sys.stdout.isatty(),
                limit=own.limit,
                everything=own.everything,
            )
    except ApiError as error:
        refuse(complaint(error))
    except InvalidRequestError as error:
        refuse(printable(str(error)), status=2)
    except BursarError as error:
        refuse(printable(f"{operation.name}: {error}"))
    except Incomplete:
        raise SystemExit(1) from None


def _answer(client: Any, operation: Operation, arguments: dict[str, Any]) -> Any:
    endpoint = operation.endpoint
    try:
        return client.caller.invoke(endpoint, endpoint.bind((), arguments))
    except ApiError as error:
        if error.status_code == 204:
            return None  # nothing to say is no failure (PC76)
        raise


def _arguments(
    operation: Operation, slots: list[Slot], given: Mapping[str, Any], data: str | None
) -> dict[str, Any]:
    """Return the endpoint's arguments. Raises `typer.BadParameter`."""
    arguments: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for slot in slots:
        if given[slot.name] not in (None, []):
            place = fields if slot.role == "member" else arguments
            place[slot.target] = slot.value(given[slot.name])
    body = body_of(operation.endpoint)
    if body is not None:
        value = _body(body, data, fields)
        if value is not None:
            arguments[body.name] = value
        elif body.required:
            raise typer.BadParameter(f"{operation.command} needs a body", param_hint="--data")
    return arguments


def _body(body: Param, data: str | None, fields: dict[str, Any]) -> Any:
    """Return the body: what --data says, and over it the members that are given one by one."""
    if body.stream is not None:
        return None if data is None else _pieces(data)
    if data is None:
        return fields or None
    try:
        value = loads(_text(data))
    except UnreadableAnswer as error:
        raise typer.BadParameter(str(error), param_hint="--data") from None
    if not fields:
        return value
    known = members(value)
    if known is None:
        raise typer.BadParameter("it must be an object to take further members", param_hint="--data")
    return {**known, **fields}


def _text(data: str) -> bytes:
    if data == "-":
        return sys.stdin.buffer.read()
    if not data.startswith("@"):
        return data.encode()
    try:
        return Path(data[1:]).read_bytes()
    except OSError as error:
        raise _unreadable(data, error) from None


def _pieces(data: str) -> bytes | Iterator[bytes]:
    """Return a body that is sent while it is read; from a file or standard input it need not fit into memory."""
    if data != "-" and not data.startswith("@"):
        return data.encode()
    try:
        return _read(sys.stdin.fileno() if data == "-" else os.open(data[1:], os.O_RDONLY))
    except OSError as error:
        raise _unreadable(data, error) from None


def _read(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _unreadable(data: str, error: OSError) -> typer.BadParameter:
    return typer.BadParameter(f"{data[1:]}: {error.strerror}", param_hint="--data")
