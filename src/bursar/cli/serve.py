"""`bursar serve`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bursar.cli.output import print_json, refusals, refuse
from bursar.cli.workers import Workers
from bursar.engine.store.opening import POSTGRES, shown
from bursar.server.edge import access_log
from bursar.server.events import EventsTo
from bursar.server.ledger.flags import UnknownFlag, parse
from bursar.server.listener import HttpServer, address, listen
from bursar.server.runtime import Runtime, Settings

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `bursar serve`, as in its help."""

    host: str
    port: int
    database: str
    sandbox: bool
    workers: int
    ledger_flags: str
    events: EventsTo
    public_url: str
    access_log: bool
    as_json: bool


def serve(options: Options) -> None:
    """Serve until a signal, then drain and return."""
    _check(options)
    _set_up_logging(options)
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        refuse(f"cannot listen on {options.host} port {options.port}: {error.strerror}")
    url = options.public_url.rstrip("/") or address(listener)
    exposed = not options.sandbox and options.host not in _LOOPBACK
    settings = Settings(
        options.database,
        url,
        sandbox=options.sandbox,
        ledger_flags=options.ledger_flags,
        exposed=exposed,
        events=options.events,
    )
    pid = os.getpid()

    def one(number: int) -> None:
        with refusals(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(settings, listener, lambda: None if number else _announce(options, url, pid)))

    with listener:
        if options.workers == 1:
            one(0)
        elif not Workers(options.workers, one).run():
            raise SystemExit(1)


def _check(options: Options) -> None:
    if options.workers > 1 and not options.database.startswith(POSTGRES):
        refuse("SQLite has one writing process: --workers must be 1", status=2)
    if options.workers > 1 and options.sandbox:
        refuse("a sandbox's clock is that of one process: --workers must be 1", status=2)
    try:
        parse(options.ledger_flags)
    except UnknownFlag as error:
        refuse(f"--ledger-flags: {error}", status=2)
    try:
        options.events.check()
    except ValueError as error:
        refuse(str(error), status=2)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows
        return None
    return uvloop.new_event_loop


async def _run(settings: Settings, listener: socket.socket, ready: Callable[[], None]) -> None:
    runtime = await Runtime.open(settings)
    try:
        server = HttpServer(runtime.app, ready)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        # The first token needs a signing key: it is made while the server starts.
        key = asyncio.create_task(runtime.realm.keys())
        gc.freeze()
        gc.enable()
        await server.serve(sockets=[listener])
        await key
    finally:
        await runtime.close()


def _set_up_logging(options: Options) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    if options.access_log:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        access_log.addHandler(handler)
        access_log.setLevel(logging.INFO)
        access_log.propagate = False


def _announce(options: Options, url: str, pid: int) -> None:
    """Say that the server is ready; in a sandbox, with which credentials."""
    credentials = _credentials() if options.sandbox else []
    if options.as_json:
        print_json(
            {
                "url": url,
                "pid": pid,
                "database": shown(options.database),
                "sandbox": options.sandbox,
                "credentials": credentials,
            }
        )
        return
    print(f"Bursar serves {shown(options.database)} on {url} (SIGTERM or Ctrl+C stops it)", flush=True)
    if credentials:
        print(f"MilkyWay base URL: {url}/milkyway")
        print(f"MilkyWay token URL: {url}/milkyway/realms/sandbox/protocol/openid-connect/token")
        print(f"Piaxis base URL: {url}/piaxis/api")
        print(f"Formance server URL: {url}/formance")
        print(f"Formance token URL: {url}/formance/api/auth/oauth/token")
        print("Sandbox credentials, which everybody knows (API, client or merchant id, secret or key):")
        for known in credentials:  # no table: loading what draws it would keep the first request waiting
            secret = known["client_secret"] or "(public, no secret)"
            print(f"  {known['api']:<17} {known['client_id']:<36} {secret}", flush=True)


def _credentials() -> list[dict[str, Any]]:
    from bursar.server.sandbox import CREDENTIALS, FORMANCE, PIAXIS

    return [
        {"api": known.api, "client_id": known.client_id, "client_secret": known.client_secret}
        for known in (*CREDENTIALS, *PIAXIS, *FORMANCE)
    ]
