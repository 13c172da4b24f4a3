"""Clients as objects: options, closing, threads, loops, forks, pickles, what they show; MC75 to MC79, MW-7, MW-11."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bursar.contract import Headers, Request, Response, Secret
from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    KeycloakTokenProvider,
    MilkywayApiError,
    MilkywayOptions,
    MilkywayPaymentsClient,
    PayRequest,
    PostcheckResult,
    TransactionStatus,
)
from tests.client.server import Action, Drop, Recorded, reply
from tests.milkyway.bank import PAY, PRECHECK, state
from tests.milkyway.conftest import Connect, Open

GOOD: dict[str, Any] = {
    "base_url": "https://api.example.com",
    "token_url": "https://id.example.com/token",
    "client_id": "c",
    "client_secret": "s",
}


def made(**changes: Any) -> MilkywayOptions:
    return MilkywayOptions(**{**GOOD, **changes})


BAD: list[dict[str, Any]] = [
    *({name: value} for name in GOOD for value in ("", "  ", None)),
    {"token_url": "http://id.example.com"},
    {"max_retries": -1},
    {"token_refresh_skew": -1},
    {"retry_base_delay": -0.1},
    {"request_timeout": 0},
    {"request_timeout": -5},
    {"request_timeout": float("nan")},
]
BAD_BASE: list[dict[str, Any]] = [{"base_url": "http://api.example.com"}, {"base_url": "api.example.com"}]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        *((MilkywayPaymentsClient, changes) for changes in BAD + BAD_BASE),
        *((AsyncMilkywayPaymentsClient, changes) for changes in BAD + BAD_BASE),
        *((KeycloakTokenProvider, changes) for changes in BAD),
    ],
)
def test_mc48_mc75_options_that_cannot_work_are_refused(kind: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes)).partition("_")[0]):
        kind(made(**changes))


def test_mc75_options_that_can() -> None:
    options = made()
    options.validate()
    assert (options.request_timeout, options.max_retries, options.retry_base_delay) == (30.0, 3, 0.5)
    assert (options.scope, options.token_refresh_skew) == (None, 30.0)
    with MilkywayPaymentsClient(made(client_secret=Secret("s"))):
        pass


def test_mc76_closing_releases_every_connection(open_bank: Open) -> None:
    bank = open_bank()
    with MilkywayPaymentsClient(bank.options()) as client:
        client.postcheck(1)
    gc.collect()  # an unclosed socket would warn, and a warning fails the test

    async def use() -> None:
        async with AsyncMilkywayPaymentsClient(bank.options()) as client:
            await client.postcheck(1)

    asyncio.run(use())
    gc.collect()


def test_a_closed_client_can_be_used_again(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank)
    client.postcheck(1)
    client.close()
    assert client.postcheck(2).transaction_id == 2


class Mine:
    """A transport written by the caller."""

    def __init__(self) -> None:
        self.closed = False
        self.requests: list[Request] = []

    def send(self, request: Request, timeout: float) -> Response:
        self.requests.append(request)
        if "token" in request.url:
            return Response(200, Headers(), b'{"access_token":"t","expires_in":300}')
        return Response(200, Headers(), b'{"transaction_id":7}')

    def close(self) -> None:
        self.closed = True


def test_mc46_a_transport_of_the_callers_carries_everything_and_stays_open() -> None:
    mine = Mine()
    with MilkywayPaymentsClient(made(), session=mine) as client:
        assert client.pay(PAY) == 7
    provider = KeycloakTokenProvider(made(), mine)
    assert provider.get_access_token() == "t"
    provider.close()
    assert [request.url for request in mine.requests] == [
        "https://id.example.com/token",
        "https://api.example.com/payments/v1",
        "https://id.example.com/token",
    ]
    assert not mine.closed


def test_mc77_one_client_in_many_threads(open_bank: Open) -> None:
    bank = open_bank()
    with MilkywayPaymentsClient(bank.options()) as client, ThreadPoolExecutor(16) as pool:
        results = list(pool.map(client.postcheck, range(300)))
    assert [result.transaction_id for result in results] == list(range(300))


def test_mc78_one_asynchronous_client_in_several_loops(open_bank: Open) -> None:
    bank = open_bank()
    client = AsyncMilkywayPaymentsClient(bank.options())

    async def ask(number: int) -> int:
        async with client:
            results = await asyncio.gather(*(client.postcheck(number + each) for each in range(5)))
        return sum(result.transaction_id for result in results)

    assert [asyncio.run(ask(number)) for number in (0, 10, 20)] == [10, 60, 110]
    assert len(bank.tokens) == 1


def test_mc78_the_colours_have_the_same_methods_with_the_same_signatures() -> None:
    import inspect

    options = made()
    one, other = MilkywayPaymentsClient(options), AsyncMilkywayPaymentsClient(options)
    for name in (
        "healthcheck",
        "precheck",
        "pay",
        "postcheck",
        "cancel",
        "wait_for_completion",
        "with_options",
    ):
        mine, twin = (
            list(inspect.signature(getattr(client, name)).parameters.values()) for client in (one, other)
        )
        assert mine == twin, name
    assert inspect.signature(MilkywayPaymentsClient) == inspect.signature(AsyncMilkywayPaymentsClient)


def test_x1_a_client_across_forks(open_bank: Open) -> None:
    """The client as a whole: its token goes along, its connections do not."""
    bank = open_bank()
    program = """
import json, os, sys
from bursar.milkyway import MilkywayOptions, MilkywayPaymentsClient
client = MilkywayPaymentsClient(MilkywayOptions(**json.loads(sys.argv[1])))
assert client.postcheck(0).transaction_id == 0
children = []
for base in (1000, 2000):
    child = os.fork()
    if not child:
        os._exit(int(not all(client.postcheck(base + n).transaction_id == base + n for n in range(30))))
    children.append(child)
