"""Every operation's answer, made from its type: whole, minimal, and as a later server may send it; nothing is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from bursar.contract import BaseEndpoint, Headers, Response
from bursar.contract.endpoint import Streaming
from bursar.contract.json import dumps, loads
from bursar.contract.page import Slice
from bursar.formance.errors import FAMILY, ErrorCode, FormanceApiError
from tests.formance.examples import Maker
from tests.formance.recordings import GROUPS, operations

OPERATIONS = sorted(
    ((f"{group}.{endpoint.name}", endpoint) for group, endpoint, _ in operations()), key=lambda o: o[0]
)
MAKERS: dict[str, Callable[[int], Maker]] = {
    "full": lambda choice: Maker(full=True, choice=choice),
    "minimal": lambda choice: Maker(full=False, choice=choice),
    "newer": lambda choice: Maker(full=True, newer=True, choice=choice),
}


def body_of(endpoint: BaseEndpoint, maker: Maker) -> Any:
    """An answer's JSON; None for one without a body."""
    if endpoint.paging is not None:
        item = maker.value(endpoint.returns)
        return {"cursor": {"pageSize": 15, "hasMore": False, "data": [item]}}
    if endpoint.returns in (None, type(None)):
        return None
    value = maker.value(endpoint.returns)
    return value if endpoint.description.unwrap is None else {endpoint.description.unwrap: value}


def read(endpoint: BaseEndpoint, body: Any) -> Any:
    """The answer as the client reads it, as JSON again."""
    if isinstance(endpoint, Streaming):
        return loads(dumps(endpoint.read_line(dumps(body))))
    response = Response(
        endpoint.description.status, Headers([("content-type", "application/json")]), dumps(body)
    )
    value = endpoint.read(response, {param.name: None for param in endpoint.params})
    if isinstance(value, Slice):
        assert not value.unreadable, value.unreadable
        return {"cursor": {**body["cursor"], "data": [loads(dumps(item)) for item in value.items]}}
    if endpoint.description.unwrap is not None:
        value = {endpoint.description.unwrap: value}
    return loads(dumps(value))


def holds(value: Any, part: Any) -> bool:
    """Whether a value has all that a part has: models may write members that were left out, with their defaults."""
    if isinstance(part, dict) and isinstance(value, dict):
        return all(name in value and holds(value[name], member) for name, member in part.items())
    if isinstance(part, list) and isinstance(value, list):
        return len(value) == len(part) and all(map(holds, value, part))
    return bool(value == part)


def test_all_operations_are_here() -> None:
    assert len(OPERATIONS) >= 276
    assert {name.rpartition(".")[0] for name, _ in OPERATIONS} == set(GROUPS)


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_of_an_answer_is_lost(name: str) -> None:
    """Each type of each union has its turn."""
    wrong: list[str] = []
    for operation, endpoint in OPERATIONS:
        if endpoint.description.counted_in is not None or endpoint.description.media == "text":
            continue
        choice, choices = 0, 1
        while choice < choices:
            maker = MAKERS[name](choice)
            body = body_of(endpoint, maker)
            again = None if body is None else read(endpoint, body)
            if again != body and not (name == "minimal" and holds(again, body)):
                wrong.append(f"{operation}: {body} became {again}")
            choice, choices = choice + 1, maker.choices
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(line[:700] for line in wrong[:10])


@pytest.mark.parametrize("code", [*ErrorCode, "OF_A_LATER_VERSION"])
@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 599])
def test_an_error_of_any_code_is_typed_and_says_what_the_answer_says(code: str, status: int) -> None:
    body = dumps({"errorCode": str(code), "errorMessage": "words", "details": "more"}).decode()
    error = FAMILY.of_answer(status, body).build(status, "words", body)
    assert isinstance(error, FormanceApiError)
    assert error.error_code is not None
    assert (error.error_code.value, error.message, error.status_code) == (str(code), "words", status)
    assert error.error_code.is_known == (code != "OF_A_LATER_VERSION")
