"""Runs in the vendor's environment: make calls of every operation out of the SDK's own types, tell what came of them.

Standard output: a JSON list of calls, each with its arguments, the request that the SDK built, the answer it was
given and what it made of that, and what it made of failures. Within arguments `{"$time": ...}` is a time,
`{"$bytes": ...}` are bytes, `{"$model": "module.name", "members": {...}}` is a model; within results
`{"$members": {...}, "$class": "module.name"}` is one.
"""

import base64
import enum
import importlib
import inspect
import json
import sys
import types
import typing
import warnings
from datetime import UTC, datetime
from typing import Any

# Not in the project's own environment, so by name.
httpx: Any = importlib.import_module("httpx")
pydantic: Any = importlib.import_module("pydantic")
package: Any = importlib.import_module("formance_sdk_python")
models: Any = importlib.import_module("formance_sdk_python.models")
vendor_types: Any = importlib.import_module("formance_sdk_python.types")

GROUPS = (
    "", "auth.v1", "ledger.v1", "ledger.v2", "orchestration.v1", "orchestration.v2", "payments.v1", "payments.v3",
    "reconciliation.v1", "search.v1", "wallets.v1", "webhooks.v1",
)  # fmt: skip
DEPTH_MAX = 9
WHEN = datetime(2026, 1, 2, 3, 4, 5, 120000, UTC)
TEXT = "2026-01-02T03:04:05.12Z"
TAGGED = ("action", "response_type", "type", "provider")
ENVELOPE = ("content_type", "status_code", "raw_response", "headers")


class Maker:
    """Makes values of the SDK's types: of a union the member that `choice` says, of an enum too."""

    def __init__(self, style: str, choice: int) -> None:
        self.style = style
        self.choice = choice
        self.widest = 1
        self.tag: str | None = None

    def value(self, kind: Any, name: str, depth: int = 0) -> Any:
        """Return a value of a type; None for what would be nested too deep."""
        origin, parts = typing.get_origin(kind), typing.get_args(kind)
        if origin is None and hasattr(kind, "__value__"):
            return self.value(kind.__value__, name, depth)
        if origin is typing.Annotated or hasattr(origin, "__value__"):  # Nullable[...], OptionalNullable[...]
            return self.value(parts[0], name, depth)
        if origin in (typing.Union, types.UnionType):
            return self.union([part for part in parts if usable(part)], name, depth)
        if origin is list:
            return [self.value(parts[0], name, depth + 1)]
        if origin is dict:
            return {"a_Key": self.value(parts[1], name, depth + 1)}
        if origin is typing.Literal:
            return parts[0]
        if inspect.isclass(kind) and issubclass(kind, enum.Enum):
            return list(kind)[self.choice % len(kind)].value
        if inspect.isclass(kind) and issubclass(kind, pydantic.BaseModel):
            return self.model(kind, depth + 1)
        return self.plain(kind, name)

    def union(self, parts: list[Any], name: str, depth: int) -> Any:
        self.widest = max(self.widest, len(parts))
        if not parts:
            return None
        part = parts[self.choice % len(parts)]
        self.tag = next(
            (m.tag for m in getattr(part, "__metadata__", ()) if isinstance(m, pydantic.Tag)), None
        )
        return self.value(part, name, depth)

    def plain(self, kind: Any, name: str) -> Any:
        if kind is bool:
            return True
        if kind is int:
            return 10**20 if "amount" in name else 3
        if kind is float:
            return 3
        if kind is datetime:
            return {"$time": TEXT} if self.style != "json" else TEXT
        if kind is bytes:
            return {"$bytes": "a line\n"}
        return f"{name}-1"

    def model(self, kind: Any, depth: int) -> Any:
        """Return an object with all its members, by the names that the style wants."""
        members: dict[str, Any] = {}
        tag, self.tag = self.tag, None
        for name, field in kind.model_fields.items():
            if depth > DEPTH_MAX and not field.is_required():
                continue
            if tag is not None and name in TAGGED and field.annotation is str:
                value: Any = tag
            elif isinstance(field.default, (str, enum.Enum)):
                value = field.default.value if isinstance(field.default, enum.Enum) else field.default
            else:
                value = self.value(field.annotation, name, depth)
            if value is not None:
                members[(field.alias or name) if self.style == "json" else name] = value
        if self.style == "models":
            return {"$model": f"{kind.__module__.split('.')[2]}.{kind.__name__}", "members": members}
        return members


def usable(kind: Any) -> bool:
    if kind is type(None) or kind is type(vendor_types.UNSET):
        return False
    return not str(kind).startswith(("typing.IO[", "<class '_io."))


