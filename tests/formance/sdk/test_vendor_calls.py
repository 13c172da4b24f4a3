"""Calls of every operation, made out of the vendor's types: the same request, and the same of the answer and of errors.

`vendor_calls.py` makes them in the vendor's environment; here they run on Bursar's SDK, the import changed.
"""

import asyncio
import base64
import json
import subprocess
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bursar.formance.sdk import SDK, models
from bursar.formance.sdk.models.errors import SDKBaseError
from bursar.formance.sdk.view import Open
from tests.formance.sdk.stub import AsyncStub, Stub

pytestmark = pytest.mark.vendor
WHEN = datetime(2026, 1, 2, 3, 4, 5, 120000, UTC)
Told = dict[str, Any]

# Where the vendor's SDK and servers disagree, and Bursar speaks with the servers; see the operations' contracts.
OTHER_REQUESTS = {
    "ledger.v1.get_balances": "servers know no `after`",
    "ledger.v1.list_accounts_ledger": "servers know no `after` and no `pagination_token`",
    "ledger.v1.list_logs": "servers know no `after`, and dates as `start_time` and `end_time`",
    "ledger.v1.list_transactions": "servers know no `after`",
    "ledger.v2.run_query": "servers want all in the body, `expand` as a list and `endTime` for `pit`",
    "payments.v3.get_account_balances": "servers read `from` and `to`",
    "payments.v3.update_payment_metadata": "servers want the bare map",
}
# Answers as servers send them, in place of what the SDK's types say.
SENT = {
    "auth.v1.get_oidc_well_knowns": '{"issuer": "http://localhost", "token_endpoint": "http://localhost/token"}',
    "payments.v3.get_payment_service_user_link_attempt_from_connector_id": '{"data": %s}',
}