assert client.postcheck(1).transaction_id == 1
sys.exit(int(any(os.waitpid(child, 0)[1] for child in children)))
"""
    options = bank.options()
    settings = {
        "base_url": options.base_url,
        "token_url": options.token_url,
        "client_id": "c",
        "client_secret": "s",
    }
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(settings)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    users: dict[int, set[int]] = {}
    for call in bank.calls:
        users.setdefault(call.connection, set()).add(int(call.query[0][1]) // 1000)
    assert all(len(who) == 1 for who in users.values()), "each connection belongs to one process"
    assert len(bank.tokens) == 1


def test_clients_can_be_pickled_and_copied(open_bank: Open, connect: Connect) -> None:
    bank = open_bank()
    client = connect(bank).client.with_options(timeout=3.5, max_retries=1)
    for again in (pickle.loads(pickle.dumps(client)), copy.copy(client)):
        assert again.options == client.options
        assert again._calls.session.policy == client._calls.session.policy
        if isinstance(again, MilkywayPaymentsClient):
            with again:
                assert again.postcheck(5).transaction_id == 5


def test_a_client_with_something_of_the_callers_is_not_pickled() -> None:
    client = MilkywayPaymentsClient(made(), session=Mine())
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(client)


def test_models_are_pickled_with_all_they_know() -> None:
    for model in (
        PAY,
        PRECHECK,
        PostcheckResult.from_dict({"transaction_id": 1, "status": 9, "new": Decimal("1.10")}),
        PostcheckResult(1, TransactionStatus.PENDING).mark_timed_out(),
    ):
        again = pickle.loads(pickle.dumps(model))
        assert again == model
        assert vars(again) == vars(model)


def test_mw7_netrc_does_not_touch_the_token(
    open_bank: Open, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bank = open_bank()
    connect(bank).pay(PAY)
    assert bank.last.all("Authorization") == ["Bearer token-1"]
    assert bank.tokens[0].all("Authorization") == []


CANARIES = ("s3cr", "tok-CANARY", "passport-CANARY")


def shown(error: BaseException) -> str:
    """Everything that a traceback or a log of an error would show, with its whole chain."""
    texts = traceback.format_exception(error)
    link: BaseException | None = error
    while link is not None:
        texts += [str(link), repr(link), repr(link.args)]
        link = link.__cause__ or link.__context__
    return "\n".join(texts)


def echoing(request: Recorded) -> Action:
    """A server that repeats what it was sent in its headers, as a careless one does."""
    return reply({"error": "no"}, 400, X_Echo=request.header("Authorization") or "")


@pytest.mark.parametrize(
    "step",
    [
        state(1),
        reply({"error": "bad"}, 400),
        reply({"error": "bad"}, 401),
        reply({"error": "bad"}, 503),
        reply(b"<html>"),
        reply(b"{}"),
        reply(b"", 302, Location="/x"),
        Drop(),
        Drop(reset=True),
        echoing,
    ],
)
def test_mc79_mc36_nothing_shows_secret_token_or_data(
    open_bank: Open, connect: Connect, caplog: pytest.LogCaptureFixture, step: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Any] = []
    bank = open_bank(step, tokens=reply({"access_token": "tok-CANARY", "expires_in": 300}))
    request = PayRequest("b", "s", "x", "r", Decimal("1.50"), "USD", {"passport": "passport-CANARY"})
    client = connect(bank, hooks=[events.append], max_retries=1)
    texts = [
        repr(request),
        str(request),
        repr(client.client),
        repr(client.client.options),
        f"{client.client.options}",
    ]
    for call in (
        lambda: client.pay(request, "k"),
        lambda: client.pay(request),
        lambda: client.raw.pay(request),
    ):
        try:
            texts.append(repr(call()))
        except MilkywayApiError as error:
            texts.append(shown(error))
    # httpcore2 logs the headers of answers at DEBUG; only a server that echoes could put a secret there.
    own = [record for record in caplog.records if step is not echoing or record.name.startswith("bursar")]
    texts += [repr(events), *(record.getMessage() for record in own)]
    session = client.client._calls.session
    texts += [repr(session), repr(session.tokens), repr(session.policy)]
    for canary in CANARIES:
        assert canary not in "\n".join(texts)
    assert any(b"passport-CANARY" in call.body for call in bank.calls), "the canary did fly"


def test_mc79_bad_arguments_do_not_show_data(connect: Connect, open_bank: Open) -> None:
    client = connect(open_bank())
    for data in ({"passport": b"passport-CANARY"}, {"passport": {"passport-CANARY"}}):
        with pytest.raises(ValueError, match="/data/passport") as caught:
            client.pay(PayRequest("b", "s", "x", "r", Decimal(1), "USD", data))
        assert "CANARY" not in shown(caught.value)


def test_mw11_options_hide_their_secret() -> None:
    for secret in ("s3cret-CANARY", Secret("s3cret-CANARY")):
        options = made(client_secret=secret)
        assert "CANARY" not in f"{options!r} {options}"
        assert "CANARY" not in repr(MilkywayPaymentsClient(options))


def test_importing_the_client_loads_no_http_library() -> None:
    program = (
        "import sys, bursar.milkyway; print(*[n for n in sys.modules if n.partition('.')[0] in sys.argv[1:]])"
    )
    libraries = ["httpcore2", "httpx2", "aiohttp", "h11", "requests", "bursar.engine"]
    done = subprocess.run(
        [sys.executable, "-c", program, *libraries],
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == ""
