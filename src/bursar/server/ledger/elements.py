"""Elements of a bulk, and its answer (section 8.12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from bursar.engine.ledger import wire
from bursar.engine.ledger.bulk import Element, Outcome
from bursar.engine.ledger.errors import (
    InvalidPostings,
    LedgerError,
    LedgerNotFound,
    MachineFault,
    NotFound,
    Validation,
)
from bursar.engine.ledger.requests import CreateTransaction, DeleteMetadata, RevertTransaction, SetMetadata
from bursar.server.ledger import inputs
from bursar.server.ledger.written import transaction_of

CREATE: Final = "CREATE_TRANSACTION"
ADD_METADATA: Final = "ADD_METADATA"
REVERT: Final = "REVERT_TRANSACTION"
DELETE_METADATA: Final = "DELETE_METADATA"


def elements(body: bytes) -> list[Element]:
    """The elements of a bulk that is one JSON array. Raises Validation."""
    try:
        return [_usual(item) for item in inputs.usual_elements(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = wire.first_value(body)
    if value is not None and not isinstance(value, list):
        raise Validation("a bulk is an array of elements")
    return [element(item) for item in wire.items(value or [])]


def _usual(item: inputs.UsualElement) -> Element:
    try:
        return Element(CREATE, item.data.request(), key=item.ik or "")
    except InvalidPostings as error:
        return Element(CREATE, fault=LedgerError(error.message), key=item.ik or "")


def element(value: Any) -> Element:
    """An element of its decoded JSON. Raises Validation for one that fails the whole request."""
    members = wire.Members(value, "element")
    action, key = members.text("action"), members.text("ik")
    if not members.given("data"):
        raise Validation(f"the element {action!r} has no data")
    data = members.members("data")
    match action:
        case "CREATE_TRANSACTION":
            return _create(data, key)
        case "ADD_METADATA":
            metadata = data.metadata("metadata")
            target = _target(data)
            if isinstance(target, LedgerError):
                return Element(action, fault=target, key=key)
            return Element(action, SetMetadata(target, metadata), key=key)
        case "REVERT_TRANSACTION":
            request = RevertTransaction(
                id=_id(data.natural("id")),
                force=data.flag("force"),
                at_effective_date=data.flag("atEffectiveDate"),
                metadata=data.metadata("metadata"),
            )
            return Element(action, request, key=key)
        case "DELETE_METADATA":
            name = data.text("key")
            target = _target(data)
            if isinstance(target, LedgerError):
                return Element(action, fault=target, key=key)
            return Element(action, DeleteMetadata(target, name), key=key)
        case _:
            raise Validation(f"unknown action {action!r}")


def script(plain: str, key: str) -> Element:
    """An element that runs a script."""
    return Element(CREATE, CreateTransaction(plain=plain), key=key)


def _create(data: wire.Members, key: str) -> Element:
    """Postings win over a script; without either an empty script is run."""
    request, values = inputs.transaction(data)
    try:
        postings = inputs.checked_postings(values)
    except InvalidPostings as error:
        return Element(CREATE, fault=LedgerError(error.message), key=key)
    if postings:
        request = replace(request, plain="", template="", vars={})
    return Element(CREATE, replace(request, postings=postings), key=key)


def _target(data: wire.Members) -> str | int | LedgerError:
    kind, target = data.text("targetType"), data.raw("targetId")
    if not data.given("targetId"):
        return LedgerError("the target id is missing")
    if kind == "ACCOUNT":
        if target is None or isinstance(target, str):
            return target or ""
    elif kind == "TRANSACTION":
        if target is None:
            return 0
        if isinstance(target, int) and not isinstance(target, bool) and 0 <= target < 2**64:
            return _id(target)
    else:
        return LedgerError(f"unknown target type {kind!r}")
    return LedgerError("the target id does not fit the target type")


def _id(value: int | None) -> int:
    return value if value is not None and 0 <= value < 2**63 else 0 if value is None else -1


def shown(outcome: Outcome) -> dict[str, Any]:
    """The result of an element."""
    error, written = outcome.error, outcome.written
    if error is not None:
        return {
            "responseType": "ERROR",
            "logID": 0,
            "errorCode": _code(error),
            "errorDescription": error.message,
        }
    assert written is not None
    out: dict[str, Any] = {"responseType": outcome.action, "logID": written.id}
    if outcome.action in (CREATE, REVERT):
        out["data"] = Raw(transaction_of(written))
    return out


def _code(error: LedgerError) -> str:
    if isinstance(error, (InvalidPostings, MachineFault)):
        return "INTERNAL"
    return (
        "NOT_FOUND" if isinstance(error, NotFound) and not isinstance(error, LedgerNotFound) else error.code
    )


def results(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """All results in order."""
    return [shown(outcome) for outcome in outcomes]
