"""A program that warms a client, forks two children and lets all three call at once; run by test_fork.py.

Arguments as JSON: url, cafile, threads, calls, face ("sync" or "async"), timeout, and naive: keep using the
inherited connections, as other clients do. Prints how many answers were foreign or failed; exits with 0 when
every child ended well.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any

from bursar.client.transport import async_pool, pool
from bursar.contract import Request

Call = Callable[[str], str]


def blocking_call(url: str, context: ssl.SSLContext | None, timeout: float) -> Call:
    transport = pool.PoolTransport(context)
    return lambda path: transport.send(Request("GET", f"{url}/{path}"), timeout).text


def awaited_call(url: str, context: ssl.SSLContext | None, timeout: float) -> Call:
    """One loop that lives on in the children."""
    transport = async_pool.AsyncPoolTransport(context)
    loop = asyncio.new_event_loop()

    def call(path: str) -> str:
        return loop.run_until_complete(transport.send(Request("GET", f"{url}/{path}"), timeout)).text

    return call


def many(call: Call, who: str, threads: int, calls: int) -> int:
    """Return how many answers were not the caller's own."""
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(calls):
            path = f"{who}-{number}-{turn}"
            try:
                if call(path) != path:
                    wrong.append(path)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong counts
                wrong.append(f"{path}: {error!r}")

    crew = [threading.Thread(target=work, args=(number,)) for number in range(1, threads)]
    for thread in crew:
        thread.start()
    work(0)
    for thread in crew:
        thread.join()
    sys.stdout.write(f"{who} {len(wrong)} {wrong[:3]}\n")
    sys.stdout.flush()
    return len(wrong)


def main(settings: dict[str, Any]) -> int:
    context = ssl.create_default_context(cafile=settings["cafile"]) if settings["cafile"] else None
    if settings["naive"]:
        pool.os = async_pool.os = type("Os", (), {"getpid": staticmethod(lambda: 1)})
    make = awaited_call if settings["face"] == "async" else blocking_call
    call = make(settings["url"], context, settings["timeout"])
    assert call("warm") == "warm"
    ready, go = os.pipe()
    children: list[int] = []
    for name in ("one", "two"):
        child = os.fork()
        if not child:
            os.close(go)
            os.read(ready, 1)  # returns when the parent closes its end
            os._exit(min(1, many(call, name, settings["threads"], settings["calls"])))
        children.append(child)
    os.close(go)
    wrong = many(call, "parent", 1, 0 if settings["naive"] else settings["calls"])
    states = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return int(bool(wrong or any(states)))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
