"""The engine inside your process: the same typed clients, no server, no port.

    with Engine.sandbox(at=datetime(2026, 1, 1, tzinfo=UTC)) as engine:
        client = engine.milkyway("bank-alpha", "alpha-secret")
        payment = client.pay({
            "third_party_id_debit": "bank-beta", "service_id": "card-payout", "sender_id": "s-1",
            "recipient_id": "r-1", "amount_credit": Decimal("100.00"), "currency_credit": "USD",
            "data": {"passport": "AA1234567"},
        })
        engine.clock.advance(60)
        assert client.postcheck(payment).status is TransactionStatus.DONE

Every call goes through the whole server, HTTP codec and authentication included; only the socket is left out.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec
from msgspec.structs import replace
from starlette.types import ASGIApp, Receive, Scope, Send

from bursar.client.clock import SYSTEM
from bursar.client.clock import Clock as ClientClock
from bursar.client.transport import AsyncTransport, Transport
from bursar.client.transport.asgi import AsgiTransport, ConnectionDropped
from bursar.contract import Request, Response, TransportError
from bursar.engine.auth import clients
from bursar.formance import AsyncFormance, Formance, FormanceOptions
from bursar.milkyway import AsyncMilkywayPaymentsClient, MilkywayOptions, MilkywayPaymentsClient
from bursar.milkyway.operator import AsyncMilkywayOperatorClient, MilkywayOperatorClient
from bursar.piaxis import AsyncPiaxisClient, PiaxisClient
from bursar.piaxis.back_office import AsyncPiaxisOperatorClient, OperatorOptions, PiaxisOperatorClient
from bursar.server.access import OWNER
from bursar.server.faults import FaultRule, Faults, FaultState
from bursar.server.formance import MOUNT as STACK_MOUNT
from bursar.server.milkyway import MOUNT, REALM, URL_REALM, create_client
from bursar.server.piaxis.app import API_MOUNT as PIAXIS_API
from bursar.server.piaxis.app import MOUNT as PIAXIS_MOUNT
from bursar.server.runtime import MEMORY, Runtime, Settings
from bursar.server.timeline import ClockState, Timeline
from bursar.server.webhooks.carrier import Inside

if TYPE_CHECKING:
    from bursar.engine.verify import Report
    from bursar.server.listener import HttpServer

T = TypeVar("T")

_URL = "http://localhost"


class EngineClosed(RuntimeError):
    """The engine was closed, or not yet entered."""


class _Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="bursar-engine", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` on the loop. Raises `EngineClosed`."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise EngineClosed("the engine is closed") from None

    def stop(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()


class _Detached:
    """Lets the application finish what it began although the caller gave up waiting, as a server does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: it comes from the process that has the books open."""
        scope["extensions"] = {**scope.get("extensions", {}), OWNER: {}}
        task = asyncio.create_task(self._answer(scope, receive, send))
        self._running.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # told to the caller, unless it gave up; asyncio must not complain then

    async def finish(self) -> None:
        """Wait for all that is under way."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except ConnectionError as error:
            raise ConnectionDropped(str(error)) from error


class _Door:
    """How requests get from any thread or loop to the application on the engine's loop."""

    def __init__(self, loop: _Loop, app: ASGIApp) -> None:
        self._loop = loop
        self._asgi = AsgiTransport(app)

    def begin(self, request: Request, timeout: float) -> Future[Response]:
        """Start a request. Raises `TransportError` when the engine is closed."""
        try:
            return self._loop.submit(self._asgi.send(request, timeout))
        except EngineClosed as error:
            raise TransportError(str(error), sent=False) from None


class _BlockingDoor:
    """See `bursar.client.transport.Transport`."""

    def __init__(self, door: _Door) -> None:
        self._door = door

    def send(self, request: Request, timeout: float) -> Response:
        return self._door.begin(request, timeout).result()

    def close(self) -> None:
        pass  # the engine is its owner's to close


class _AsyncDoor:
    """See `bursar.client.transport.AsyncTransport`. Works on whatever loop the client runs."""

    def __init__(self, door: _Door) -> None:
        self._door = door

    async def send(self, request: Request, timeout: float) -> Response:
        return await asyncio.wrap_future(self._door.begin(request, timeout))

    async def aclose(self) -> None:
        pass  # the engine is its owner's to close


