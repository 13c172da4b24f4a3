"""One Formance client under measurement; like `contestant.py`, and it imports only what its client needs.

Usage: formance_contestant.py <name> <base url> [once]; without "once" then a line `<operation> <count>` each round.
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

    ledger = Formance(FormanceOptions(base_url=base)).ledger.v2
    return {
        "get": lambda: ledger.get_transaction("bench", 1).id,
        "page": lambda: len(ledger.list_transactions("bench", {}, page_size=100).items),
    }


def vendor(base: str) -> Calls:
    """The vendor's SDK."""
    from formance_sdk_python import SDK  # pyright: ignore[reportMissingImports] - in the vendor's environment only

    ledger: Any = SDK(server_url=base).ledger.v2
    return {
        "get": lambda: ledger.get_transaction(request={"ledger": "bench", "id": 1}),
        "page": lambda: ledger.list_transactions(
            request={"ledger": "bench", "page_size": 100, "request_body": {}}
        ),
    }


CONTESTANTS = {"bursar": bursar, "vendor": vendor}


def main(name: str, base: str, once: str = "") -> None:
    """Serve rounds until standard input ends."""
    calls = CONTESTANTS[name](base)
    if once:
        calls["get"]()
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