@pytest.fixture(scope="module")
def vendor(vendor_python: str) -> Told:
    """What the vendor's SDK does with each call."""
    script = Path(__file__).with_name("vendor_calls.py")
    run = subprocess.run([vendor_python, script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    found: Told = json.loads(run.stdout)
    return found


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


class Mirror:
    """An SDK of Bursar's whose requests are kept."""

    def __init__(self) -> None:
        self.stub, self.async_stub = Stub(), AsyncStub()
        self.sdk = SDK(server_url="http://localhost:1/stack", client=self.stub, async_client=self.async_stub)

    def call(self, operation: str, arguments: Any, answer: tuple[int, str, str]) -> Any:
        """Make a call that is answered so."""
        self.stub.answer = answer
        target: Any = self.sdk
        for name in operation.removeprefix("sdk.").split("."):
            target = getattr(target, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return target() if arguments is None else target(request=real(arguments))

    async def acall(self, operation: str, arguments: Any, answer: tuple[int, str, str]) -> Any:
        """Make a call by the operation's asynchronous twin."""
        self.async_stub.answer = answer
        return await self.call(f"{operation}_async", arguments, answer)


@pytest.fixture(scope="module")
def mirror() -> Mirror:
    return Mirror()


def body_of(content: bytes) -> Any:
    """A body in a form in which equal ones compare equal."""
    if not content:
        return None
    try:
        return without_nothing(json.loads(content.replace(b".120000Z", b".12Z")))
    except ValueError:
        return content


def without_nothing(value: Any) -> Any:
    """Leave out members that say nothing: the vendor's SDK sends null for some that are not given."""
    if isinstance(value, dict):
        return {name: without_nothing(item) for name, item in value.items() if item is not None}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def form(method: str, path: str, query: Any, headers: dict[str, str], content: bytes) -> Told:
    names = ("content-type", "idempotency-key", "if-none-match")
    kept = {name: value for name, value in headers.items() if name in names}
    pairs = sorted((name, value.replace(".120000Z", ".12Z")) for name, value in query)
    return {"method": method, "path": path, "query": pairs, "headers": kept, "body": body_of(content)}


def ours(stub: Stub) -> Told:
    parts = urlsplit(stub.url)
    headers = {name.lower(): value for name, value in stub.headers.items()}
    return form(stub.method, parts.path, parse_qsl(parts.query), headers, stub.content)


def theirs(request: Told) -> Told:
    content = base64.b64decode(request["body"])
    return form(
        request["method"], request["path"], [tuple(p) for p in request["query"]], request["headers"], content
    )


def test_asynchronous_twins(vendor: Told, mirror: Mirror) -> None:
    """They send and answer the same."""

    async def all_calls() -> list[str]:
        wrong = []
        for call in (call for call in vendor["calls"] if call["failures"]):
            answer = await mirror.acall(call["operation"], call["arguments"], good(call))
            other = mirror.call(call["operation"], call["arguments"], good(call))
            if repr(answer) != repr(other) or ours(mirror.stub) != ours(mirror.async_stub):
                wrong.append(call["operation"])
        return wrong

    assert asyncio.run(all_calls()) == []


def differences(told: Any, value: Any, place: str = "") -> list[str]:
    """Return where an answer of ours is not what the vendor's SDK tells of its own."""
    if isinstance(told, dict) and "$members" in told:
        found = []
        for name, member in told["$members"].items():
            if not place and name in ("content_type", "headers"):
                continue  # the stubs' own
            if member is None and getattr(value, name, None) is None:
                continue
            if not hasattr(value, name):
                found.append(f"{place}.{name} is missing in {type(value).__name__}")
            else:
                found += differences(member, getattr(value, name), f"{place}.{name}")
        return found
    if isinstance(told, dict) and "$time" in told:
        same = isinstance(value, datetime) and value == datetime.fromisoformat(told["$time"])
        return [] if same else [f"{place}: {value!r}, not {told}"]
    if isinstance(told, dict) and isinstance(value, dict) and told.keys() == value.keys():
        return [each for name in told for each in differences(told[name], value[name], f"{place}[{name}]")]
    if isinstance(told, list) and isinstance(value, list) and len(told) == len(value):
        return [each for i, one in enumerate(told) for each in differences(one, value[i], f"{place}[{i}]")]
    return [] if told == value else [f"{place}: {value!r}, not {told!r}"]


def good(call: Told) -> tuple[int, str, str]:
    """The answer of a call that succeeds."""
    sent = SENT.get(call["operation"])
    if sent is None:
        return call["status"], call["media"], call["answer"]
    return call["status"], "application/json", sent % call["answer"] if "%s" in sent else sent


def test_requests(vendor: Told, mirror: Mirror) -> None:
    """Method, path, query, headers that matter and body, of mappings and of models; the exceptions differ indeed."""
    wrong, other = [], set()
    for call in vendor["calls"]:
        mirror.call(call["operation"], call["arguments"], good(call))
        mine, yours = ours(mirror.stub), theirs(call["request"])
        if call["operation"] in OTHER_REQUESTS:
            other |= {call["operation"]} if mine != yours else set()
        elif mine != yours:
            wrong.append(f"{call['operation']} {call['style']}:\n  ours   {mine}\n  theirs {yours}")
    assert not wrong, f"{len(wrong)} of {len(vendor['calls'])}\n" + "\n".join(wrong)
    assert other == set(OTHER_REQUESTS)
    assert len({call["operation"] for call in vendor["calls"]}) == 276


def test_answers(vendor: Told, mirror: Mirror) -> None:
    wrong = []
    for call in vendor["calls"]:
        got = mirror.call(call["operation"], call["arguments"], good(call))
        wrong += [f"{call['operation']}: {each}" for each in differences(call["result"]["returned"], got)]
    assert not wrong, f"{len(set(wrong))}\n" + "\n".join(sorted(set(wrong)))


REFUSED = json.dumps({"errorCode": "VALIDATION", "errorMessage": "no", "details": "because"})
FAILURES = {
    "400": (400, "application/json", REFUSED),
    "404": (404, "application/json", REFUSED),
    "503": (503, "text/plain", "down"),
}
# The vendor's SDK gives a bulk that was refused as a whole like a success.
OTHER_FAILURES = {("ledger.v2.create_bulk", "400")}


def outcome(mirror: Mirror, call: Told, answer: tuple[int, str, str]) -> Told:
    """What a call comes to, in the form in which the vendor's environment tells it."""
    try:
        return {"returned": mirror.call(call["operation"], call["arguments"], answer)}
    except SDKBaseError as error:
        return {
            "raised": type(error).__name__,
            "status": error.status_code,
            "data": getattr(error, "data", None),
        }


def unlike(told: Told, got: Told) -> list[str]:
    """Where an outcome is not the vendor's."""
    if "returned" in told and "returned" in got:
        return differences(told["returned"], got["returned"])
    if "raised" not in got or [told.get("raised"), told.get("status")] != [got["raised"], got["status"]]:
        return [f"{got}, not {told}"]
    return differences(told["data"], got["data"])


def test_failures(vendor: Told, mirror: Mirror) -> None:
    """The class of the error, its status and data, or the answer that stands for it."""
    wrong = []
    for call in vendor["calls"]:
        for status, told in call["failures"].items():
            found = unlike(told, outcome(mirror, call, FAILURES[status]))
            if ((call["operation"], status) in OTHER_FAILURES) != bool(found):
                wrong.append(f"{call['operation']} {status}: {found}")
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong)


def parts(told: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Go through the objects in an answer, each with its class at the vendor's."""
    if isinstance(told, dict) and "$members" in told:
        yield told["$class"], value
        for name, member in told["$members"].items():
            if member is not None and name != "headers":
                yield from parts(member, getattr(value, name))
    elif isinstance(told, dict) and "$time" not in told:
        for name, member in told.items():
            yield from parts(member, value[name])
    elif isinstance(told, list):
        for one, other in zip(told, value, strict=True):
            yield from parts(one, other)


def is_a(value: Any, path: str) -> bool:
    """Tell whether a value is an instance of the vendor's class; open objects are of all."""
    module, _, name = path.partition(".")
    return isinstance(value, (Open, getattr(getattr(models, module), name)))


def test_classes(vendor: Told, mirror: Mirror) -> None:
    """Parts of answers are instances of the vendor's classes, but for tasks, which the server has of one kind only."""
    found: set[str] = set()
    for call in vendor["calls"]:
        if call["style"] == "names":
            answer = mirror.call(call["operation"], call["arguments"], good(call))
            each = parts(call["result"]["returned"], answer)
            found |= {path for path, value in each if not is_a(value, path)}
    tasks = {name for name in found if name.startswith("payments.Task")}
    assert found - tasks == {"ledger.V2SchemasCursor"}


def test_enums(vendor: Told) -> None:
    """Every enum of the vendor's, with its members and their values."""
    wrong = []
    for path, members in vendor["enums"].items():
        module, _, name = path.partition(".")
        kind: Any = getattr(getattr(models, module), name)
        wrong += [
            f"{path}.{member}" for member, value in members.items() if getattr(kind, member, None) != value
        ]
    assert not wrong
    assert len(vendor["enums"]) == 77


def test_names(vendor: Told) -> None:
    """Every name in the vendor's modules of models can be imported, and no other."""
    wrong = [
        f"{module}.{name}"
        for module, found in vendor["names"].items()
        for name in found
        if not hasattr(getattr(models, module), name)
    ]
    assert not wrong
    assert not any(hasattr(getattr(models, module), "NoSuchModel") for module in vendor["names"])
