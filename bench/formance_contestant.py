"""One Formance client under measurement; like `contestant.py`, and it imports only what its client needs.

Usage: formance_contestant.py <name> <base url> [<operation> ...]; operations are called once each; without any, a
line `<operation> <count>` is read for each round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

Calls = dict[str, Callable[[], Any]]


def bursar(base: str) -> Calls:
    """Bursar's synchronous client."""
    from bursar.formance import Formance, FormanceOptions

    client = Formance(FormanceOptions(base_url=base))
    ledger = client.ledger.v2
    return {
        "get": lambda: ledger.get_transaction("bench", 1).id,
        "page": lambda: len(ledger.list_transactions("bench", {}, page_size=100).items),
        "info": lambda: client.auth.v1.get_server_info_auth().version,
    }


def vendor(base: str) -> Calls:
    """The vendor's SDK."""
    from formance_sdk_python import SDK  # pyright: ignore[reportMissingImports] - in the vendor's environment only

    client: Any = SDK(server_url=base)
    ledger: Any = client.ledger.v2
    return {
        "get": lambda: ledger.get_transaction(request={"ledger": "bench", "id": 1}),
        "page": lambda: ledger.list_transactions(
            request={"ledger": "bench", "page_size": 100, "request_body": {}}
        ),
        "info": lambda: client.auth.v1.get_server_info_auth(),  # noqa: PLW0108 - resolved when it is called
    }


CONTESTANTS = {"bursar": bursar, "vendor": vendor}


def main(name: str, base: str, *first: str) -> None:
    """Call operations once, or serve rounds until standard input ends."""
    calls = CONTESTANTS[name](base)
    for operation in first:
        calls[operation]()
    if first:
        return
    print("ready", flush=True)
    for line in sys.stdin:
        operation, count = line.split()
        call = calls[operation]
        started = time.process_time()
        for _ in range(int(count)):
            call()
        print(time.process_time() - started, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
