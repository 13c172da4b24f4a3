"""`bursar serve`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bursar.cli.log_options import Format, Level
from bursar.cli.logs import set_up
from bursar.cli.output import print_json, refusals, refuse
from bursar.cli.workers import Workers
from bursar.engine.store.opening import POSTGRES, shown
from bursar.server import otel
from bursar.server.events import EventsTo
from bursar.server.ledger.flags import UnknownFlag, parse
from bursar.server.listener import HttpServer, address, listen
from bursar.server.metrics import PATH, measure_always
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
    log_format: Format
    log_level: Level
    metrics_host: str
    metrics_port: int | None
    as_json: bool


def serve(options: Options) -> None:
    """Serve until a signal, then drain and return."""
    _check(options)
    set_up(options.log_format, options.log_level, access=options.access_log)
    listener = _listen(options.host, options.port)
    beside = _metrics_listeners(options)
    url = options.public_url.rstrip("/") or address(listener)
    exposed = not options.sandbox and options.host not in _LOOPBACK
    settings = Settings(
        options.database,
        url,
        sandbox=options.sandbox,
        ledger_flags=options.ledger_flags,
        exposed=exposed,
        events=options.events,
        # A page that all who reach the server can read, or that another process answers each time, is none.
        metrics=not (exposed or beside or options.workers > 1),
    )
    pid = os.getpid()
    pages = [address(each) + PATH for each in (beside or ([listener] if settings.metrics else []))]

    def one(number: int, again: bool) -> None:
        def ready() -> None:
            if number == 0 and not again:
                _announce(options, url, pid, pages)

        own = _Own(listener, beside[number] if beside else None, number if options.workers > 1 else None)
        with refusals(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(settings, own, ready))

    with contextlib.ExitStack() as stack:
        for each in (listener, *beside):
            stack.enter_context(each)
        if options.workers == 1:
            one(0, False)
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


@dataclass(frozen=True, slots=True)
class _Own:
    """What one process serves: `number` tells it from others, None when there are none."""

    listener: socket.socket
    metrics: socket.socket | None
    number: int | None


def _listen(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        refuse(f"cannot listen on {host} port {port}: {error.strerror}")


def _metrics_listeners(options: Options) -> list[socket.socket]:
    """A socket for each process, on consecutive ports, or on any free ones for port 0; none when not asked for."""
    first = options.metrics_port
    if first is None:
        return []
    ports = range(first, first + options.workers) if first else [0] * options.workers
    return [_listen(options.metrics_host, port) for port in ports]


async def _run(settings: Settings, own: _Own, ready: Callable[[], None]) -> None:
    runtime = await Runtime.open(settings)
    try:
        async with _metrics(runtime, own):
            await _serve(runtime, own.listener, ready)
    finally:
        await runtime.close()


@contextlib.asynccontextmanager
async def _metrics(runtime: Runtime, own: _Own) -> AsyncGenerator[None]:
    """Serve metrics beside all else: on a port of their own, and by OpenTelemetry when that was set up."""
    tasks: list[asyncio.Task[None]] = []
    if own.metrics is not None:
        server = HttpServer(runtime.metrics_app)
        tasks.append(asyncio.create_task(server.serve(sockets=[own.metrics])))
    meter = otel.configured()
    if meter is not None:
        otel.publish(runtime.core.metrics, meter, {} if own.number is None else {"worker": str(own.number)})
        tasks.append(asyncio.create_task(measure_always(runtime.core)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(runtime: Runtime, listener: socket.socket, ready: Callable[[], None]) -> None:
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


def _announce(options: Options, url: str, pid: int, metrics: Sequence[str]) -> None:
    """Say that the server is ready; in a sandbox, with which credentials."""
    credentials = _credentials() if options.sandbox else []
    if options.as_json:
        print_json(
            {
                "url": url,
                "pid": pid,
                "database": shown(options.database),
                "sandbox": options.sandbox,
                "metrics": metrics,
                "credentials": credentials,
            }
        )
        return
    print(f"Bursar serves {shown(options.database)} on {url} (SIGTERM or Ctrl+C stops it)", flush=True)
    for page in metrics if options.metrics_port is not None else ():
        print(f"Metrics: {page}", flush=True)
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
