"""From a contract's reply to the vendor's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bursar.contract import BaseEndpoint, Reply, Response, Slice

from .models.catalogue import model_class
from .models.likeness import Likeness
from .response import RawResponse
from .surface import RETURNED, member, payload, snake, title
from .view import seen


class Answer(Likeness):
    """What a call gives: the answer's parts, and in a member named after the operation what the server sent.

    Attributes:
        status_code: HTTP status.
        content_type: media type of the answer, "" for none.
        headers: values by name in small letters.
        raw_response: the answer as it came.
    """

    status_code: int
    content_type: str
    headers: dict[str, list[str]]
    raw_response: RawResponse


def answered(group: str, endpoint: BaseEndpoint, reply: Reply[Any], content: bytes | None = None) -> Answer:
    """Return the answer to a call; `content` is the body of one that was streamed."""
    response = reply.response
    raw = RawResponse(response.status, response.headers, response.body if content is None else content)
    if not _sends(endpoint):
        return wrapped(group, endpoint.name, raw)
    value: Any = reply.value
    if endpoint.paging is not None:
        value = _page(group, endpoint, value)
    elif endpoint.description.unwrap is not None and payload(group, endpoint.name).endswith("Response"):
        value = _payload(group, endpoint.name)(**{snake(endpoint.description.unwrap): seen(value)})
    return wrapped(group, endpoint.name, raw, value)


_NOTHING = object()


def wrapped(
    group: str, operation: str, raw: RawResponse, value: Any = _NOTHING, name: str | None = None
) -> Answer:
    """Return an answer around a value; `name` is its member's, where it is not the operation's own."""
    kind: Any = model_class("operations", f"{title(group, operation)}Response")
    answer: Answer = kind(
        status_code=raw.status_code,
        content_type=raw.headers.get("content-type", ""),
        headers={field: [text] for field, text in raw.headers.items()},
        raw_response=raw,
    )
    own = member(group, operation)
    other = RETURNED.get(f"{group}.{operation}", (None, ""))[1]
    if other:
        setattr(answer, snake(other), None)
    if value is not _NOTHING:
        setattr(answer, own, None)
        setattr(answer, name or own, seen(value))
    return answer


def _sends(endpoint: BaseEndpoint) -> bool:
    """Tell whether an operation's answers have a body to read."""
    nothing = endpoint.returns in (None, type(None))
    return not (
        nothing or endpoint.streams or endpoint.description.counted_in or endpoint.description.media == "text"
    )


def _payload(group: str, operation: str) -> Any:
    service = group.partition(".")[0]
    return model_class("gateway" if service == "sdk" else service, payload(group, operation))


def _page(group: str, endpoint: BaseEndpoint, page: Slice[Any]) -> Any:
    """Return a page with its items in place of their JSON. One that could not be read stays as JSON gave it."""
    assert endpoint.paging is not None
    items = [seen(item) for item in page.items]
    for odd in page.unreadable:
        items.insert(odd.index, seen(odd.value))
    *around, last = endpoint.paging.items.split(".")
    kind = _of_query(page.body) if endpoint.name == "run_query" else _payload(group, endpoint.name)
    return _around(page.body, around, last, items, kind)


def _of_query(body: Mapping[str, Any]) -> Any:
    """Return the class of what a query template lists."""
    resource = str(body.get("resource", ""))
    listed = "VolumesWithBalance" if resource == "volumes" else resource.capitalize()
    return model_class("ledger", f"V2{listed}CursorResponse")


def _around(body: Mapping[str, Any], path: list[str], last: str, items: list[Any], kind: Any) -> Any:
    """Return the object at the beginning of a path through JSON that ends in the items."""
    around = {snake(name): seen(value) for name, value in body.items() if name not in (*path[:1], last)}
    if path:
        inner = model_class(kind.__module__.rpartition(".")[2], f"{kind.__name__}Cursor")
        return kind(**around, **{snake(path[0]): _around(body[path[0]], path[1:], last, items, inner)})
    return kind(
        **{"next": None, "previous": None, "page_size": None, "has_more": None, **around, last: items}
    )


def failed_payload(name: str, service: str, told: Mapping[str, Any]) -> Any:
    """Return what a service said of a failure, as the answer that the vendor makes of it."""
    members = {snake(member): value for member, value in told.items()}
    return model_class(service, name)(
        **{"error_code": None, "error_message": None, "details": None, **members}
    )


__all__ = ["Answer", "Response", "answered", "failed_payload", "wrapped"]