class EngineClock:
    """A sandbox's clock. Due work (payouts, settlements, expiries) is done before a call returns."""

    def __init__(self, loop: _Loop, timeline: Timeline) -> None:
        self._loop = loop
        self._timeline = timeline

    def state(self) -> ClockState:
        """Return what the clock says."""
        return self._loop.submit(self._timeline.state()).result()

    def now(self) -> datetime:
        """Return engine time, in UTC."""
        return datetime.fromisoformat(self.state().now)

    def next_due(self) -> datetime | None:
        """Return when the next durable work is due, in UTC; None when there is none."""
        due = self.state().next_due
        return None if due is None else datetime.fromisoformat(due)

    def freeze(self, at: datetime | None = None) -> ClockState:
        """Stop the clock, at the present moment or at `at`, which needs a zone."""
        return self._loop.submit(self._timeline.freeze(None if at is None else _microseconds(at))).result()

    def advance(self, seconds: float | timedelta) -> ClockState:
        """Move on, stopping at each moment at which work is due to do it."""
        return self._begin_advance(seconds).result()

    def run_to_next(self) -> ClockState:
        """Move on to the next moment at which work is due and do it; nothing happens when there is none."""
        return self._loop.submit(self._timeline.run_to_next()).result()

    def resume(self) -> ClockState:
        """Let the clock run on from where it is."""
        return self._loop.submit(self._timeline.resume()).result()

    def client_clock(self) -> ClientClock:
        """Return a clock for clients whose pauses move this one instead of waiting."""
        slept = 0.0

        def sleep(seconds: float) -> None:
            nonlocal slept
            with suppress(EngineClosed):  # the next attempt will say so
                self.advance(seconds)
            slept += seconds

        async def asleep(seconds: float) -> None:
            nonlocal slept
            with suppress(EngineClosed):
                await asyncio.wrap_future(self._begin_advance(seconds))
            slept += seconds

        return replace(SYSTEM, monotonic=lambda: time.monotonic() + slept, sleep=sleep, asleep=asleep)

    def _begin_advance(self, seconds: float | timedelta) -> Future[ClockState]:
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta(0):
            raise ValueError("a clock advances by 0 or more seconds")
        return self._loop.submit(self._timeline.advance(step // timedelta(microseconds=1)))


class EngineFaults:
    """A sandbox's faults."""

    def __init__(self, loop: _Loop, faults: Faults) -> None:
        self._loop = loop
        self._faults = faults

    def add(self, **rule: Any) -> FaultState:
        """Put a rule in force; the arguments are the fields of `FaultRule`. Raises `ValueError` for a bad rule.

        >>> engine.faults.add(path="/milkyway/payments/*", status=503, headers={"Retry-After": "1"}, times=2)
        """
        checked = msgspec.convert(rule, FaultRule)
        return self._on_loop(lambda: self._faults.add(checked))

    def list(self) -> list[FaultState]:
        """Return the rules in force, with how often each hit."""
        return self._on_loop(self._faults.list)

    def clear(self) -> None:
        """End all rules."""
        self._on_loop(self._faults.clear)

    def _on_loop(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return self._loop.submit(call()).result()


class Engine:
    """An open engine. Make one with `open` or `sandbox`; close it with `close` or as a context manager.

    It runs on a thread of its own, so blocking and asynchronous clients, of any thread and event loop, may use it at
    the same time. Opening and closing block for some milliseconds.
    """

    def __init__(self, settings: Settings) -> None:
        """Open as `settings` say; `open` and `sandbox` are easier to call."""
        self._loop = _Loop()
        try:
            self._runtime = self._loop.submit(Runtime.open(settings)).result()
        except BaseException:
            self._loop.stop()
            raise
        self.url: str = settings.public_url
        """Where the server is for its clients; nothing listens there unless `listen` was called."""
        self._app = _Detached(self._runtime.app)
        self._door = _Door(self._loop, self._app)
        self._server: HttpServer | None = None
        self._serving: Future[None] | None = None
        self._closed = False

    @classmethod
    def open(cls, database: str, *, ledger_flags: str = "") -> Self:
        """Open ``sqlite:///file.db``, made if need be; ``sqlite://`` keeps everything in memory.

        `ledger_flags` are those of `bursar serve --ledger-flags`. Raises `UnknownFlag`, `StoreUnusable`, or
        `StoreInUse` when another process has the file open.
        """
        return cls(Settings(database, _URL, ledger_flags=ledger_flags))

    @classmethod
    def sandbox(cls, database: str = MEMORY, *, seed: int | None = None, at: datetime | None = None) -> Self:
        """Open an engine with the well-known institutions and credentials, a clock that can be moved, and faults.

        `seed` makes ids repeatable; `at` freezes the clock there, otherwise it runs from now.
        """
        frozen_at = None if at is None else _microseconds(at)
        return cls(Settings(database, _URL, sandbox=True, seed=seed, frozen_at=frozen_at))

    @property
    def clock(self) -> EngineClock:
        """The sandbox's clock. Raises `RuntimeError` outside a sandbox."""
        if self._runtime.timeline is None:
            raise RuntimeError("only a sandbox's clock can be moved")
        return EngineClock(self._loop, self._runtime.timeline)

    @property
    def faults(self) -> EngineFaults:
        """The sandbox's faults. Raises `RuntimeError` outside a sandbox."""
        if self._runtime.faults is None:
            raise RuntimeError("only a sandbox has faults")
        return EngineFaults(self._loop, self._runtime.faults)

    def attach_receiver(self, url: str, receiver: Inside) -> None:
        """Hand webhooks to `url` to `receiver` instead of sending them; see `bursar.testing.WebhookReceiver`."""
        self._runtime.carrier.attach(url, receiver)

    def detach_receiver(self, url: str) -> None:
        """Undo `attach_receiver`."""
        self._runtime.carrier.detach(url)

    def options(self, client_id: str, client_secret: str, **further: Any) -> MilkywayOptions:
        """Return settings for a MilkyWay client of this engine; `further` are fields of `MilkywayOptions`."""
        return MilkywayOptions(
            base_url=self.url + MOUNT,
            token_url=f"{self.url}{MOUNT}/realms/{URL_REALM}/protocol/openid-connect/token",
            client_id=client_id,
            client_secret=client_secret,
            **further,
        )

    def transport(self) -> Transport:
        """Return what carries requests of a blocking client: pass it as `session`."""
        return _BlockingDoor(self._door)

    def async_transport(self) -> AsyncTransport:
        """Return what carries requests of an asynchronous client: pass it as `session`."""
        return _AsyncDoor(self._door)

    def milkyway(self, client_id: str, client_secret: str, **options: Any) -> MilkywayPaymentsClient:
        """Return a blocking client of an institution; `options` are further fields of `MilkywayOptions`.

        In a sandbox its pauses move the engine's clock instead of waiting.
        """
        return MilkywayPaymentsClient(
            self.options(client_id, client_secret, **options),
            session=self.transport(),
            clock=self._client_clock(),
        )

    def async_milkyway(
        self, client_id: str, client_secret: str, **options: Any
    ) -> AsyncMilkywayPaymentsClient:
        """Return the asynchronous twin of `milkyway`."""
        return AsyncMilkywayPaymentsClient(
            self.options(client_id, client_secret, **options),
            session=self.async_transport(),
            clock=self._client_clock(),
        )

    def operator(
        self, client_id: str = "", client_secret: str = "", **options: Any
    ) -> MilkywayOperatorClient:
        """Return a client of the back office; a sandbox knows the credentials."""
        client_id, client_secret = self._operator_credentials(client_id, client_secret)
        return MilkywayOperatorClient(
            self.options(client_id, client_secret, **options),
            session=self.transport(),
            clock=self._client_clock(),
        )

    def async_operator(
        self, client_id: str = "", client_secret: str = "", **options: Any
    ) -> AsyncMilkywayOperatorClient:
        """Return the asynchronous twin of `operator`."""
        client_id, client_secret = self._operator_credentials(client_id, client_secret)
        return AsyncMilkywayOperatorClient(
            self.options(client_id, client_secret, **options),
            session=self.async_transport(),
            clock=self._client_clock(),
        )

    def formance(
        self, client_id: str | None = None, client_secret: str | None = None, **options: Any
    ) -> Formance:
        """Return a blocking client of the Formance stack; `options` are further fields of `FormanceOptions`.

        Without credentials it may do everything: the books are its process's own.
        """
        return Formance(
            self._stack_options(client_id, client_secret, options),
            session=self.transport(),
            token_session=self.transport(),
            clock=self._client_clock(),
        )

    def async_formance(
        self, client_id: str | None = None, client_secret: str | None = None, **options: Any
    ) -> AsyncFormance:
        """Return the asynchronous twin of `formance`."""
        return AsyncFormance(
            self._stack_options(client_id, client_secret, options),
            session=self.async_transport(),
            token_session=self.async_transport(),
            clock=self._client_clock(),
        )

    def piaxis(self, api_key: str | None = None, **options: Any) -> PiaxisClient:
        """Return a blocking client of the Piaxis API; `options` are further fields of `PiaxisOptions`.

        Without a credential a sandbox's is that of its well-known merchant. For a customer give `access_token`.
        """
        return PiaxisClient(
            session=self.transport(),
            clock=self._client_clock(),
            **self.piaxis_settings(api_key, **options),
        )

    def async_piaxis(self, api_key: str | None = None, **options: Any) -> AsyncPiaxisClient:
        """Return the asynchronous twin of `piaxis`."""
        return AsyncPiaxisClient(
            session=self.async_transport(),
            clock=self._client_clock(),
            **self.piaxis_settings(api_key, **options),
        )

    def piaxis_settings(self, api_key: str | None = None, **further: Any) -> dict[str, Any]:
        """Return settings for a Piaxis client of this engine; `further` are fields of `PiaxisOptions`."""
        if api_key is None and "access_token" not in further and self._runtime.timeline is not None:
            from bursar.engine.piaxis.sandbox import API_KEY

            api_key = API_KEY
        return {"base_url": self.url + PIAXIS_API, "api_key": api_key, **further}

    def piaxis_operator(self, client_id: str = "", client_secret: str = "") -> PiaxisOperatorClient:
        """Return a client of Piaxis' back office; a sandbox knows the credentials."""
        return PiaxisOperatorClient(
            self.piaxis_operator_options(client_id, client_secret),
            session=self.transport(),
            clock=self._client_clock(),
        )

    def async_piaxis_operator(
        self, client_id: str = "", client_secret: str = ""
    ) -> AsyncPiaxisOperatorClient:
        """Return the asynchronous twin of `piaxis_operator`."""
        return AsyncPiaxisOperatorClient(
            self.piaxis_operator_options(client_id, client_secret),
            session=self.async_transport(),
            clock=self._client_clock(),
        )

    def piaxis_operator_options(self, client_id: str = "", client_secret: str = "") -> OperatorOptions:
        """Return settings for a client of Piaxis' back office; operators are the hub's."""
        client_id, client_secret = self._operator_credentials(client_id, client_secret)
        hub = self.options(client_id, client_secret)
        return OperatorOptions(
            base_url=self.url + PIAXIS_MOUNT,
            token_url=hub.token_url,
            client_id=client_id,
            client_secret=client_secret,
        )

    def create_client(self, client_id: str, *, operator: bool = False) -> str:
        """Add an OAuth client and return its secret, which cannot be read again.

        An institution's client has the institution's id. Raises `Conflict` when the client exists.
        """
        return self._loop.submit(create_client(self._runtime.core, client_id, operator=operator)).result()

    def revoke_client(self, client_id: str) -> None:
        """End an OAuth client; the tokens that it has are refused from now on (MS08). Raises `NotFound`."""
        self._loop.submit(
            self._runtime.core.submit(lambda view: clients.revoke(view, REALM, client_id))
        ).result()

    def restore_client(self, client_id: str) -> None:
        """Let a revoked OAuth client in again; its earlier tokens stay dead. Raises `NotFound`."""
        self._loop.submit(
            self._runtime.core.submit(lambda view: clients.restore(view, REALM, client_id))
        ).result()

    def listen(self, listener: socket.socket) -> None:
        """Serve HTTP on a listening socket too, until `close`; see `bursar.server.listener.listen`.

        Raises `ValueError` for a socket that other machines reach, but for a sandbox's: the ledger is open to everybody
        who reaches it. `bursar serve` asks for tokens there.
        """
        from bursar.server.listener import HttpServer

        by_network = listener.family in (socket.AF_INET, socket.AF_INET6)
        reachable = by_network and not ip_address(listener.getsockname()[0]).is_loopback
        if reachable and self._runtime.timeline is None:
            raise ValueError("other machines reach this socket: use `bursar serve`, which asks for tokens")
        ready = threading.Event()
        self._server = HttpServer(self._runtime.app, ready.set)
        self._serving = self._loop.submit(self._server.serve(sockets=[listener]))
        ready.wait()

    def verify(self) -> Report:
        """Check that every row says what the log says, and every invariant."""
        from bursar.engine.verify import verify

        return self._loop.submit(verify(self._runtime.core.store)).result()

    def close(self) -> None:
        """Finish what was accepted, close the database, end the thread. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._loop.submit(self._close()).result()
        finally:
            self._loop.stop()

    async def _close(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.stop()
            await asyncio.wrap_future(self._serving)
        await self._app.finish()
        await self._runtime.close()

    def _stack_options(
        self, client_id: str | None, client_secret: str | None, further: dict[str, Any]
    ) -> FormanceOptions:
        return FormanceOptions(
            self.url + STACK_MOUNT, client_id=client_id, client_secret=client_secret, **further
        )

    def _client_clock(self) -> ClientClock:
        return SYSTEM if self._runtime.timeline is None else self.clock.client_clock()

    def _operator_credentials(self, client_id: str, client_secret: str) -> tuple[str, str]:
        if client_id or self._runtime.timeline is None:
            return client_id, client_secret
        from bursar.server.sandbox import OPERATOR

        return OPERATOR.client_id, OPERATOR.client_secret

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self.close)


def _microseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("a time needs a zone, for example datetime(2026, 1, 1, tzinfo=UTC)")
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