def real(value: Any) -> Any:
    """Return arguments with what their marks mean."""
    if isinstance(value, list):
        return [real(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$time" in value:
        return WHEN
    if "$bytes" in value:
        return value["$bytes"].encode()
    if "$model" in value:
        module, _, name = value["$model"].partition(".")
        return getattr(getattr(models, module), name)(**real(value["members"]))
    return {name: real(item) for name, item in value.items()}


def told(value: Any) -> Any:
    """Return what the SDK made of an answer, as JSON."""
    if isinstance(value, pydantic.BaseModel):
        members = {n: told(getattr(value, n)) for n in type(value).model_fields if n != "raw_response"}
        return {
            "$members": members,
            "$class": f"{type(value).__module__.split('.')[2]}.{type(value).__name__}",
        }
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return {"$time": value.astimezone(UTC).isoformat()}
    if isinstance(value, dict):
        return {name: told(item) for name, item in value.items()}
    return [told(item) for item in value] if isinstance(value, list) else value


class Stub:
    """An HTTP client that keeps the request and gives the answer that it was given."""

    def __init__(self) -> None:
        self.request: Any = None
        self.answer: tuple[int, str, bytes] = (200, "application/json", b"{}")

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        return BUILDER.build_request(*args, **kwargs)

    def send(self, request: Any, **_: Any) -> Any:
        self.request = request
        status, media, content = self.answer
        headers = {"Content-Type": media, "Count": "7"} if media else {"Count": "7"}
        return httpx.Response(status, headers=headers, content=content, request=request)

    def close(self) -> None:
        pass


BUILDER = httpx.Client(trust_env=False)
STUB = Stub()
SDK = package.SDK(server_url="http://localhost:1/stack", client=STUB)


def outcome(method: Any, request: Any, answer: tuple[int, str, bytes]) -> dict[str, Any]:
    """Return what a call comes to when the server answers so."""
    STUB.answer = answer
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return {"returned": told(method(request=request) if request is not None else method())}
    except Exception as error:  # noqa: BLE001 - the classes of the SDK's errors have no base in common
        found = {"raised": type(error).__name__, "text": str(error)[:300]}
        data = getattr(error, "data", None)
        return {**found, "status": getattr(error, "status_code", None), "data": told(data) if data else None}


def sent() -> dict[str, Any]:
    request = STUB.request
    return {
        "method": request.method,
        "path": request.url.raw_path.decode().partition("?")[0],
        "query": request.url.params.multi_items(),
        "headers": dict(request.headers),
        "body": base64.b64encode(request.read()).decode(),
    }


def calls(name: str, method: Any) -> list[dict[str, Any]]:
    """Return calls of one operation: its members by name and as models, each member of its unions once."""
    hints = typing.get_type_hints(method)
    parameter = inspect.signature(method).parameters.get("request")
    answer = hints["return"]
    found: list[dict[str, Any]] = []
    rounds, choice = 1, 0
    while choice < rounds:
        for style in ("names", "models"):
            maker = Maker(style, choice)
            kind = model_of(hints["request"]) if parameter else None
            arguments = None if kind is None else maker.value(kind, "request")
            reply = Maker("json", choice)
            good = good_answer(answer, reply)
            found.append(call(name, style, method, arguments, good, failing=not found))
            rounds = min(24, max(rounds, maker.widest, reply.widest))
        choice += 1
    return found


def model_of(hint: Any) -> Any:
    """Return the model among the ways to write a request."""
    parts = [part for part in typing.get_args(hint) or (hint,) if usable(part)]
    return next(
        part for part in parts if not str(part).endswith("TypedDict'>") and "TypedDict" not in str(part)
    )


def good_answer(kind: Any, maker: Maker) -> tuple[str, bytes]:
    members = [
        name for name in kind.model_fields if name not in ENVELOPE and not name.endswith("error_response")
    ]
    if not members:
        return "", b""
    body = as_sent(maker.value(kind.model_fields[members[0]].annotation, "answer"))
    return "application/json", json.dumps(body).encode()


def as_sent(value: Any) -> Any:
    """Return an answer with what servers send although the SDK does not know it: `id` and `reverted` beside `txid`."""
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    if not isinstance(value, dict):
        return value
    more = {"id": value["txid"], "reverted": False} if "txid" in value else {}
    return {**{name: as_sent(item) for name, item in value.items()}, **more}


def call(
    name: str, style: str, method: Any, arguments: Any, good: tuple[str, bytes], *, failing: bool
) -> dict[str, Any]:
    media, content = good
    request = None if arguments is None else real(arguments)
    told_as: dict[str, Any] = {}
    status = 200
    for status in (200, 201, 202, 204):
        told_as = outcome(method, request, (status, media, content))
        if "returned" in told_as:
            break
    made = sent()
    failures = {
        str(code): outcome(method, request, (code, kind, body.encode()))
        for code, kind, body in (FAILURES if failing else ())
    }
    return {
        "operation": name, "style": style, "arguments": arguments, "request": made, "status": status,
        "media": media, "answer": content.decode(), "result": told_as, "failures": failures,
    }  # fmt: skip


REFUSED = json.dumps({"errorCode": "VALIDATION", "errorMessage": "no", "details": "because"})
FAILURES = (
    (400, "application/json", REFUSED),
    (404, "application/json", REFUSED),
    (503, "text/plain", "down"),
)


def main() -> None:
    done: list[dict[str, Any]] = []
    for group in GROUPS:
        owner: Any = SDK
        for part in group.split(".") if group else ():
            owner = getattr(owner, part)
        for name, method in inspect.getmembers(owner, inspect.ismethod):
            if not name.startswith(("_", "do_request", "dynamic_import")) and not name.endswith("_async"):
                done += calls(f"{group or 'sdk'}.{name}", method)
    enums = {
        f"{module}.{name}": {member.name: member.value for member in kind}
        for module in models._sub_packages
        for name, kind in inspect.getmembers(getattr(models, module))
        if inspect.isclass(kind) and issubclass(kind, enum.Enum)
    }
    names = {module: list(getattr(models, module).__all__) for module in models._sub_packages}
    for module, found in names.items():
        for name in found:
            kind = getattr(getattr(models, module), name)
            if inspect.isclass(kind) and issubclass(kind, enum.Enum):
                enums[f"{module}.{name}"] = {member.name: member.value for member in kind}
    json.dump({"calls": done, "enums": enums, "names": names}, sys.stdout)


if __name__ == "__main__":
    main()
