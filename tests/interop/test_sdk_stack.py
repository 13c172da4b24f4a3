"""`bursar.formance.sdk` against `bursar serve --sandbox`: the calls of `test_vendor_stack.py`, the import changed.

Results are read by the vendor's attribute names. Where the vendor's SDK fails at an answer and Bursar's does not, the
list below says what Bursar's gives.
"""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Mapping
from typing import Any

import pytest

from bursar.formance.sdk import SDK
from bursar.formance.sdk.models import errors, shared
from tests.interop.test_vendor_stack import CREDENTIALS, STEPS, Step, faults, hub

__all__ = ["hub"]
ENVELOPE = {"content_type", "headers", "status_code", "raw_response"}
WORKS_HERE: Mapping[str, Mapping[str, Any]] = {
    "run_query, expanded": {"cursor.data": []},
    "v1 logs after a revert": {"cursor.data.0.type": "REVERTED_TRANSACTION"},
    "v1 count": {"": ["3"]},
}
"""What the vendor's SDK cannot do, and parts of what Bursar's gives."""


def wanted(label: str, step: Step) -> Step:
    if label in WORKS_HERE:
        return Step(step.operation, step.arguments, WORKS_HERE[label])
    return step


def member(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return value[int(name)]
    if isinstance(value, Mapping):
        return value[name]
    return getattr(value, re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower())


def part(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = member(value, name)
    return value


def filled(value: Any, results: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [filled(item, results) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$of"}:
        label, path = value["$of"]
        return part(results[label], path)
    if set(value) == {"$bytes"}:
        return filled(value["$bytes"], results).encode()
    return {name: filled(item, results) for name, item in value.items()}


def payload(answer: Any) -> Any:
    """What the server sent: a model, the count of a HEAD request, or the text of what has no model."""
    found = [value for name, value in vars(answer).items() if name not in ENVELOPE]
    if found:
        return next((value for value in found if value is not None), None)
    return answer.headers.get("count", answer.raw_response.text)


def failure(error: errors.SDKBaseError) -> dict[str, Any]:
    code = getattr(getattr(error, "data", None), "error_code", None)
    return {"raised": [type(error).__name__, error.status_code, code]}


async def made(sdk: SDK, operation: str, arguments: Any, *, blocking: bool) -> Any:
    target: Any = sdk
    *path, name = operation.removeprefix("sdk.").split(".")
    for step in path:
        target = getattr(target, step)
    call = getattr(target, name if blocking else f"{name}_async")
    given = {"request": arguments} if arguments else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return payload(call(**given) if blocking else await call(**given))
        except errors.SDKBaseError as error:
            return failure(error)


async def results_of(url: str, *, blocking: bool) -> dict[str, Any]:
    client_id, secret = CREDENTIALS
    security = shared.Security(
        client_id=client_id, client_secret=secret, token_url=f"{url}/api/auth/oauth/token"
    )
    results: dict[str, Any] = {}
    sdk = SDK(server_url=url, security=security)
    for label, step in STEPS.items():
        results[label] = await made(sdk, step.operation, filled(step.arguments, results), blocking=blocking)
    if blocking:
        with sdk:
            pass
    else:
        async with sdk:
            pass
    return results


def shown(step: Step, result: Any) -> Any:
    """A result in the form that `faults` looks through."""
    if isinstance(result, dict) and "raised" in result:
        return result
    told: dict[str, Any] = {}
    for path in step.expected:
        place = told
        *around, last = path.split(".")
        for name in around:
            place = place.setdefault(name, {})
        try:
            place[last] = plain(part(result, path))
        except (AttributeError, LookupError) as error:
            place[last] = f"{type(error).__name__}: {error}"
    return told.get("", told) if "" in step.expected else told


def plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_bursars_sdk_does_what_the_vendors_does(mode: str, hub: str) -> None:
    results = asyncio.run(results_of(f"{hub}/formance", blocking=mode == "sync"))
    wrong: list[str] = []
    for label, step in STEPS.items():
        here = wanted(label, step)
        wrong += [f"{label}: {fault}" for fault in faults(here, shown(here, results[label]))]
    assert not wrong, "\n".join(wrong)
    assert results["export of the copy"] == results["export"]
