"""Runs in the vendor's environment: make calls with the vendor's SDK, print the requests it builds.

Standard input: a JSON list of [operation, arguments]. Standard output: a JSON list of requests.
"""

import base64
import importlib
import json
import sys
from typing import Any

# Not in the project's own environment, so by name.
httpx: Any = importlib.import_module("httpx")
SDK: Any = importlib.import_module("formance_sdk_python").SDK


class Sent(BaseException):
    """Carries a request out of the SDK before it leaves."""


class Recorder:
    """An HTTP client that sends nothing."""

    def send(self, request: Any, **_: Any) -> Any:
        raise Sent(request)

    def build_request(self, *args: Any, **kwargs: Any) -> Any:
        return httpx.Client(trust_env=False).build_request(*args, **kwargs)

    def close(self) -> None:
        pass


def bytes_of(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$bytes"}:
            return value["$bytes"].encode()
        return {name: bytes_of(member) for name, member in value.items()}
    return value


def request_of(sdk: Any, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    target: Any = sdk
    for name in operation.removeprefix("sdk.").split("."):
        target = getattr(target, name)
    try:
        target(request=bytes_of(arguments)) if arguments else target()
    except Sent as sent:
        request: Any = sent.args[0]
        return {
            "method": request.method,
            "path": request.url.raw_path.decode().partition("?")[0],
            "query": request.url.params.multi_items(),
            "headers": dict(request.headers),
            "body": base64.b64encode(request.content).decode(),
        }
    raise AssertionError(f"{operation} sent nothing")


def main() -> None:
    sdk = SDK(server_url="http://vendor.example", client=Recorder())
    json.dump(
        [request_of(sdk, operation, arguments) for operation, arguments in json.load(sys.stdin)], sys.stdout
    )


if __name__ == "__main__":
    main()
