"""What goes over the wire for every operation, and that the vendor's SDK sends the same."""

import base64
import json
import os
import re
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bursar.contract import Request, Response
from bursar.contract.http import StreamedResponse
from bursar.contract.json import dumps
from bursar.contract.openapi import endpoints
from bursar.formance import Formance, FormanceOptions
from tests.formance.case import KEY, TEXT, Case
from tests.formance.cases import CASES
from tests.formance.cases_payments_v1 import GONE_PAYMENTS
from tests.formance.cases_v1 import GONE
from tests.formance.cases_webhooks import SEARCH
from tests.formance.recordings import GROUPS, HOME, vendor_operations


class Sent(BaseException):
    """Carries a request out of the client before it leaves."""


class Recorder:
    """A transport that sends nothing."""

    def send(self, request: Request, timeout: float) -> Response:
        raise Sent(request)

    def open(self, request: Request, timeout: float) -> StreamedResponse:
        raise Sent(request)

    def close(self) -> None:
        pass


def request_of(case: Case) -> Request:
    client = Formance(FormanceOptions("http://localhost/stack"), session=Recorder())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(Sent) as sent:
            case.call(client)
    request: Request = sent.value.args[0]
    return request


def body_of(request: Request) -> bytes | None:
    return request.body if request.pieces is None else b"".join(request.pieces)


def wanted_body(case: Case) -> bytes | None:
    if case.body is None or isinstance(case.body, bytes):
        return case.body
    if case.media.endswith("json-stream"):
        return b"".join(dumps(element) + b"\n" for element in case.body)
    return dumps(case.body)


def decoded(body: bytes | None, media: str) -> Any:
    """A body in a form in which equal ones compare equal."""
    if not body:
        return None
    if media == "application/json":
        return json.loads(body.replace(b".120000Z", b".12Z"))
    return [json.loads(line) for line in body.splitlines()] if media.endswith("json-stream") else body


@pytest.mark.parametrize("case", CASES, ids=str)
def test_request(case: Case) -> None:
    request = request_of(case)
    parts = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers}
    assert request.method == case.method
    assert parts.path == f"/stack{case.path}"
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == case.query
    assert decoded(body_of(request), case.media) == decoded(wanted_body(case), case.media)
    assert headers.pop("content-type", None) == (case.media if case.body is not None else None)
    assert headers.pop("idempotency-key", None) == case.key
    assert set(headers) == {"user-agent"}


def test_every_operation_has_a_case() -> None:
    operations = {f"{group}.{e.name}" for group, resource in GROUPS.items() for e in endpoints(resource)}
    assert operations == {case.operation for case in CASES}


@pytest.mark.parametrize("case", [*GONE, *GONE_PAYMENTS, *SEARCH], ids=str)
def test_deprecated_operations_warn(case: Case) -> None:
    client = Formance(session=Recorder())
    with pytest.warns(DeprecationWarning, match=case.operation.rpartition(".")[2]), pytest.raises(Sent):
        case.call(client)


@pytest.mark.vendor
def test_the_vendor_sends_the_same(vendor_python: str) -> None:
    """Each operation that the vendor's SDK has: same method, path, query, key and body, but for listed differences."""
    cases = [case for case in CASES if case.vendor is not None]
    script = Path(__file__).with_name("vendor_requests.py")
    calls = json.dumps([[case.operation, case.vendor] for case in cases])
    run = subprocess.run([vendor_python, script], input=calls, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    wrong = []
    for case, theirs in zip(cases, json.loads(run.stdout), strict=True):
        same = vendor_form(case, theirs) == our_form(case)
        if same == bool(case.differs):
            wrong.append(f"{case}: {vendor_form(case, theirs)}, ours {our_form(case)} {case.differs}")
    assert not wrong, "\n".join(wrong)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "formance-operations.md"


def table() -> str:
    """Every operation, its request, and how it compares with the vendor's: what the test above has proved."""
    cases: dict[str, list[Case]] = {}
    for case in CASES:
        cases.setdefault(case.operation, []).append(case)
    lines = []
    for operation, calls in sorted(cases.items()):
        reasons = "; ".join(dict.fromkeys(case.differs for case in calls if case.differs))
        if all(case.vendor is None for case in calls):
            found = "the vendor has none"
        elif all(case.differs for case in calls):
            found = f"differs: {reasons}"
        else:
            found = f"same, but {reasons}" if reasons else "same"
        lines.append(f"| `{operation}` | {calls[0].method} | {found} |\n")
    return "".join(lines)


def test_the_page_of_operations_is_the_table() -> None:
    """BURSAR_WRITE=1 writes the page anew."""
    text = PAGE.read_text("utf-8")
    head, rule, _ = text.partition("| --- | --- | --- |\n")
    if os.environ.get("BURSAR_WRITE"):
        PAGE.write_text(head + rule + table(), "utf-8")
    assert PAGE.read_text("utf-8") == head + rule + table(), "docs/formance-operations.md is stale"


def test_the_vendors_operations_are_all_there(record_property: Callable[[str, object], None]) -> None:
    """Prints how many of their requests are the vendor's; the page of operations says how the others differ."""
    names = vendor_operations()
    if not names:
        pytest.skip(f"NO TABLE of the vendor's operations in {HOME} (BURSAR_SHARED)")
    assert len(names) == 276
    found = dict(row.strip("| ").split(" | ")[::2] for row in table().splitlines())
    kinds = [re.split(r"[:;]|, but ", found[f"`{name}`"])[0] for name in names]
    record_property("tally", [("requests of the vendor's 276 operations", kind) for kind in kinds])


# What the vendor's SDK adds to a call that does not say otherwise; to the server it is the same as leaving it out.
VENDOR_DEFAULTS = {"includeDeleted": "false", "useInsertionDate": "false"}


def vendor_form(case: Case, request: dict[str, Any]) -> dict[str, Any]:
    query = {name: value.replace(".120000Z", ".12Z") for name, value in request["query"]}
    return {
        "method": request["method"],
        "path": request["path"],
        "query": {n: v for n, v in query.items() if n in case.query or VENDOR_DEFAULTS.get(n) != v},
        "key": request["headers"].get("idempotency-key"),
        "body": decoded(base64.b64decode(request["body"]), case.media),
        "media": request["headers"].get("content-type"),
    }


def our_form(case: Case) -> dict[str, Any]:
    return {
        "method": case.method,
        "path": case.path,
        "query": dict(case.query),
        "key": case.key,
        "body": decoded(wanted_body(case), case.media),
        "media": case.media if case.body is not None else None,
    }


def test_times_and_keys_are_those_of_the_cases() -> None:
    """The table would prove little with a time whose text has one form only, or a key that is no text of its own."""
    assert TEXT.endswith(".12Z")
    assert len(KEY) == 36
