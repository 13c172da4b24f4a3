"""What every client's shell promises, whichever API it speaks: a caller's transport stays the caller's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bursar.contract import Headers, Request, Response
from bursar.formance import AsyncFormance, Formance, FormanceOptions
from bursar.milkyway import (
    AsyncMilkywayPaymentsClient,
    MilkywayOptions,
    MilkywayPaymentsClient,
)

BANK = MilkywayOptions(
    base_url="https://api.example.com",
    token_url="https://id.example.com/token",
    client_id="bank",
    client_secret="secret",
)


class Mine:
    """A transport written by the caller, blocking or not."""

    def __init__(self) -> None:
        self.closed = 0

    def send(self, request: Request, timeout: float) -> Response:
        return Response(200, Headers(), b"{}")

    def close(self) -> None:
        self.closed += 1


class MineToAwait:
    def __init__(self) -> None:
        self.closed = 0

    async def send(self, request: Request, timeout: float) -> Response:
        return Response(200, Headers(), b"{}")

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(lambda mine: MilkywayPaymentsClient(BANK, session=mine), id="milkyway"),
        pytest.param(lambda mine: Formance(FormanceOptions("http://localhost"), session=mine), id="formance"),
    ],
)
def test_closing_a_client_leaves_the_callers_transport_open(kind: Any) -> None:
    mine = Mine()
    client = kind(mine)
    client.close()
    with client.with_options(max_retries=0):
        pass
    assert mine.closed == 0


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(lambda mine: AsyncMilkywayPaymentsClient(BANK, session=mine), id="milkyway"),
        pytest.param(
            lambda mine: AsyncFormance(FormanceOptions("http://localhost"), session=mine), id="formance"
        ),
    ],
)
def test_closing_an_asynchronous_client_leaves_the_callers_transport_open(kind: Any) -> None:
    mine = MineToAwait()

    async def use() -> None:
        async with kind(mine) as client:
            await client.with_options(max_retries=0).aclose()

    asyncio.run(use())
    assert mine.closed == 0
