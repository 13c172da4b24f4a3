"""Runs in the vendor's environment: make calls with the vendor's SDK against a server, print what each gave.

Arguments: URL of the stack, client id, secret, "sync" or "async". Standard input: a JSON list of [label, operation,
arguments]; within arguments `{"$of": [label, "path.to.it"]}` is a part of an earlier result and `{"$bytes": ...}` are
bytes. Standard output: a JSON value a line; first the SDK's operations, then [label, result] with
the answer's body as the SDK read it, or {"raised": [class, status, error code]}.
"""

import asyncio
import importlib
import inspect
import json
import sys
from collections.abc import Mapping
from typing import Any

# Not in the project's own environment, so by name.
SDK: Any = importlib.import_module("formance_sdk_python").SDK
errors: Any = importlib.import_module("formance_sdk_python.models.errors")
shared: Any = importlib.import_module("formance_sdk_python.models.shared")
GROUPS = ("ledger.v1", "ledger.v2", "auth.v1")
ENVELOPE = {"content_type", "headers", "status_code", "raw_response"}


def tell(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=str) + "\n")


def target(sdk: Any, operation: str) -> Any:
    for name in operation.removeprefix("sdk.").split("."):
        sdk = getattr(sdk, name)
    return sdk


def operations(sdk: Any) -> list[str]:
    found = ["sdk.get_versions"]
    for group in GROUPS:
        for name, method in inspect.getmembers(target(sdk, group), inspect.ismethod):
            if not name.startswith(("_", "do_request")) and not name.endswith("_async") and method:
                found.append(f"{group}.{name}")
    return found


def part(value: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        value = value[int(name)] if isinstance(value, list) else value[name]
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


def body(response: Any) -> Any:
    """What the SDK made of an answer: its model, the count of a HEAD request, or the text of what has no model."""
    models = [getattr(response, name) for name in type(response).model_fields if name not in ENVELOPE]
    if models:
        model = models[0]
        return model.model_dump(mode="json", by_alias=True) if hasattr(model, "model_dump") else model
    counts: Any = getattr(response, "headers", {})
    return counts.get("count", response.raw_response.text)


def failure(error: Exception) -> dict[str, Any]:
    code = getattr(getattr(error, "data", None), "error_code", None)
    response = getattr(error, "raw_response", None)
    return {"raised": [type(error).__name__, getattr(response, "status_code", None), code]}


async def made(sdk: Any, operation: str, arguments: Any, *, blocking: bool) -> Any:
    call = target(sdk, operation if blocking else f"{operation}_async")
    given = {"request": arguments} if arguments else {}
    try:
        response = call(**given) if blocking else await call(**given)
    except Exception as error:  # noqa: BLE001 - the classes of the SDK's errors have no base in common
        return failure(error)
    return body(response)


async def main(url: str, client_id: str, secret: str, mode: str) -> None:
    # The SDK would look for tokens at the root of the host, without the path of the stack.
    tokens = f"{url}/api/auth/oauth/token"
    security = shared.Security(client_id=client_id, client_secret=secret, token_url=tokens)
    sdk = SDK(server_url=url, security=security)
    tell(operations(sdk))
    results: dict[str, Any] = {}
    for label, operation, arguments in json.load(sys.stdin):
        try:
            given = filled(arguments, results)
        except (LookupError, TypeError):
            results[label] = {"raised": ["what it needs of an earlier result is missing"]}
        else:
            results[label] = await made(sdk, operation, given, blocking=mode == "sync")
        tell([label, results[label]])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
