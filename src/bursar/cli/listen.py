"""`bursar listen`: a sandbox's webhooks as they arrive, checked and passed on to a program on this machine."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from bursar.cli.output import console, print_json, refuse
from bursar.cli.sandbox import Sandbox
from bursar.client.transport.async_pool import AsyncPoolTransport
from bursar.contract import ApiError, Request, Response, TransportError
from bursar.contract.http import Headers
from bursar.piaxis.models.webhook_endpoints import NewWebhookEndpoint
from bursar.server.listener import HttpServer, address, listen
from bursar.webhooks import Piaxis, PiaxisEvent, Receiver, WebhookVerificationError

_FORWARD_SECONDS: Final = 9.0
"""A little less than the sandbox waits."""
_OWN: Final = frozenset({"host", "content-length", "connection", "transfer-encoding"})
"""Header fields of one connection, which are not passed on."""
_VERIFIED: Final = "verified"
_COLUMNS: Final = "{time:<8}  {event:<34}  {id:<36}  {signature:<9}  {answer}"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `bursar listen`, as in its help."""

    forward_to: str
    url: str
    api_key: str
    events: Sequence[str]
    secret: str
    as_json: bool


def run(options: Options) -> None:
    """Listen until SIGINT or SIGTERM, then take the endpoint away again."""
    if options.forward_to and not options.forward_to.startswith(("http://", "https://")):
        refuse("--forward-to takes a URL, such as http://localhost:3000/webhooks", status=2)
    socket = listen("127.0.0.1", 0)
    with socket, Sandbox(options.url, options.api_key) as sandbox:
        payload = NewWebhookEndpoint(
            url=address(socket) + "/", events=list(options.events) or ["*"], secret=options.secret or None
        )
        try:
            endpoint = sandbox.piaxis.webhooks.create_webhook_endpoint(payload)
        except ApiError as error:
            refuse(f"the sandbox does not take the endpoint: {error}")
        try:
            secret = str(endpoint.secret)
            _announce(options, secret, endpoint.id)
            asyncio.run(_serve(Relay(options, sandbox, secret), socket))
        finally:
            sandbox.piaxis.webhooks.delete_webhook_endpoint(endpoint.id)


async def _serve(relay: Relay, socket: Any) -> None:
    server = HttpServer(relay)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    try:
        await server.serve(sockets=[socket])
    finally:
        await relay.aclose()


class Relay:
    """The endpoint: an ASGI application that answers what the program behind it answers."""

    def __init__(self, options: Options, sandbox: Sandbox, secret: str) -> None:
        self._options = options
        self._sandbox = sandbox
        self._secret = secret
        self._transport = AsyncPoolTransport()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery."""
        body = await _body(receive)
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        began = time.perf_counter()
        try:
            event = Receiver(Piaxis(), self._secret).parse(body)
        except WebhookVerificationError:
            await _reply(send, 400)  # not from the sandbox
            return
        verdict = await asyncio.to_thread(self._check, body, fields)
        answer = await self._forward(body, fields)
        self._show(event, verdict, answer, time.perf_counter() - began)
        if isinstance(answer, Response):
            pause = [pair for pair in answer.headers.items() if pair[0].lower() == "retry-after"]
            await _reply(send, answer.status, pause)
        else:
            await _reply(send, 502)

    async def aclose(self) -> None:
        """Release connections."""
        await self._transport.aclose()

    def _check(self, body: bytes, fields: list[tuple[str, str]]) -> str:
        """What is to be said about the signature, at the sandbox's time."""
        now = self._sandbox.clock()["now_us"] / 1e6
        try:
            Receiver(Piaxis(), self._secret, clock=lambda: now).verify(body, fields)
        except WebhookVerificationError as error:
            return error.reason.value
        return _VERIFIED

    async def _forward(self, body: bytes, fields: list[tuple[str, str]]) -> Response | TransportError:
        """Pass the very bytes on, with the fields that they came with; 200 when there is nowhere to."""
        if not self._options.forward_to:
            return Response(200, Headers(), b"")
        passed = tuple(pair for pair in fields if pair[0].lower() not in _OWN)
        request = Request("POST", self._options.forward_to, passed, body)
        try:
            return await self._transport.send(request, _FORWARD_SECONDS)
        except TransportError as error:
            return error

    def _show(
        self, event: PiaxisEvent, verdict: str, answer: Response | TransportError, seconds: float
    ) -> None:
        got = answer.status if isinstance(answer, Response) else str(answer)
        if self._options.as_json:
            shown = {"event": event.type, "id": event.id, "signature": verdict, "answer": got}
            print_json({**shown, "ms": round(seconds * 1000), "body": event.body})
            return
        good = isinstance(answer, Response) and answer.is_success
        line = _COLUMNS.format(
            time=time.strftime("%H:%M:%S"),
            event=event.type,
            id=event.id or "",
            signature=_coloured(f"{verdict:<9}", good=verdict == _VERIFIED),
            answer=_coloured(f"{got} {round(seconds * 1000)} ms", good=good),
        )
        console().print(line, soft_wrap=True)


def _coloured(text: str, *, good: bool) -> str:
    return f"[{'green' if good else 'bold red'}]{text}[/]"


def _announce(options: Options, secret: str, endpoint: str) -> None:
    if options.as_json:
        print_json({"listening": endpoint, "secret": secret, "forward_to": options.forward_to or None})
        return
    target = options.forward_to or "nowhere: name a program with --forward-to"
    print(f"Webhooks of {options.url} go to {target} (Ctrl+C ends it)")
    print(f"Verify them with the secret {secret}")
    head = _COLUMNS.format(time="Time", event="Event", id="Id", signature="Signature", answer="Answer")
    console().print(f"[bold]{head}[/]", soft_wrap=True)


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


async def _reply(send: Send, status: int, fields: Iterable[tuple[str, str]] = ()) -> None:
    head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *head]}
    )
    await send({"type": "http.response.body", "body": b""})
