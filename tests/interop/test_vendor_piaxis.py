"""The vendor's piaxis-sdk beside Bursar's client: same program, same wire, same results.

The vendor's package lives in an environment of its own; `vendor_python` is its interpreter.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import bursar.piaxis
from tests.client.server import Action, Recorded, reply
from tests.piaxis.api import Api, usual

pytestmark = pytest.mark.vendor
FLOW = Path(__file__).with_name("piaxis_flow.py")
ROOT = Path(__file__).resolve().parents[2]
SAME = ("Accept", "Content-Type", "x-piaxis-sdk-client", "x-request-id", "x-test-request")
CREDENTIALS = ("api-key", "Authorization", "X-piaxis-Client-ID")
OPEN = ("/authorize", "/token")
REFUSALS: list[tuple[int, Any]] = [
    (404, {"detail": "no such payment"}),
    (409, {"detail": {"code": "INVALID_STATE", "message": "it is over", "more": [1]}}),
    (400, {"code": 7, "message": "bare"}),
    (403, {"detail": {"code": "PIN_REQUIRED", "message": "PIN", "scope": "s", "nonce": "n"}}),
    (400, b"plain words"),
    (401, {"detail": {"code": "INVALID_KEY", "message": "who?"}}),
]


def answer(request: Recorded) -> Action:
    if found := re.search(r"refused-(\d)$", request.path):
        status, body = REFUSALS[int(found[1])]
        return reply(body, status, x_request_id=f"r-{found[1]}")
    return usual(request)


def program(python: str, arguments: list[str]) -> str:
    done = subprocess.run(
        [python, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def trace(request: Recorded, port: int) -> dict[str, Any]:
    """What of a request the server can see, numbers as they are written; addresses without the port."""
    form = request.header("Content-Type") == "application/x-www-form-urlencoded"
    body = json.loads(request.body, parse_float=str, parse_int=str) if request.body and not form else None
    credentials = {name: request.header(name) for name in CREDENTIALS}
    return {
        "method": request.method,
        "path": urlsplit(request.target).path.replace(str(port), "port"),
        "query": sorted(request.query),
        "headers": {name: request.header(name) for name in SAME},
        # The one difference: Bursar sends no credentials where none are asked for (PC20).
        "credentials": None if request.path.endswith(OPEN) else credentials,
        "body": sorted(request.form) if form else body,
    }


def run(python: str, arguments: list[str]) -> tuple[str, list[dict[str, Any]]]:
    """Run a program against an API; its last argument is the API's address."""
    api = Api(answer)
    try:
        printed = program(python, [*arguments, api.url])
        traces = [trace(request, api.server.port) for request in api.calls]
        return printed.replace(str(api.server.port), "port"), traces
    finally:
        api.close()


def test_both_clients_send_the_same_and_give_the_same(vendor_python: str) -> None:
    theirs, their_wire = run(vendor_python, [str(FLOW), "piaxis_sdk"])
    ours, our_wire = run(sys.executable, [str(FLOW), "bursar.piaxis"])
    for mine, other in zip(ours.splitlines(), theirs.splitlines(), strict=True):
        assert json.loads(mine)[0] == json.loads(other)[0]
        if json.loads(mine)[0] != "url":  # percent-encoded blanks here, a plus sign there
            assert json.loads(mine) == json.loads(other)
    for mine, other in zip(our_wire, their_wire, strict=True):
        assert mine == other
    assert len(our_wire) > 40


def test_all_of_the_vendors_names_and_methods_are_there(vendor_python: str) -> None:
    ask = """
import inspect, json, piaxis_sdk as m
client = m.PiaxisClient()
groups = ["", "auth", "otp", "payments", "escrows", "disbursements", "escrow_disbursements"]
found = {}
for group in groups:
    holder = getattr(client, group) if group else client
    for name, method in inspect.getmembers(holder, callable):
        if not name.startswith("_"):
            found[f"{group}.{name}"] = [(p.name, p.kind.value) for p in inspect.signature(method).parameters.values()]
for name in m.__all__:
    found[name] = [(p.name, p.kind.value) for p in inspect.signature(getattr(m, name)).parameters.values()]
print(json.dumps(found))
"""
    client = bursar.piaxis.PiaxisClient()
    for name, parameters in json.loads(program(vendor_python, ["-c", ask])).items():
        group, dot, method = name.rpartition(".")
        holder: Any = bursar.piaxis if not dot else getattr(client, group) if group else client
        _accepts(getattr(holder, method), parameters, name)


def _accepts(ours: Any, parameters: list[tuple[str, int]], name: str) -> None:
    """Ours takes the vendor's positional parameters in their order, and the vendor's keywords."""
    import inspect

    known = inspect.signature(ours).parameters
    flexible = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for parameter, kind in parameters:
        if not flexible:
            assert parameter in known, f"{name}({parameter})"
            assert known[parameter].kind.value <= kind, f"{name}({parameter})"


def test_constructors_take_the_vendors_settings(vendor_python: str) -> None:
    ask = "import inspect, json, piaxis_sdk as m; print(json.dumps(list(inspect.signature(m.PiaxisClient).parameters)))"
    settings = json.loads(program(vendor_python, ["-c", ask]))
    assert settings == list(bursar.piaxis.PiaxisOptions.__dataclass_fields__)[: len(settings)]


PREAMBLE = """
import os, sys, types
base_url = sys.argv[1]
os.environ.update(
    PIAXIS_API_KEY="key-1", PIAXIS_API_BASE_URL=base_url, PIAXIS_MERCHANT_ID="m-1", PIAXIS_AUTH_CODE="c-1",
    PIAXIS_REDIRECT_URI="https://shop.example/cb", PIAXIS_OAUTH_CLIENT_ID="cid", PIAXIS_OAUTH_CLIENT_SECRET="s-1",
    PIAXIS_RECEIVER_ID="m-1", PIAXIS_WEBHOOK_SECRET="hook-1",
)
raw_body = {body!r}
request = types.SimpleNamespace(headers={headers!r})
"""


def readme(vendor_python: str) -> str:
    """All the Python of the vendor's README, in its order, word for word; the addresses are this machine's."""
    read = "import importlib.metadata as m; print(m.metadata('piaxis-sdk').get_payload())"
    blocks = re.findall(r"```python\n(.*?)```", program(vendor_python, ["-c", read]), re.DOTALL)
    assert len(blocks) == 9
    code = "\n".join(blocks).replace('"https://sandbox.api.gopiaxis.com/api"', "base_url")
    assert code.count('PiaxisClient(api_key="invalid")') == 1
    code = code.replace('api_key="invalid"', 'api_key="invalid", base_url=base_url')
    moment, body = str(int(time.time())), b'{"event": "payment.succeeded"}'
    signature = hmac.new(b"hook-1", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-piaxis-Signature-V2": signature, "X-piaxis-Signature-Timestamp": moment}
    return PREAMBLE.format(body=body, headers=headers) + code + "\nassert is_valid"


def test_the_vendors_readme_runs_with_only_the_import_changed(vendor_python: str) -> None:
    code = readme(vendor_python)
    theirs = run(vendor_python, ["-c", code])[1]
    ours = run(sys.executable, ["-c", code.replace("from piaxis_sdk import", "from bursar.piaxis import")])[1]
    for mine, other in zip(ours, theirs, strict=True):
        for wire in (mine, other):
            if wire["path"].endswith("/token"):
                wire["body"] = [pair for pair in wire["body"] if pair[0] != "code_verifier"]
        assert mine == other
    assert [wire["path"].removeprefix("/piaxis/api") for wire in ours] == [
        "/request-otp",
        "/payments/create",
        "/payments/c9d1e7f0-5a3b-4d2c-8e6f-7b1a9c0d2e44",
        "/token",
        "/payments/create",
        "/token",
        "/escrows/",
        "/escrows/0b8a5c1e-27a9-4f55-9a1c-0d4e6f0c1a11/status",
        "/escrows/0b8a5c1e-27a9-4f55-9a1c-0d4e6f0c1a11/release",
        "/disbursements",
        "/escrow-disbursements",
        "/merchant-payments",
        "/payments/payment-id",
    ]
